export { Simulation, type SimulationOptions } from "./simulation.ts";
export type { Language } from "./transcript/language.ts";
export { replay, type Replayed, ScriptError } from "./transcript/replay.ts";
