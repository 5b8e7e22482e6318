/** The conditions of transactions. */

import { type Compare, COMPARE_RESULT, COMPARE_TARGET, type KeyValue } from "../wire/kv.ts";
import { type Keyspace } from "./keyspace.ts";
import { compareBytes, endOf } from "./range.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** What a missing key compares as. */
const ABSENT: KeyValue = {
  key: "",
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: NOTHING,
  lease: "",
};

/** Whether a condition holds now: for a range, whether it holds for every key in it. */
export function holds(keyspace: Keyspace, condition: Compare): boolean {
  const { key, rangeEnd } = condition;
  const absent = (): boolean =>
    // There is no way to say "no value", so nothing compares with it.
    condition.target !== COMPARE_TARGET.value && holdsFor(condition, ABSENT);
  if (rangeEnd === "") {
    const entry = keyspace.living(key);
    if (entry === undefined) return absent();
    return holdsFor(condition, keyspace.keyValueAt(entry));
  }
  let keys = 0;
  let all = true;
  keyspace.tree.scan(key, endOf(rangeEnd), (entry) => {
    if (!entry.alive) return true;
    keys++;
    all = holdsFor(condition, keyspace.keyValueAt(entry));
    return all;
  });
  return keys > 0 ? all : absent();
}

function holdsFor(condition: Compare, kv: KeyValue): boolean {
  const order = orderOf(condition, kv);
  switch (condition.result) {
    case COMPARE_RESULT.equal:
      return order === 0;
    case COMPARE_RESULT.greater:
      return order > 0;
    case COMPARE_RESULT.less:
      return order < 0;
    case COMPARE_RESULT.notEqual:
      return order !== 0;
    default:
      // A relation of a later version of the API. etcd lets it hold.
      return true;
  }
}

/** How the key compares with the operand; one of another kind than the target counts as 0. */
function orderOf(condition: Compare, kv: KeyValue): number {
  const { target, operand } = condition;
  switch (target) {
    case COMPARE_TARGET.version:
      return kv.version - (operand?.type === "version" ? operand.version : 0);
    case COMPARE_TARGET.create:
      return kv.createRevision - (operand?.type === "createRevision" ? operand.createRevision : 0);
    case COMPARE_TARGET.mod:
      return kv.modRevision - (operand?.type === "modRevision" ? operand.modRevision : 0);
    case COMPARE_TARGET.value:
      return compareBytes(kv.value, operand?.type === "value" ? operand.value : NOTHING);
    case COMPARE_TARGET.lease:
      return compareIds(kv.lease, operand?.type === "lease" ? operand.lease : "");
    default:
      return 0;
  }
}

/** Orders hexadecimal ids as signed 64-bit integers. */
function compareIds(a: string, b: string): number {
  const negative = isNegative(a);
  if (negative !== isNegative(b)) return negative ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isNegative(id: string): boolean {
  return id.length === 16 && id >= "8";
}
