export {
  type CreateRaft,
  firstLeader,
  type RaftHistory,
  raftModel,
  type RaftParameters,
} from "./raft.ts";
export { twoPhaseModel, type TwoPhaseParameters } from "./two-phase.ts";
export { type CheckableModel, MODELS, type RunOptions, type Settings } from "./catalogue.ts";
export { type Hunt, type Hunted, huntRaft, RAFT_HUNTS } from "./raft-hunts.ts";
export { synodModel, type SynodParameters } from "./synod.ts";
export { huntPlanted, PLANTED, type PlantedVerdict } from "./planted.ts";
