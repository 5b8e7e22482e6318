export {
  type Actor,
  actorCodec,
  compareActors,
  counterCodec,
  type Dot,
  dotCodec,
  type Order,
} from "./actor.ts";
export {
  compareVersions,
  contextOf,
  dottedCodec,
  type DottedVersion,
  nextVersion,
  type Sibling,
  syncSiblings,
} from "./dotted.ts";
export { type DottedEntry, DottedSet, dottedSetCodec } from "./dotted-set.ts";
export { ClockError, type ClockErrorCode } from "./errors.ts";
export {
  ceilingCodec,
  type CeilingRecord,
  compareHybrid,
  COUNTS,
  type Disk,
  HYBRID_DEFAULTS,
  HybridClock,
  hybridCodec,
  type HybridOptions,
  type HybridStamp,
  noDisk,
} from "./hybrid.ts";
export { incarnationCodec, type IncarnationRecord, Incarnations, nodeOf } from "./identity.ts";
export { type Events, type Identity, IntervalStamp } from "./interval-tree.ts";
export { intervalCodec, intervalFromJSON, MAX_DEPTH } from "./interval-tree-codec.ts";
export { compareLamport, LamportClock, lamportCodec, type LamportStamp } from "./lamport.ts";
export { PrunedVector } from "./pruned.ts";
export { VectorClock } from "./vector-clock.ts";
export { VersionVector, versionVectorCodec } from "./version-vector.ts";
