/** The errors that the store answers with: gRPC code and text as etcd's clients match them. */

/** An expected refusal. Nothing was changed. */
export interface Failure {
  readonly type: "error";
  /** gRPC status code. */
  readonly code: number;
  readonly message: string;
}

function failure(code: number, text: string): Failure {
  return Object.freeze({ type: "error", code, message: `etcdserver: ${text}` });
}

const INVALID = 3;
const NOT_FOUND = 5;
const EXHAUSTED = 8;
const PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const INTERNAL = 13;

/** Names of the refusals. */
export type FailureName =
  | "emptyKey"
  | "keyNotFound"
  | "valueProvided"
  | "leaseProvided"
  | "tooManyOperations"
  | "duplicateKey"
  | "compacted"
  | "futureRevision"
  | "leaseTtlTooLarge"
  | "leaseNotFound"
  | "leaseExists"
  | "noSpace"
  | "malformed";

/** Every refusal by name. */
export const FAILURES: Readonly<Record<FailureName, Failure>> = {
  emptyKey: failure(INVALID, "key is not provided"),
  keyNotFound: failure(INVALID, "key not found"),
  valueProvided: failure(INVALID, "value is provided"),
  leaseProvided: failure(INVALID, "lease is provided"),
  tooManyOperations: failure(INVALID, "too many operations in txn request"),
  duplicateKey: failure(INVALID, "duplicate key given in txn request"),
  compacted: failure(OUT_OF_RANGE, "mvcc: required revision has been compacted"),
  futureRevision: failure(OUT_OF_RANGE, "mvcc: required revision is a future revision"),
  leaseTtlTooLarge: failure(OUT_OF_RANGE, "too large lease TTL"),
  leaseNotFound: failure(NOT_FOUND, "requested lease not found"),
  leaseExists: failure(PRECONDITION, "lease already exists"),
  noSpace: failure(EXHAUSTED, "mvcc: database space exceeded"),
  malformed: failure(INTERNAL, "malformed command"),
};
