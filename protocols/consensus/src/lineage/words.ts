/** The vocabulary of a lineage: that of its engines, each word with its generation, and a little more. */

import type { Founding } from "../membership.ts";
import type { Generation, Index, SnapshotMeta } from "../entry.ts";
import type { LogWords, OrderedLog } from "../ordered-log.ts";

/** What the lineage must know of an engine to run it. */
export interface LogMaker {
  /** Makes a log that nothing has been recovered into. */
  create(initial: Founding): OrderedLog<LogWords>;
}

export interface LineageConfig {
  /** The engines that this node can run, by name. */
  readonly makers: Readonly<Record<string, LogMaker>>;
  /** Which of them the first generation is on. What the disk says counts more. */
  readonly engine: string;
  /** As for any log: no voters for a node that joins. */
  readonly initial: Founding;
}

export type LineageMessage =
  /** A word of an engine's. */
  | {
      readonly type: "inner";
      readonly generation: Generation;
      readonly message: LogWords["Message"];
    }
  /** The sender is in this generation, durably; in 0 if it has not begun. Asks where the receiver is. */
  | { readonly type: "at"; readonly generation: number; readonly asks: boolean };

export type LineageRecord =
  | { readonly type: "inner"; readonly generation: Generation; readonly record: LogWords["Record"] }
  /**
   * A generation begins: the one before has committed the seal that `seal`
   * describes, in its own terms, and everything before.
   */
  | { readonly type: "begin"; readonly generation: Generation; readonly seal: SnapshotMeta }
  /** Everything up to `meta.index` is in a snapshot, taken in `meta.generation`. */
  | { readonly type: "snapshot"; readonly meta: SnapshotMeta };

export type LineageNote =
  /** This node goes on in another generation, after the entry at `index`. */
  | { readonly type: "moved"; readonly generation: Generation; readonly index: Index }
  /** The data on disk is of another engine than the settings say, and counts. */
  | { readonly type: "otherEngine"; readonly set: string; readonly found: string }
  /** Another node runs this generation on another engine: it was founded with other settings. */
  | { readonly type: "engineDiffers"; readonly peer: string; readonly generation: Generation }
  /** An earlier generation answers no more. */
  | { readonly type: "retired"; readonly generation: Generation };

export interface LineageWords extends LogWords {
  Message: LineageMessage;
  Record: LineageRecord;
  Note: LogWords["Note"] | LineageNote;
}
