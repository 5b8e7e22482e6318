export { Careless, Hasty } from "./exam/careless.ts";
export { EXAM_BUDGET, examine, type ExamOptions, type Found, type Graded } from "./exam/exam.ts";
export type { Action, Outside } from "./run/action.ts";
export { actionText } from "./run/action.ts";
export { type FleetPlan, runOfSeed, Tally } from "./run/fleet.ts";
export { type Intervention, readToken, token } from "./run/intervention.ts";
export { RunDigest } from "./run/digest.ts";
export {
  BUDGET,
  type Finding,
  type Outcome,
  play,
  type PlayOptions,
  type Spectator,
} from "./run/play.ts";
export {
  decodeRun,
  encodeRun,
  LISTED,
  type Run,
  RunError,
  settingsOf,
  subjectOf,
} from "./run/run.ts";
export { SCENARIOS } from "./run/scenario.ts";
export { listed, shrink, type Shrunk, type ShrinkOptions } from "./run/shrink.ts";
export type { Substitute } from "./simulator/disk.ts";
export { Dice } from "./simulator/fates.ts";
export type { SimulationOptions } from "./simulator/options.ts";
export { Simulation } from "./simulator/simulation.ts";
export type { Observer } from "./simulator/observer.ts";
export { CALM, type Weather } from "./simulator/weather.ts";
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
export type { Language } from "./transcript/language.ts";
export { replay, type Replayed, ScriptError } from "./transcript/replay.ts";
export { type TextOptions, traceText } from "./trace/text.ts";
export { type Effect, type TraceEvent, Tracer } from "./trace/trace.ts";
export { bytesText, plainText } from "./words.ts";
