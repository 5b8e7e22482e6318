/** Everything a node of the synod can hear, say, write and be asked, on one page. */

import type { NodeId, Speaks } from "@quorate/kernel";

/** Numbers a proposal: greater than any before, and no two nodes' alike. `round` 0: before any. */
export interface Ballot {
  readonly round: number;
  readonly node: NodeId;
}

/** A value proposed under a ballot. */
export interface Proposal {
  readonly ballot: Ballot;
  readonly value: Uint8Array;
}

export type Message =
  /** 1a. Promise to accept nothing below this ballot, and say what you accepted last. */
  | { readonly type: "prepare"; readonly ballot: Ballot }
  /** 1b. */
  | { readonly type: "promise"; readonly ballot: Ballot; readonly accepted: Proposal | undefined }
  /** 2a. Accept this, unless you promised a higher ballot. */
  | { readonly type: "accept"; readonly proposal: Proposal }
  /** 2b. */
  | { readonly type: "accepted"; readonly ballot: Ballot }
  /** A higher ballot was promised. Not in the paper's core; spares the wait for a timeout. */
  | { readonly type: "refused"; readonly ballot: Ballot; readonly promised: Ballot }
  /** A quorum has accepted this value. */
  | { readonly type: "chosen"; readonly value: Uint8Array };

export type Record =
  | { readonly type: "promised"; readonly ballot: Ballot }
  | { readonly type: "accepted"; readonly proposal: Proposal };

export type Note =
  | { readonly type: "proposing"; readonly round: number }
  /** Another proposal was ahead. */
  | { readonly type: "outbid"; readonly round: number }
  /** A quorum told of a value accepted before, which must be proposed again. */
  | { readonly type: "adopted"; readonly round: number };

export type SynodWords = Speaks<{
  Message: Message;
  Timer: "retry";
  Record: Record;
  /** The value to be chosen, if none is. */
  Request: Uint8Array;
  /** The value that was chosen, whoever proposed it. */
  Response: Uint8Array;
  /** The same, told once in each life. */
  Output: Uint8Array;
  Note: Note;
}>;
