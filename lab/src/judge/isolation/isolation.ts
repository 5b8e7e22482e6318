/**
 * Tells which isolation level a history of transactions over lists cannot have
 * had (Kingsbury & Alvaro, *Elle*, 2020). What it reports did happen; it may miss
 * what nobody looked at, such as the order of elements that were never read.
 */

import type { Limits } from "../history.ts";
import { cycle, type Graph, graphOf, knots } from "./cycles.ts";
import { dependencies, type Dependency, type Edge } from "./dependencies.ts";
import { readTransactions, type Transaction } from "./transactions.ts";
import { observe, type ReadAnomaly } from "./versions.ts";

/**
 * Names of Adya's thesis. With `-realtime`: only because of when transactions ran.
 *
 * - `G0`: writes of two transactions are interleaved.
 * - `G1c`: information flows in a circle.
 * - `G-single`: one transaction missed what another did, and depends on it: read skew.
 * - `G2`: several missed what others did: write skew.
 */
export type CycleAnomaly = "G0" | "G1c" | "G-single" | "G2";

export interface Anomaly {
  readonly type: ReadAnomaly | CycleAnomaly | `${CycleAnomaly}-realtime`;
  /** Transactions by index, in the order of the cycle if it is one. */
  readonly transactions: readonly number[];
  /** One line for each of them. */
  readonly steps: readonly string[];
}

export interface IsolationVerdict {
  /** Nothing contradicts strict serializability, or something does. */
  readonly verdict: "strict-serializable" | "illegal";
  readonly anomalies: readonly Anomaly[];
  /** The weakest level that the anomalies rule out, and with it every stronger one. */
  readonly rulesOut: Level | undefined;
}

/** From the weakest on. */
export type Level =
  | "read-uncommitted"
  | "read-committed"
  | "snapshot-isolation"
  | "serializable"
  | "strict-serializable";

const LEVELS: readonly Level[] = [
  "read-uncommitted",
  "read-committed",
  "snapshot-isolation",
  "serializable",
  "strict-serializable",
];

/**
 * Judges a history of transactions.
 *
 * @throws HistoryError if it cannot be read.
 */
export function judgeIsolation(
  history: string | readonly Transaction[],
  limits?: Limits,
): IsolationVerdict {
  const transactions = readTransactions(history, limits);
  const observed = observe(transactions);
  const anomalies: Anomaly[] = observed.findings.map(({ type, transactions, text, key }) => ({
    type,
    transactions,
    steps: [`list ${key}: ${text}`],
  }));
  const edges = dependencies(transactions, observed);
  const data = graphOf(edges.filter(({ type }) => type !== "rt"));
  for (const knot of knots(data)) {
    const found = worst(data, knot, []);
    if (found !== undefined) anomalies.push(told(found.type, found.edges));
  }
  const cyclic = anomalies.some(
    ({ type }) => type.startsWith("G") && type !== "G1a" && type !== "G1b",
  );
  if (!cyclic) {
    const timed = graphOf(edges);
    for (const knot of knots(timed)) {
      const found = worst(timed, knot, ["rt"]);
      if (found !== undefined) anomalies.push(told(`${found.type}-realtime`, found.edges));
    }
  }
  const rulesOut = LEVELS.find((level) => anomalies.some(({ type }) => level === ruledOut(type)));
  const verdict = anomalies.length === 0 ? "strict-serializable" : "illegal";
  return { verdict, anomalies, rulesOut };
}

/** The worst kind of cycle in a knot. */
function worst(
  graph: Graph,
  knot: ReadonlySet<number>,
  also: readonly Dependency[],
): { readonly type: CycleAnomaly; readonly edges: readonly Edge[] } | undefined {
  const flow: readonly Dependency[] = ["ww", "wr", ...also];
  const kinds: readonly (readonly [CycleAnomaly, readonly Dependency[], readonly Dependency[]])[] =
    [
      ["G0", ["ww"], ["ww", ...also]],
      ["G1c", flow, flow],
      ["G-single", ["rw"], flow],
      ["G2", ["rw"], ["rw", ...flow]],
    ];
  for (const [type, first, then] of kinds) {
    const edges = cycle(graph, knot, first, then);
    if (edges !== undefined) return { type, edges };
  }
  return undefined;
}

function told(type: Anomaly["type"], edges: readonly Edge[]): Anomaly {
  return {
    type,
    transactions: edges.map(({ from }) => from),
    steps: edges.map(({ from, to, type, because }) => `${from} before ${to} (${type}): ${because}`),
  };
}

function ruledOut(type: Anomaly["type"]): Level {
  switch (type) {
    case "G0":
    case "duplicate":
    case "garbage":
    case "incompatible-order":
    case "internal":
      return "read-uncommitted";
    case "G1a":
    case "G1b":
    case "G1c":
      return "read-committed";
    case "G-single":
      return "snapshot-isolation";
    case "G2":
      return "serializable";
    default:
      return "strict-serializable";
  }
}
