/** Time as the gateway sees it, so that tests can bring their own. */

export interface Clock {
  /** Milliseconds since whenever; never goes back. */
  now(): number;
  /** Calls `tick` every `ms` milliseconds until the function returned is called. Keeps no process alive. */
  every(ms: number, tick: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
