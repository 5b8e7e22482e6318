export { LIMITS, type Limits, Replica } from "./replica.ts";
export { type Crdt } from "./crdt.ts";
export { CrdtError, type CrdtErrorCode } from "./errors.ts";
export { counter, growCounter, upDownCounter } from "./types/counter.ts";
export { boundedCounter } from "./types/bounded-counter.ts";
export { lww, mv } from "./types/register.ts";
export { disableWinsFlag, flag } from "./types/flag.ts";
export { growSet, removeWinsSet, set, twoPhaseSet } from "./types/set.ts";
export { map, mapOf } from "./types/map.ts";
export { list } from "./types/list.ts";
export { type NodeName, ROOT, tree, type TreeNode } from "./types/tree.ts";
export { jsonDocument, type Path } from "./types/json.ts";
export { type HandleOf, type Type, type ValueOf } from "./types/type.ts";
export { type Json } from "./values.ts";
export { CausalBroadcast, type Stamped } from "./causal-broadcast.ts";
export { DeltaSync, type Editor, SYNC_DEFAULTS, type SyncConfig } from "./sync/delta-sync.ts";
export {
  type SyncMessage,
  syncMessageCodec,
  type SyncNote,
  type SyncRecord,
  syncRecordCodec,
  type SyncRequest,
  type SyncResponse,
  type SyncWords,
} from "./sync/words.ts";
