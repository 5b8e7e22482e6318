export {
  type Configuration,
  configurationCodec,
  type Entry,
  type EntryKind,
  type Generation,
  type Index,
  type SnapshotMeta,
  type Term,
  type Traits,
} from "./entry.ts";
export { type LeaderSettings } from "./leader-settings.ts";
export { Lineage } from "./lineage/lineage.ts";
export { type Move, readMove, writeMove } from "./lineage/move.ts";
export {
  type EngineCodec,
  type EngineCodecs,
  lineageMessageCodec,
  lineageRecordCodec,
  type Tags,
} from "./lineage/wire.ts";
export type {
  LineageConfig,
  LineageMessage,
  LineageNote,
  LineageRecord,
  LineageWords,
  LogMaker,
} from "./lineage/words.ts";
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
export { type Ballot } from "./paxos/multi/ballot.ts";
export { type MultiPaxosConfig, multiPaxosDefaults } from "./paxos/multi/config.ts";
export { standIn as multiPaxosStandIn } from "./paxos/multi/damage.ts";
export type {
  Message as MultiPaxosMessage,
  MultiPaxosWords,
  Note as MultiPaxosNote,
  Record as MultiPaxosRecord,
  Timer as MultiPaxosTimer,
} from "./paxos/multi/messages.ts";
export { MultiPaxos } from "./paxos/multi/multi-paxos.ts";
export {
  messageCodec as multiPaxosMessageCodec,
  recordCodec as multiPaxosRecordCodec,
} from "./paxos/multi/wire.ts";
export type {
  Message as SynodMessage,
  Note as SynodNote,
  Proposal,
  Record as SynodRecord,
  SynodWords,
} from "./paxos/synod/messages.ts";
export { Synod, type SynodConfig } from "./paxos/synod/synod.ts";
export {
  messageCodec as synodMessageCodec,
  recordCodec as synodRecordCodec,
} from "./paxos/synod/wire.ts";
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
export { standIn as raftStandIn } from "./raft/repair.ts";
export { messageCodec as raftMessageCodec, recordCodec as raftRecordCodec } from "./raft/wire.ts";
export { REPLICA_DEFAULTS, type ReplicaConfig } from "./replica/config.ts";
export { Replica } from "./replica/replica.ts";
export { replicaMessageCodec, replicaRecordCodec, replicaStandIn } from "./replica/wire.ts";
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
export { type ZabConfig, zabDefaults } from "./zab/config.ts";
export type {
  Message as ZabMessage,
  Note as ZabNote,
  Record as ZabRecord,
  Timer as ZabTimer,
  Vote as ZabVote,
  ZabWords,
} from "./zab/messages.ts";
export { standIn as zabStandIn } from "./zab/repair.ts";
export { messageCodec as zabMessageCodec, recordCodec as zabRecordCodec } from "./zab/wire.ts";
export { Zab } from "./zab/zab.ts";
export { compareZxids, type Zxid, zxidOf } from "./zab/zxid.ts";
