/** Reading keys: one, a range, or a count, now or at an earlier revision. */

import { type Binary } from "../wire/binary.ts";
import { type KeyValue, type RangeRequest, SORT_ORDER, SORT_TARGET } from "../wire/kv.ts";
import { type Entry } from "./entry.ts";
import { type Failure, FAILURES } from "./errors.ts";
import { type Keyspace } from "./keyspace.ts";

/** What a range request is answered with. */
export interface RangeResult {
  readonly type: "range";
  /** Current revision of the store, whatever revision was read. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** Whether `limit` cut the answer. */
  readonly more: boolean;
  /** Keys in the range, before filters and limit. */
  readonly count: number;
}

const NONE: readonly KeyValue[] = [];

/**
 * The end of a range as the tree takes it.
 * @returns `undefined` for no end.
 */
export function endOf(rangeEnd: Binary): Binary | undefined {
  return rangeEnd === "\0" ? undefined : rangeEnd;
}

/** Refuses a revision that cannot be read at present. */
export function checkRevision(keyspace: Keyspace, revision: number): Failure | undefined {
  if (revision <= 0) return undefined;
  if (revision > keyspace.currentRevision) return FAILURES.futureRevision;
  if (revision < keyspace.compactRevision) return FAILURES.compacted;
  return undefined;
}

/** Answers a range request. Within a command it sees what the command has done so far. */
export function range(keyspace: Keyspace, request: RangeRequest): RangeResult | Failure {
  const refused = checkRevision(keyspace, request.revision);
  if (refused !== undefined) return refused;
  const revision = keyspace.currentRevision;
  const past = request.revision > 0 && request.revision < revision;
  if (request.rangeEnd === "" && !past) return single(keyspace, request, revision);
  if (request.countOnly) {
    const count = past ? countAt(keyspace, request) : countNow(keyspace, request);
    return { type: "range", revision, kvs: NONE, more: false, count };
  }
  const limit = request.limit > 0 ? request.limit : Infinity;
  const sorted = sorts(request);
  const whole = request.sortOrder !== SORT_ORDER.none || filters(request);
  // Asked to sort by something else than keys, but in no order, etcd sorts the
  // first `limit + 1` keys, not the range. So do we.
  const fetched = whole ? Infinity : limit + 1;
  const found = past
    ? collectAt(keyspace, request, fetched)
    : collectNow(keyspace, request, fetched);
  let { kvs } = found;
  if (filters(request)) kvs = kvs.filter((kv) => passes(request, kv));
  if (sorted) sort(request, kvs);
  const more = kvs.length > limit;
  if (more) kvs.length = limit;
  if (sorted && request.keysOnly) kvs = kvs.map(withoutValue);
  return { type: "range", revision, kvs, more, count: found.count };
}

/** One key, now: by far the most frequent request. */
function single(keyspace: Keyspace, request: RangeRequest, revision: number): RangeResult {
  const entry = keyspace.living(request.key);
  if (entry === undefined) return { type: "range", revision, kvs: NONE, more: false, count: 0 };
  if (request.countOnly) return { type: "range", revision, kvs: NONE, more: false, count: 1 };
  const kv = keyspace.keyValueAt(entry, request.keysOnly);
  const kvs = !filters(request) || passes(request, kv) ? [kv] : NONE;
  return { type: "range", revision, kvs, more: false, count: 1 };
}

function countNow(keyspace: Keyspace, request: RangeRequest): number {
  const { key } = request;
  const end = endOf(request.rangeEnd);
  const { tree } = keyspace;
  const before = tree.rank(key);
  return Math.max(0, (end === undefined ? tree.live : tree.rank(end)) - before);
}

function collectNow(
  keyspace: Keyspace,
  request: RangeRequest,
  limit: number,
): { kvs: KeyValue[]; count: number } {
  const kvs: KeyValue[] = [];
  const keysOnly = request.keysOnly && !sorts(request);
  keyspace.tree.scan(request.key, endOf(request.rangeEnd), (entry) => {
    if (!entry.alive) return true;
    if (kvs.length === limit) return false;
    kvs.push(keyspace.keyValueAt(entry, keysOnly));
    return true;
  });
  const count = kvs.length < limit ? kvs.length : countNow(keyspace, request);
  return { kvs, count };
}

/** Calls `visit` with each key of the range that existed at the request's revision. */
function scanAt(
  keyspace: Keyspace,
  request: RangeRequest,
  visit: (entry: Entry, at: { segment: Entry["segment"]; slot: number }) => void,
): void {
  const { key, rangeEnd, revision } = request;
  // The least string greater than the key ends a range of one.
  const end = rangeEnd === "" ? `${key}\0` : endOf(rangeEnd);
  keyspace.tree.scan(key, end, (entry) => {
    const place = keyspace.log.newestAt(entry, revision);
    if (place !== undefined && place.segment.versionAt(place.slot) !== 0) visit(entry, place);
    return true;
  });
}

function countAt(keyspace: Keyspace, request: RangeRequest): number {
  let count = 0;
  scanAt(keyspace, request, () => count++);
  return count;
}

function collectAt(
  keyspace: Keyspace,
  request: RangeRequest,
  limit: number,
): { kvs: KeyValue[]; count: number } {
  const kvs: KeyValue[] = [];
  let count = 0;
  const keysOnly = request.keysOnly && !sorts(request);
  scanAt(keyspace, request, (_, place) => {
    count++;
    if (kvs.length < limit) kvs.push(keyspace.keyValueAt(place, keysOnly));
  });
  return { kvs, count };
}

/** Whether the answer is in another order than the tree's. */
function sorts(request: RangeRequest): boolean {
  return request.sortOrder !== SORT_ORDER.none || request.sortTarget !== SORT_TARGET.key;
}

function filters(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

function passes(request: RangeRequest, kv: KeyValue): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (maxModRevision !== 0 && kv.modRevision > maxModRevision) return false;
  if (minModRevision !== 0 && kv.modRevision < minModRevision) return false;
  if (maxCreateRevision !== 0 && kv.createRevision > maxCreateRevision) return false;
  return minCreateRevision === 0 || kv.createRevision >= minCreateRevision;
}

function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: kv.value.subarray(0, 0) };
}

/** Sorts in place what comes in key order. What is equal stays in key order. */
function sort(request: RangeRequest, kvs: KeyValue[]): void {
  const descending = request.sortOrder === SORT_ORDER.descend;
  const order = orderOf(request.sortTarget);
  if (order !== undefined) kvs.sort(descending ? (a, b) => order(b, a) : order);
  else if (descending) kvs.reverse();
}

function orderOf(target: number): ((a: KeyValue, b: KeyValue) => number) | undefined {
  switch (target) {
    case SORT_TARGET.version:
      return (a, b) => a.version - b.version;
    case SORT_TARGET.create:
      return (a, b) => a.createRevision - b.createRevision;
    case SORT_TARGET.mod:
      return (a, b) => a.modRevision - b.modRevision;
    case SORT_TARGET.value:
      return (a, b) => compareBytes(a.value, b.value);
    default:
      return undefined;
  }
}

/** Orders byte strings: negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
