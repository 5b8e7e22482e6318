export type {
  Broken,
  Bug,
  Claim,
  Cluster,
  Mark,
  Parameter,
  Parameters,
  Settings,
  Settled,
  Subject,
  Tolerance,
  Witness,
  Words,
  World,
} from "./subject.ts";
export { Simulation, type SimulationOptions } from "./simulator/simulation.ts";
export type { Language } from "./transcript/language.ts";
export { replay, type Replayed, ScriptError } from "./transcript/replay.ts";
