export {
  type CreateRaft,
  firstLeader,
  type RaftHistory,
  raftModel,
  type RaftParameters,
} from "./raft.ts";
export { twoPhaseModel, type TwoPhaseParameters } from "./two-phase.ts";
export { type CheckableModel, MODELS, type RunOptions, type Settings } from "./catalogue.ts";
