/**
 * Who must come before whom, and why: the edges of the direct serialization graph
 * (Adya 1999, §4.4), and those of real time.
 */

import { type Append, type List, type Observed } from "./versions.ts";
import { type Element, nameOf, type Transaction } from "./transactions.ts";

/**
 * - `ww`: the second overwrote, here appended after, the first.
 * - `wr`: the second read what the first appended.
 * - `rw`: the first read a list that the second then appended to.
 * - `rt`: the first had returned before the second was called.
 */
export type Dependency = "ww" | "wr" | "rw" | "rt";

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly type: Dependency;
  /** In words: why. */
  readonly because: string;
}

/** All edges between transactions that took place. */
export function dependencies(
  transactions: readonly Transaction[],
  { lists, committed }: Observed,
): readonly Edge[] {
  const edges: Edge[] = [];
  const add = (
    from: number | undefined,
    to: number | undefined,
    type: Dependency,
    because: string,
  ): void => {
    if (from === undefined || to === undefined || from === to) return;
    if (committed.has(from) && committed.has(to)) edges.push({ from, to, type, because });
  };
  for (const list of lists.values()) listEdges(list, committed, add);
  for (const [from, to] of realTime(transactions))
    add(from, to, "rt", "had returned before it was called");
  return edges;
}

type Add = (
  from: number | undefined,
  to: number | undefined,
  type: Dependency,
  because: string,
) => void;

function listEdges(list: List, committed: ReadonlySet<number>, add: Add): void {
  const { key, order, appends, reads } = list;
  const writerOf = (element: Element | undefined): number | undefined =>
    element === undefined ? undefined : appends.get(nameOf(element))?.transaction;
  for (let i = 1; i < order.length; i++) {
    const because = `${text(key)}: ${text(order[i - 1])}, then ${text(order[i])}`;
    add(writerOf(order[i - 1]), writerOf(order[i]), "ww", because);
  }
  // What nobody has read comes after all that somebody has.
  const read = new Set(order.map(nameOf));
  const unread = [...appends.values()].filter(
    ({ element, transaction }) => !read.has(nameOf(element)) && committed.has(transaction),
  );
  for (const { transaction, element } of unread) {
    const last = order.at(-1);
    add(writerOf(last), transaction, "ww", `${text(key)}: ${text(last)}, then ${text(element)}`);
  }
  for (const { transaction, length } of reads) {
    const last = length === 0 ? undefined : order[length - 1];
    add(writerOf(last), transaction, "wr", `${text(key)}: read up to ${text(last)}`);
    for (const append of nextAppends(list, length, unread)) {
      const because = `${text(key)}: read without ${text(append.element)}`;
      add(transaction, append.transaction, "rw", because);
    }
  }
}

/** Those that a read of so many elements comes directly before. */
function nextAppends(
  { order, appends }: List,
  length: number,
  unread: readonly Append[],
): readonly Append[] {
  if (length === order.length) return unread;
  const next = appends.get(nameOf(order[length]!));
  return next === undefined ? [] : [next];
}

/** The least pairs from which all others follow: each call is linked to the latest returns before it. */
function realTime(transactions: readonly Transaction[]): readonly (readonly [number, number])[] {
  const moments: { readonly time: number; readonly isReturn: boolean; readonly index: number }[] =
    [];
  for (const [index, { call, ret, status }] of transactions.entries()) {
    if (status === "fail") continue;
    moments.push({ time: call, isReturn: false, index });
    if (ret === undefined || ret === null || status === "info") continue;
    moments.push({ time: ret, isReturn: true, index });
  }
  // At equal times calls come first: closed intervals overlap.
  moments.sort((a, b) => a.time - b.time || Number(a.isReturn) - Number(b.isReturn));
  const pairs: [number, number][] = [];
  let latest: readonly number[] = [];
  for (const { isReturn, index } of moments) {
    if (!isReturn) for (const before of latest) pairs.push([before, index]);
    else {
      const { call } = transactions[index]!;
      latest = [...latest.filter((other) => transactions[other]!.ret! >= call), index];
    }
  }
  return pairs;
}

function text(value: Element | undefined): string {
  return String(value);
}
