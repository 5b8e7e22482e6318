export { checkConfig, lan, local, type SwimConfig, type SwimIdentity, wan } from "./config.ts";
export { type Coordinate, DIMENSIONS } from "./coordinates/coordinate.ts";
export {
  type Address,
  type Incarnation,
  type MemberRecord,
  type MemberState,
  META_BYTES,
  type Name,
  VERSIONS,
  type Versions,
} from "./member.ts";
export {
  type Ack,
  type Alive,
  type Dead,
  type IndirectPing,
  type Message,
  type Nack,
  type Packet,
  PACKET_PARTS,
  type Part,
  type Ping,
  type PushPull,
  type Source,
  type StreamAck,
  type StreamError,
  type StreamMessage,
  type StreamPing,
  type Suspect,
  type User,
} from "./messages.ts";
export { type Admission, type SerfConfig, serfDefaults } from "./serf/config.ts";
export {
  type JoinIntent,
  type KeyAnswer,
  type KeyOperation,
  type LeaveIntent,
  type LTime,
  LTIME_MAX,
  type Member,
  type MemberStatus,
  type PastEvents,
  type Query,
  type QueryFilter,
  type QueryResponse,
  type Relay,
  type SerfMessage,
  type SerfState,
  type Tags,
  type UserEvent,
} from "./serf/messages.ts";
export { estimateSeconds } from "./coordinates/vivaldi.ts";
export { Serf } from "./serf/serf.ts";
export { type DetectionBounds, detectionBounds } from "./swim/bounds.ts";
export { HyParView } from "./hyparview/hyparview.ts";
export {
  VIEW_DEFAULTS,
  type ViewConfig,
  type ViewMessage,
  type ViewOutput,
  type ViewTimer,
  type ViewWords,
} from "./hyparview/messages.ts";
export type { FailureDetector } from "./detector.ts";
export { PHI_DEFAULTS, PhiAccrual, type PhiConfig, type PhiWords } from "./phi/phi.ts";
export type {
  BroadcastId,
  BroadcastMessage,
  BroadcastNote,
  BroadcastRequest,
  BroadcastResponse,
  BroadcastWords,
  Delivered,
  TreeMessage,
} from "./plumtree/messages.ts";
export { Plumtree, PLUMTREE_DEFAULTS, type PlumtreeConfig } from "./plumtree/plumtree.ts";
export { GossipClaims } from "./claims.ts";
export { plainWire } from "./plain-wire.ts";
export { type Roster, roster } from "./swim/members.ts";
export { Swim } from "./swim/swim.ts";
export {
  kindOf,
  messageText,
  noteText,
  outputText,
  recordText,
  responseText,
  stateText,
} from "./text.ts";
export type { Wire } from "./wire.ts";
export type {
  GossipWords,
  JoinFailure,
  KeyOutcome,
  MemberChange,
  Note,
  Output,
  QueryRequest,
  Record,
  Request,
  Response,
  Timer,
} from "./words.ts";
