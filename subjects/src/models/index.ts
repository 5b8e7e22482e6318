export { type CreateRaft, type RaftHistory, raftModel, type RaftParameters } from "./raft.ts";
export { twoPhaseModel, type TwoPhaseParameters } from "./two-phase.ts";
