/**
 * Transactions: which way every one of them goes is fixed by the state before
 * the first operation, nested ones included; then everything that could be
 * refused is looked at; only then is anything written.
 *
 * The middle step runs on all members alike. (In etcd up to 3.6 only the member
 * that answers refuses a transaction that reads a future revision behind a put;
 * the others apply the put.)
 */

import { unreachable } from "@quorate/kernel";
import { type Binary, NO_END } from "../wire/binary.ts";
import { type RequestOp, type TxnRequest } from "../wire/kv.ts";
import { holds } from "./compare.ts";
import { type Failure, FAILURES } from "./errors.ts";
import { type Keyspace } from "./keyspace.ts";
import { deleteRange, put, refusePut } from "./operations.ts";
import { checkRevision, range } from "./range.ts";
import { type OpResult, type TxnResult } from "./results.ts";

/** A transaction whose way is known. */
interface Path {
  readonly succeeded: boolean;
  readonly ops: readonly RequestOp[];
  /** The paths of the transactions among `ops`, in their order. */
  readonly nested: readonly Path[];
}

/**
 * Where a deletion without end has emptied the key space. The check for keys
 * both put and deleted does not see such deletions, as it does not in etcd; a
 * put behind one that keeps the old value has none to keep. (etcd 3.4 panics on
 * it, on every member and again at every restart.)
 */
interface Emptied {
  from: Binary | undefined;
}

/** Runs a transaction that passed {@link checkTxn}. Does not commit. */
export function transact(keyspace: Keyspace, request: TxnRequest): TxnResult | Failure {
  const path = pathOf(keyspace, request);
  const refused = refusePuts(keyspace, path, { from: undefined }) ?? refuseRanges(keyspace, path);
  if (refused !== undefined) return refused;
  const responses = run(keyspace, path);
  const { succeeded } = path;
  return { type: "txn", revision: keyspace.currentRevision, succeeded, responses };
}

function pathOf(keyspace: Keyspace, request: TxnRequest): Path {
  let succeeded = true;
  for (const condition of request.compare) {
    if (holds(keyspace, condition)) continue;
    succeeded = false;
    break;
  }
  const ops = succeeded ? request.success : request.failure;
  const nested: Path[] = [];
  for (const op of ops) if (op.type === "txn") nested.push(pathOf(keyspace, op.txn));
  return { succeeded, ops, nested };
}

/**
 * Looks at the puts on a path in their order.
 * @param emptied - Keys from here on will have been deleted.
 */
function refusePuts(keyspace: Keyspace, path: Path, emptied: Emptied): Failure | undefined {
  let next = 0;
  for (const op of path.ops) {
    let refused: Failure | undefined;
    if (op.type === "put") {
      refused = refusePut(keyspace, op.put);
      const keeps = op.put.ignoreValue || op.put.ignoreLease;
      if (keeps && emptied.from !== undefined && op.put.key >= emptied.from) {
        refused ??= FAILURES.keyNotFound;
      }
    } else if (op.type === "txn") {
      refused = refusePuts(keyspace, path.nested[next++]!, emptied);
    } else if (op.type === "deleteRange" && op.deleteRange.rangeEnd === NO_END) {
      const { key } = op.deleteRange;
      if (emptied.from === undefined || key < emptied.from) emptied.from = key;
    }
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseRanges(keyspace: Keyspace, path: Path): Failure | undefined {
  let next = 0;
  for (const op of path.ops) {
    let refused: Failure | undefined;
    if (op.type === "range") refused = refuseRange(keyspace, op.range.revision);
    else if (op.type === "txn") refused = refuseRanges(keyspace, path.nested[next++]!);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** In a transaction, unlike alone, a negative revision does not stand for the current one. */
function refuseRange(keyspace: Keyspace, revision: number): Failure | undefined {
  if (revision < 0 && revision < keyspace.compactRevision) return FAILURES.compacted;
  return checkRevision(keyspace, revision);
}

function run(keyspace: Keyspace, path: Path): OpResult[] {
  const responses: OpResult[] = [];
  let next = 0;
  for (const op of path.ops) {
    switch (op.type) {
      case "range": {
        const result = range(keyspace, op.range);
        if (result.type === "range") responses.push(result);
        break;
      }
      case "put":
        responses.push(put(keyspace, op.put));
        break;
      case "deleteRange":
        responses.push(deleteRange(keyspace, op.deleteRange));
        break;
      case "txn": {
        const nested = path.nested[next++]!;
        const { succeeded } = nested;
        responses.push({ type: "txn", revision: 0, succeeded, responses: run(keyspace, nested) });
        break;
      }
      case "none":
        break;
      default:
        unreachable(op);
    }
  }
  return responses;
}
