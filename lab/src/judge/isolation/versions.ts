/**
 * What the lists that were read tell: the order in which elements were appended
 * to each list, who appended them, and what is wrong with single reads whatever
 * the order of transactions (Adya 1999; Kingsbury & Alvaro, *Elle*, 2020, §4).
 */

import {
  type Element,
  type ListKey,
  type MicroOperation,
  nameOf,
  statusOf,
  type Transaction,
} from "./transactions.ts";

export type ReadAnomaly =
  /** An element that an aborted transaction appended was read. */
  | "G1a"
  /** A list was read in the middle of another transaction. */
  | "G1b"
  /** A transaction did not see what it had done itself. */
  | "internal"
  /** An element is twice in a list. */
  | "duplicate"
  /** An element was read that nobody appended. */
  | "garbage"
  /** Two reads of a list disagree on its order. */
  | "incompatible-order";

interface ReadFinding {
  readonly type: ReadAnomaly;
  /** Transactions by index: the one that read, then the one it read from if that matters. */
  readonly transactions: readonly number[];
  readonly key: ListKey;
  readonly text: string;
}

/** Who appended an element. */
export interface Append {
  readonly transaction: number;
  readonly element: Element;
  /** It is the transaction's last append to that list. */
  readonly final: boolean;
}

/** What is known of one list. */
export interface List {
  readonly key: ListKey;
  /** The longest order that was read. */
  order: readonly Element[];
  /** By name of an element. */
  readonly appends: Map<string, Append>;
  /** Reads by transactions that committed: how much of the order they saw. */
  readonly reads: { readonly transaction: number; readonly length: number }[];
}

export interface Observed {
  readonly lists: ReadonlyMap<string, List>;
  readonly findings: readonly ReadFinding[];
  /** Transactions that took place: those that returned, and those that somebody saw the effects of. */
  readonly committed: ReadonlySet<number>;
}

export function observe(transactions: readonly Transaction[]): Observed {
  const lists = new Map<string, List>();
  const findings: ReadFinding[] = [];
  const listOf = (key: ListKey): List => {
    const name = nameOf(key);
    let list = lists.get(name);
    if (list === undefined)
      lists.set(name, (list = { key, order: [], appends: new Map(), reads: [] }));
    return list;
  };
  for (const [index, { value }] of transactions.entries()) noteAppends(value, index, listOf);
  for (const [index, transaction] of transactions.entries()) {
    if (statusOf(transaction) !== "ok") continue;
    findings.push(...internal(transaction.value, index));
    for (const [type, key, read] of transaction.value) {
      if (type === "r") findings.push(...take(listOf(key), read ?? [], index, transactions));
    }
  }
  return { lists, findings, committed: committedOf(transactions, lists) };
}

function noteAppends(
  steps: readonly MicroOperation[],
  transaction: number,
  listOf: (key: ListKey) => List,
): void {
  const last = new Map<string, number>();
  for (const [at, [type, key]] of steps.entries()) if (type === "append") last.set(nameOf(key), at);
  for (const [at, [type, key, element]] of steps.entries()) {
    if (type !== "append") continue;
    const final = last.get(nameOf(key)) === at;
    listOf(key).appends.set(nameOf(element), { transaction, element, final });
  }
}

/** Holds one read against all that is known of its list. */
function take(
  list: List,
  read: readonly Element[],
  reader: number,
  transactions: readonly Transaction[],
): readonly ReadFinding[] {
  const { key } = list;
  const findings: ReadFinding[] = [];
  const found = (type: ReadAnomaly, others: readonly number[], text: string): void => {
    findings.push({ type, transactions: [reader, ...others], key, text });
  };
  if (new Set(read.map(nameOf)).size < read.length) {
    found("duplicate", [], `an element is twice in ${JSON.stringify(read)}`);
    return findings;
  }
  for (const element of read) {
    const append = list.appends.get(nameOf(element));
    if (append === undefined) found("garbage", [], `nobody appended ${String(element)}`);
    else if (statusOf(transactions[append.transaction]!) === "fail") {
      found(
        "G1a",
        [append.transaction],
        `${String(element)} was appended by an aborted transaction`,
      );
    }
  }
  const last = read.length === 0 ? undefined : list.appends.get(nameOf(read.at(-1)!));
  if (last !== undefined && !last.final && last.transaction !== reader) {
    const text = `${String(last.element)} was not the last that its transaction appended`;
    found("G1b", [last.transaction], text);
  }
  const shorter = Math.min(read.length, list.order.length);
  const agrees = read.slice(0, shorter).every((element, i) => element === list.order[i]);
  if (!agrees) {
    const text = `${JSON.stringify(read)} and ${JSON.stringify(list.order)}`;
    found("incompatible-order", [], `no list begins with both ${text}`);
    return findings;
  }
  if (read.length > list.order.length) list.order = read;
  list.reads.push({ transaction: reader, length: read.length });
  return findings;
}

/** A transaction sees what it read before and what it has appended since. */
function internal(steps: readonly MicroOperation[], reader: number): readonly ReadFinding[] {
  const findings: ReadFinding[] = [];
  /** By list: what is known of it so far; `whole` if it was read and not only appended to. */
  const known = new Map<string, { whole: boolean; elements: Element[] }>();
  for (const [type, key, value] of steps) {
    const name = nameOf(key);
    const before = known.get(name);
    if (type === "append") {
      if (before === undefined) known.set(name, { whole: false, elements: [value] });
      else before.elements.push(value);
      continue;
    }
    const read = value ?? [];
    const wanted = before?.elements ?? [];
    const tail = read.slice(read.length - wanted.length);
    const lengthFits =
      before?.whole === true ? read.length === wanted.length : read.length >= wanted.length;
    if (!lengthFits || !wanted.every((element, i) => element === tail[i])) {
      const text = `it read ${JSON.stringify(read)} after ${JSON.stringify(wanted)}`;
      findings.push({ type: "internal", transactions: [reader], key, text });
    }
    known.set(name, { whole: true, elements: [...read] });
  }
  return findings;
}

function committedOf(
  transactions: readonly Transaction[],
  lists: ReadonlyMap<string, List>,
): ReadonlySet<number> {
  const committed = new Set<number>();
  for (const [index, one] of transactions.entries())
    if (statusOf(one) === "ok") committed.add(index);
  for (const { order, appends } of lists.values()) {
    for (const element of order) {
      const append = appends.get(nameOf(element));
      if (append !== undefined) committed.add(append.transaction);
    }
  }
  return committed;
}
