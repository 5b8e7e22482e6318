export { type Case, ConformanceViolation, type Driver, type Seen, type World } from "./driver.ts";
export { conformance } from "./suite.ts";
export {
  letterCodec,
  lineCodec,
  type Program,
  programCodec,
  type ScriptWords,
  type Sighting,
  type Utterance,
  utteranceCodec,
} from "./script.ts";
