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
export {
  type Anomaly,
  type CycleAnomaly,
  type IsolationVerdict,
  judgeIsolation,
  type Level,
} from "./isolation/isolation.ts";
export {
  type Element,
  type ListKey,
  type MicroOperation,
  readTransactions,
  type Transaction,
} from "./isolation/transactions.ts";
export type { ReadAnomaly } from "./isolation/versions.ts";
export { judgeSequential, type SequentialOptions, type SequentialVerdict } from "./sequential.ts";
export {
  type Guarantee,
  judgeSessions,
  type SessionFinding,
  type SessionVerdict,
} from "./sessions.ts";
