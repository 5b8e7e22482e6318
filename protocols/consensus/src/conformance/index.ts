export {
  type Account,
  compare,
  type Contestant,
  contestant,
  workload,
  type Workload,
} from "./differential.ts";
export { Ledger } from "./ledger.ts";
export type { Scene } from "./scene.ts";
export { conformance } from "./suite.ts";
export {
  type Claims,
  type Conditions,
  type Engine,
  type MakeWorld,
  Violation,
  type World,
  type WorldOptions,
} from "./world.ts";
