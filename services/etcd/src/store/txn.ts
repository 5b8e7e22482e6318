/**
 * Transactions: which way every one of them goes is fixed by the state before
 * the first operation, nested ones included; then everything that could be
 * refused is looked at; only then is anything written.
 *
 * The middle step runs on all members alike. (In etcd up to 3.6 only the member
 * that answers refuses a transaction that reads a future revision behind a put;
 * the others apply the put.)
 */

import { type RequestOp, type TxnRequest } from "../wire/kv.ts";
import { holds } from "./compare.ts";
import { type Failure } from "./errors.ts";
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

/** Runs a transaction that passed {@link checkTxn}. Does not commit. */
export function transact(keyspace: Keyspace, request: TxnRequest): TxnResult | Failure {
  const path = pathOf(keyspace, request);
  const refused = refusePuts(keyspace, path) ?? refuseRanges(keyspace, path);
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

function refusePuts(keyspace: Keyspace, path: Path): Failure | undefined {
  let next = 0;
  for (const op of path.ops) {
    let refused: Failure | undefined;
    if (op.type === "put") refused = refusePut(keyspace, op.put);
    else if (op.type === "txn") refused = refusePuts(keyspace, path.nested[next++]!);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseRanges(keyspace: Keyspace, path: Path): Failure | undefined {
  let next = 0;
  for (const op of path.ops) {
    let refused: Failure | undefined;
    if (op.type === "range") refused = checkRevision(keyspace, op.range.revision);
    else if (op.type === "txn") refused = refuseRanges(keyspace, path.nested[next++]!);
    if (refused !== undefined) return refused;
  }
  return undefined;
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
        break;
    }
  }
  return responses;
}
