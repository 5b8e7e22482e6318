/** Settings of two-phase commit, their units, and what moving them up or down does. */

export interface TwoPhaseConfig {
  /**
   * How long a coordinator waits for votes before it aborts. Lower frees locks sooner when a
   * participant is gone; too low aborts what a slow disk would have prepared. There is no such
   * limit once a transaction is committed.
   */
  readonly voteMs: number;

  /** How often what was not answered is sent again, by coordinators and by participants in doubt. */
  readonly retryMs: number;

  /** A checkpoint is offered after this many records. */
  readonly checkpointRecords: number;
}

export const TWO_PHASE_DEFAULTS: TwoPhaseConfig = {
  voteMs: 5_000,
  retryMs: 200,
  checkpointRecords: 10_000,
};

/** @throws RangeError that names the setting which makes no sense. */
export function checkConfig(config: TwoPhaseConfig): void {
  for (const field of ["voteMs", "retryMs", "checkpointRecords"] as const) {
    const value = config[field];
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new RangeError(`twoPhase.${field} is ${value} but must be a positive integer`);
  }
}
