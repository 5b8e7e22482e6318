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
export {
  arrayRoot,
  type Attributes,
  Awareness,
  type AwarenessChange,
  type AwarenessOptions,
  type AwarenessState,
  type ChangeEvent,
  CLEAN_UP,
  type Cursor,
  cursorAt,
  decodeCursor,
  decodeVersion,
  type Delta,
  type DeltaItem,
  type DeltaStep,
  diffUpdate,
  Doc,
  docAt,
  type DocOptions,
  DocumentError,
  type DocumentErrorCode,
  DocumentReplica,
  Draft,
  encodeCursor,
  encodeVersion,
  type Input,
  type KeyChange,
  load,
  mapRoot,
  mergeUpdates,
  Nested,
  onSyncMessage,
  type Output,
  type ReplicaOptions,
  resolveCursor,
  richTextRoot,
  type RichTextRun,
  type Root,
  type Roots,
  type RootValues,
  type RootViews,
  save,
  SharedArray,
  SharedMap,
  SharedText,
  stateVectorOf,
  type Subdocument,
  syncStep1,
  syncStep2,
  syncUpdate,
  textRoot,
  UndoManager,
  type UndoOptions,
  type UpdateListener,
  type Value,
  type Version,
  versionOf,
  type ViewClass,
  XmlElement,
  XmlFragment,
  XmlHook,
  xmlRoot,
  XmlText,
} from "./document/index.ts";
