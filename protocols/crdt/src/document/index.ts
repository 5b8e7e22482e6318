export { type Value } from "./any.ts";
export { type Subdocument } from "./content.ts";
export { CLEAN_UP, Doc, type DocOptions, type UpdateListener, type ViewClass } from "./doc.ts";
export { DocumentError, type DocumentErrorCode } from "./errors.ts";
export {
  type ChangeEvent,
  type Delta,
  type DeltaItem,
  type DeltaStep,
  type KeyChange,
} from "./events.ts";
export { type Attributes } from "./formatting.ts";
export { SharedArray } from "./list.ts";
export { SharedMap } from "./map.ts";
export { Nested } from "./nested.ts";
export { SharedText } from "./text.ts";
export { diffUpdate, mergeUpdates, stateVectorOf } from "./updates.ts";
export { Draft, type Input, type Output } from "./view.ts";
export { XmlElement, XmlFragment, XmlHook, XmlText } from "./xml.ts";
export {
  Awareness,
  type AwarenessChange,
  type AwarenessOptions,
  type AwarenessState,
} from "./awareness.ts";
export { type Cursor, cursorAt, decodeCursor, encodeCursor, resolveCursor } from "./cursor.ts";
export { decodeVersion, docAt, encodeVersion, type Version, versionOf } from "./history.ts";
export { onSyncMessage, syncStep1, syncStep2, syncUpdate } from "./sync.ts";
export { UndoManager, type UndoOptions } from "./undo.ts";
export { load } from "./load.ts";
export { save } from "./save.ts";
export {
  DocumentReplica,
  type ReplicaOptions,
  type Roots,
  type RootValues,
  type RootViews,
} from "./replica.ts";
export {
  arrayRoot,
  mapRoot,
  richTextRoot,
  type RichTextRun,
  type Root,
  textRoot,
  xmlRoot,
} from "./roots.ts";
