/** A replica's settings, their units, and what moving them up or down does. */

export interface ReplicaConfig {
  /** A batch is closed when it holds this much; one log entry is at most this and one command. */
  readonly batchBytes: number;
  /** A larger command is refused as `tooLarge`. */
  readonly commandBytes: number;
  /** Commands are refused as `overloaded` while this much waits to be applied. */
  readonly queuedBytes: number;
  /** How much may be on its way to the leader, unapplied. */
  readonly windowBytes: number;
  /** Reads are refused as `overloaded` while this many wait. */
  readonly waitingReads: number;
  /** What was not answered is sent again after this, plus up to as much again. */
  readonly retryMs: number;
  /** How much is applied in one step, before heartbeats get their turn. */
  readonly applyBytes: number;
  /**
   * The state is checkpointed after this many bytes of log, or as many as the
   * state itself took the last time, if that is more. Lower means faster restarts
   * and less disk, higher means less writing.
   */
  readonly checkpointBytes: number;
  /** How much log is kept behind a checkpoint, for replicas that lag a little. */
  readonly keepBytes: number;
  /** How many sessions of clients are remembered. */
  readonly sessions: number;
}

export const REPLICA_DEFAULTS: ReplicaConfig = Object.freeze({
  batchBytes: 256 << 10,
  commandBytes: 16 << 20,
  queuedBytes: 64 << 20,
  windowBytes: 16 << 20,
  waitingReads: 100_000,
  retryMs: 500,
  applyBytes: 1 << 20,
  checkpointBytes: 64 << 20,
  keepBytes: 16 << 20,
  sessions: 10_000,
});

/** @throws RangeError that names the setting which makes no sense. */
export function checkReplicaConfig(config: ReplicaConfig): void {
  for (const [field, value] of Object.entries(config)) {
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`replica.${field} is ${value} but must be a positive integer`);
    }
  }
}
