export type {
  AtomicCommit,
  CommitOutput,
  CommitRequest,
  CommitResponse,
  CommitWords,
  Outcome,
  TxId,
} from "./atomic-commit.ts";
export { parseTxId, txId, type TxName } from "./tx-id.ts";
export { TWO_PHASE_DEFAULTS, type TwoPhaseConfig } from "./two-phase/config.ts";
export type {
  Message as TwoPhaseMessage,
  Note as TwoPhaseNote,
  Record as TwoPhaseRecord,
  Timer as TwoPhaseTimer,
  TwoPhaseWords,
} from "./two-phase/messages.ts";
export { TwoPhaseCommit } from "./two-phase/two-phase-commit.ts";
export {
  messageCodec as twoPhaseMessageCodec,
  recordCodec as twoPhaseRecordCodec,
} from "./two-phase/wire.ts";
