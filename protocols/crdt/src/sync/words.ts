/** What replicas say to each other, write down, and are asked. */

import {
  incarnationCodec,
  type IncarnationRecord,
  type VersionVector,
  versionVectorCodec,
} from "@quorate/clocks";
import { bool, bytes, type Codec, type NodeId, type Speaks, union } from "@quorate/kernel";

import { type CrdtErrorCode } from "../errors.ts";

export type SyncMessage =
  /** Changes, to be merged by whoever has seen `after`. */
  | { readonly type: "delta"; readonly after: VersionVector; readonly bytes: Uint8Array }
  /** Everything, for whoever lacks more than is kept as deltas. */
  | { readonly type: "state"; readonly bytes: Uint8Array }
  /** What the sender has seen, on its disk: an acknowledgement, and a question unless it is an answer. */
  | { readonly type: "digest"; readonly version: VersionVector; readonly answer: boolean };

/** The log: who acts here, and all that was taken in. */
export type SyncRecord =
  | { readonly type: "actor"; readonly incarnation: IncarnationRecord }
  | { readonly type: "merged"; readonly bytes: Uint8Array };

export type SyncRequest<Command> =
  /** Edit. `wallMs` is the wall clock of whoever asks. */
  | { readonly type: "edit"; readonly command: Command; readonly wallMs: number }
  | { readonly type: "read" }
  /** Count on a node no longer: garbage is collected without it, and what it says is not heard. */
  | { readonly type: "evict"; readonly node: NodeId };

export type SyncResponse<Value> =
  /** The edit is on this node's disk and will reach the others. */
  | { readonly type: "edited"; readonly version: VersionVector }
  /** The edit did not happen: this node has no memory yet and nobody to learn from. Ask again. */
  | { readonly type: "joining" }
  | { readonly type: "value"; readonly value: Value }
  | { readonly type: "evicted" };

export type SyncNote =
  | { readonly type: "sentState"; readonly to: NodeId; readonly bytes: number }
  | { readonly type: "gap"; readonly from: NodeId }
  | { readonly type: "refused"; readonly from: NodeId; readonly code: CrdtErrorCode }
  | { readonly type: "collected"; readonly entries: number }
  | { readonly type: "renewed"; readonly actor: string }
  | { readonly type: "joined" };

export type SyncWords<Command, Value> = Speaks<{
  Message: SyncMessage;
  Timer: "gossip";
  Record: SyncRecord;
  Request: SyncRequest<Command>;
  Response: SyncResponse<Value>;
  Output: { readonly type: "changed" };
  Note: SyncNote;
}>;

export const syncMessageCodec: Codec<SyncMessage> = union<SyncMessage>({
  delta: [1, { after: versionVectorCodec, bytes }],
  state: [2, { bytes }],
  digest: [3, { version: versionVectorCodec, answer: bool }],
});

export const syncRecordCodec: Codec<SyncRecord> = union<SyncRecord>({
  actor: [1, { incarnation: incarnationCodec }],
  merged: [2, { bytes }],
});
