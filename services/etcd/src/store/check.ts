/**
 * What can be said of a request without looking at the store. Gateways ask
 * before they propose, so that nonsense costs no consensus; the store asks
 * again, so that it can apply whatever it is given.
 */

import { unreachable } from "@quorate/kernel";
import { type Binary } from "../wire/binary.ts";
import {
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "../wire/kv.ts";
import { type Failure, FAILURES } from "./errors.ts";

/** How many operations etcd allows in a transaction unless told otherwise. */
export const MAX_TXN_OPS = 128;

/** Seconds that no lease may exceed. */
export const MAX_LEASE_TTL = 9_000_000_000;

export function checkRange(request: RangeRequest): Failure | undefined {
  return request.key === "" ? FAILURES.emptyKey : undefined;
}

export function checkPut(request: PutRequest): Failure | undefined {
  if (request.key === "") return FAILURES.emptyKey;
  if (request.ignoreValue && request.value.length > 0) return FAILURES.valueProvided;
  if (request.ignoreLease && request.lease !== "") return FAILURES.leaseProvided;
  return undefined;
}

export function checkDeleteRange(request: DeleteRangeRequest): Failure | undefined {
  return request.key === "" ? FAILURES.emptyKey : undefined;
}

export function checkLeaseTtl(ttl: number): Failure | undefined {
  return ttl > MAX_LEASE_TTL ? FAILURES.leaseTtlTooLarge : undefined;
}

/**
 * Checks a transaction and all within it.
 * @param maxOps - How many comparisons, and how many operations in a branch,
 *   there may be. A nested transaction may have as many as its parent left over.
 */
export function checkTxn(request: TxnRequest, maxOps: number = MAX_TXN_OPS): Failure | undefined {
  return (
    checkShape(request, maxOps) ?? checkBranch(request.success) ?? checkBranch(request.failure)
  );
}

/** Whether a transaction, nested ones included, can change nothing. */
export function isReadOnly(request: TxnRequest): boolean {
  return request.success.every(readsOnly) && request.failure.every(readsOnly);
}

function readsOnly(op: RequestOp): boolean {
  return op.type === "range" || (op.type === "txn" && isReadOnly(op.txn));
}

/** Whether a transaction, nested ones included, may add to the store. */
export function canPut(request: TxnRequest): boolean {
  return request.success.some(puts) || request.failure.some(puts);
}

function puts(op: RequestOp): boolean {
  return op.type === "put" || (op.type === "txn" && canPut(op.txn));
}

function checkShape(request: TxnRequest, maxOps: number): Failure | undefined {
  const { compare, success, failure } = request;
  const most = Math.max(compare.length, success.length, failure.length);
  if (most > maxOps) return FAILURES.tooManyOperations;
  for (const { key } of compare) if (key === "") return FAILURES.emptyKey;
  for (const op of success) {
    const refused = checkOp(op, maxOps - most);
    if (refused !== undefined) return refused;
  }
  for (const op of failure) {
    const refused = checkOp(op, maxOps - most);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function checkOp(op: RequestOp, maxOps: number): Failure | undefined {
  switch (op.type) {
    case "range":
      return checkRange(op.range);
    case "put":
      return checkPut(op.put);
    case "deleteRange":
      return checkDeleteRange(op.deleteRange);
    case "txn":
      return checkShape(op.txn, maxOps);
    case "none":
      return FAILURES.keyNotFound;
    default:
      return unreachable(op);
  }
}

function checkBranch(ops: readonly RequestOp[]): Failure | undefined {
  // A branch of one operation cannot contradict itself, nor can one without puts.
  if (ops.length === 1 && ops[0]!.type !== "txn") return undefined;
  return touchedBy(ops) === undefined ? FAILURES.duplicateKey : undefined;
}

/** Keys put and ranges deleted by one branch and all below it. */
interface Touched {
  readonly puts: Set<Binary>;
  readonly deletions: [from: Binary, end: Binary][];
}

/** What a branch touches, or `undefined` if it puts a key twice or puts what it deletes. */
function touchedBy(ops: readonly RequestOp[]): Touched | undefined {
  const puts = new Set<Binary>();
  const deletions: [Binary, Binary][] = [];
  for (const op of ops) {
    if (op.type !== "deleteRange") continue;
    const { key, rangeEnd } = op.deleteRange;
    // As in etcd an end of "\0" makes an interval that nothing falls into, so
    // that "delete all from here, then put" is a transaction one can ask for.
    deletions.push([key, rangeEnd === "" ? `${key}\0` : rangeEnd]);
  }
  for (const op of ops) {
    if (op.type !== "txn") continue;
    const success = touchedBy(op.txn.success);
    const failure = touchedBy(op.txn.failure);
    if (success === undefined || failure === undefined) return undefined;
    for (const key of success.puts) if (puts.has(key) || deletes(deletions, key)) return undefined;
    for (const key of failure.puts) if (puts.has(key) || deletes(deletions, key)) return undefined;
    for (const key of success.puts) puts.add(key);
    for (const key of failure.puts) puts.add(key);
    for (const range of success.deletions) deletions.push(range);
    for (const range of failure.deletions) deletions.push(range);
  }
  for (const op of ops) {
    if (op.type !== "put") continue;
    const { key } = op.put;
    if (puts.has(key) || deletes(deletions, key)) return undefined;
    puts.add(key);
  }
  return { puts, deletions };
}

function deletes(deletions: readonly [Binary, Binary][], key: Binary): boolean {
  for (const [from, end] of deletions) if (from <= key && key < end) return true;
  return false;
}
