export { EtcdServer, type EtcdServerOptions } from "./gateway/server.ts";
export { type ChangeMembers, type MemberProblem } from "./gateway/cluster.ts";
export { type MemberUrls } from "./gateway/members.ts";
export { type ChangeQuery, type Changes, type Event } from "./store/changes.ts";
export {
  checkDeleteRange,
  checkLeaseTtl,
  checkPut,
  checkRange,
  checkTxn,
  isReadOnly,
  MAX_LEASE_TTL,
  MAX_TXN_OPS,
} from "./store/check.ts";
export {
  expireCommand,
  keepAliveCommand,
  type LeaseExpiry,
  requestCommand,
  type RequestKind,
} from "./store/commands.ts";
export { type Failure, type FailureName, FAILURES } from "./store/errors.ts";
export { type HashResult } from "./store/hash.ts";
export { type RangeResult } from "./store/range.ts";
export {
  type DeleteRangeResult,
  type EtcdResult,
  type OpResult,
  type PutResult,
  type TxnResult,
} from "./store/results.ts";
export { EtcdStore, type LeaseInfo, type StoreSizes } from "./store/store.ts";
export { type Binary, binaryOf, bytesOf, NO_END, prefixEnd } from "./wire/binary.ts";
