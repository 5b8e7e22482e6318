/** Waiting for conditions: until they hold, never for a guessed time, and never for ever. */

import { setTimeout as pause } from "node:timers/promises";

/** Long enough for two busy cores; nothing is decided by how long something took below it. */
export const PATIENCE_MS = 30_000;
const POLL_MS = 40;

/**
 * Asks again and again until `attempt` gives something other than undefined or false.
 *
 * @param what - The condition in words, for the error.
 * @throws Error that names the condition, and why the last attempt failed, after `deadlineMs`.
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs: number = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let reason = "";
    try {
      const value = await attempt();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${deadlineMs} ms: ${what}${reason}`);
    }
    await pause(POLL_MS);
  }
}

/** The same for something that is already under way. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  deadlineMs: number = PATIENCE_MS,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
