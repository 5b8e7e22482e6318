/**
 * The end of a turn: when everything that arrived in one round of the event
 * loop has been handled, processes act on what they batched, then the log is
 * written once, then every peer and every client gets one write.
 */

export class Turn {
  private scheduled = false;
  private steps: (() => void)[] = [];
  private writes: (() => void)[] = [];

  /** Runs `step` when the input of this turn is drained, before anything is written. */
  whenDrained(step: () => void): void {
    this.steps.push(step);
    this.schedule();
  }

  /** Runs `write` at the end of this turn, after all steps. */
  atEnd(write: () => void): void {
    this.writes.push(write);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.run());
  }

  private run(): void {
    this.scheduled = false;
    const { steps } = this;
    this.steps = [];
    for (const step of steps) step();
    // Steps may have asked for writes; what they make new steps of belongs to the next turn.
    const { writes } = this;
    this.writes = [];
    for (const write of writes) write();
  }
}
