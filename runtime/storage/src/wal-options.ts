/** How a log is opened, and what it counts. */

import { type Disk } from "./disk.ts";
import { type StorageError } from "./errors.ts";

/** Calls back once, after `delayMs`, unless the function that it returns is called before. */
export type StartTimer = (delayMs: number, callback: () => void) => () => void;

/** How a log is opened. */
export interface WalOptions {
  /** Where its files lie; made if its parent exists. */
  readonly directory: string;
  /** All records up to this position are durable. Once per batch; positions only grow. */
  onDurable(position: number): void;
  /** Something failed, for good: nothing more becomes durable. At most once. */
  onFailure(error: StorageError): void;
  /** A batch was made durable in so many ms. */
  onSync?(durationMs: number, bytes: number): void;
  /** Bytes to preallocate per segment; default 64 MiB. The first is at most 4 MiB. */
  readonly segmentBytes?: number;
  /** Bytes after which a batch is cut; default 4 MiB. A single record may be longer. */
  readonly batchBytes?: number;
  /** Bytes of a checkpoint written per turn of the event loop; default 1 MiB. */
  readonly sliceBytes?: number;
  /** Idle time in ms after which a mark vouches for the last batch; default 100. */
  readonly idleMarkMs?: number;
  /** Refuse to begin a new log: there must be one (`missingSegment`). Default false. */
  readonly mustExist?: boolean;
  /** Default: the disk of this machine. */
  readonly disk?: Disk;
  /** Default: `setTimeout`, not keeping the process alive. */
  readonly startTimer?: StartTimer;
}

/** Counters that only grow, for metrics. Bytes are as on disk. */
export interface WalStatistics {
  /** Records made durable, the log's own included. */
  records: number;
  /** Bytes made durable in the log. */
  bytes: number;
  /** Batches with records. */
  batches: number;
  /** Durable writes to the log: batches and lone marks. */
  syncs: number;
  /** Segments begun and deleted. */
  segmentsCreated: number;
  segmentsDeleted: number;
  /** Checkpoints finished, and bytes written for finished and unfinished ones. */
  checkpoints: number;
  checkpointBytes: number;
  /** Records found damaged when the log was opened, in whose place their stand-ins were visited. */
  recordsLost: number;
}

/** Counters before anything happened. */
export function newStatistics(): WalStatistics {
  return {
    records: 0,
    bytes: 0,
    batches: 0,
    syncs: 0,
    segmentsCreated: 0,
    segmentsDeleted: 0,
    checkpoints: 0,
    checkpointBytes: 0,
    recordsLost: 0,
  };
}
