export { HistoryError, type HistoryFault, type Place } from "./errors.ts";
export {
  type Limits,
  LIMITS,
  type Operation,
  readHistory,
  type Request,
  type Status,
  type Timing,
} from "./history.ts";
export { type Finding, judge, judgeCalls, type JudgeOptions, type Verdict } from "./judge.ts";
export type { Call, Model, Traits } from "./model.ts";
export { counter, type CounterOp } from "./models/counter.ts";
export {
  type Content,
  contentOf,
  keyValue,
  type KeyValueOp,
  type Value,
} from "./models/key-value.ts";
export { lock, type LockOp } from "./models/lock.ts";
export { queue, type QueueOp } from "./models/queue.ts";
export { register, type RegisterOp } from "./models/register.ts";
export { type Answer, Recorder, type Token } from "./recorder.ts";
