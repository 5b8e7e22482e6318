export {
  type Configuration,
  configurationCodec,
  type Entry,
  type EntryKind,
  type Index,
  type SnapshotMeta,
  type Term,
  type Traits,
} from "./entry.ts";
export { Log } from "./log.ts";
export {
  changed,
  type ChangeProblem,
  type ChangeRefused,
  founded,
  type Founding,
  isSingleStep,
  joint,
  type MembershipChange,
  promoted,
  settled,
  traitsOf,
} from "./membership.ts";
export type {
  LogOutput,
  LogRequest,
  LogResponse,
  LogWords,
  OrderedLog,
  PeerStatus,
  Rejected,
  Role,
  SnapshotRecord,
} from "./ordered-log.ts";
export { isQuorum, members, reachedByQuorum, voters, votes } from "./quorum.ts";
export { lan, type RaftConfig, wan } from "./raft/config.ts";
export type {
  Message as RaftMessage,
  Note as RaftNote,
  RaftWords,
  Record as RaftRecord,
  Timer as RaftTimer,
} from "./raft/messages.ts";
export { Raft } from "./raft/raft.ts";
export { messageCodec as raftMessageCodec, recordCodec as raftRecordCodec } from "./raft/wire.ts";
export { REPLICA_DEFAULTS, type ReplicaConfig } from "./replica/config.ts";
export { Replica } from "./replica/replica.ts";
export { replicaMessageCodec, replicaRecordCodec } from "./replica/wire.ts";
export type {
  Once,
  ReplicaMessage,
  ReplicaNote,
  ReplicaOutput,
  ReplicaRecord,
  ReplicaRequest,
  ReplicaResponse,
  ReplicaWords,
  Seal,
} from "./replica/words.ts";
export { Sessions } from "./sessions.ts";
export type { Applied, SnapshotSink, SnapshotSource, StateMachine } from "./state-machine.ts";
