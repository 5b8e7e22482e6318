/**
 * Session guarantees (Terry et al. 1994): what one client may rely on, whatever
 * the others see.
 *
 * Every value written must be a different one. What clients did then tells which
 * version of a key came before which: who wrote one after reading or writing
 * another puts it later; who reads one after another saw it later. If that goes
 * round in a circle, the guarantees that took part in it did not all hold.
 */

import { type Limits, LIMITS, type Operation, readHistory } from "./history.ts";
import { contentOf, type Value } from "./models/key-value.ts";

export type Guarantee =
  | "monotonic-reads"
  | "monotonic-writes"
  | "read-your-writes"
  | "writes-follow-reads";

export interface SessionFinding {
  readonly key: string;
  /** Those of which at least one did not hold; one only, in most cases. */
  readonly guarantees: readonly Guarantee[];
  /** Operations by index, two for each step of the circle: what came before, and what came after. */
  readonly operations: readonly (readonly [number, number])[];
}

export type SessionVerdict =
  | { readonly verdict: "guaranteed" }
  | { readonly verdict: "illegal"; readonly findings: readonly SessionFinding[] }
  /** A value was written twice to the key, or the key was appended to: versions cannot be told apart. */
  | { readonly verdict: "unknown"; readonly key: string };

interface Link {
  readonly from: string;
  readonly to: string;
  readonly guarantee: Guarantee | undefined;
  readonly operations: readonly [number, number];
}

/** What an operation did to its key: a version read or written. */
interface Touch {
  readonly index: number;
  readonly version: string;
  readonly wrote: boolean;
}

const ABSENT = nameOf(null);

/**
 * Judges a history of a key-value store, given as text or as parsed values.
 *
 * @throws HistoryError if it cannot be read.
 */
export function judgeSessions(
  history: string | readonly Operation[],
  limits: Limits = LIMITS,
): SessionVerdict {
  const operations = readHistory(history, limits);
  const keys = new Map<string, Map<string, Touch[]>>();
  const written = new Set<string>();
  const inTurn = [...operations.entries()].toSorted(([, a], [, b]) => a.call - b.call);
  for (const [index, operation] of inTurn) {
    const { key } = operation;
    if (operation.status === "fail") continue;
    if (operation.type === "append" || operation.type === "del") return { verdict: "unknown", key };
    const touches = touchesOf(operation, index);
    for (const { version, wrote } of touches) {
      if (!wrote) continue;
      const name = JSON.stringify([key, version]);
      if (written.has(name) || version === ABSENT) return { verdict: "unknown", key };
      written.add(name);
    }
    const sessions = keys.get(key) ?? new Map<string, Touch[]>();
    keys.set(key, sessions);
    const client = JSON.stringify(operation.client ?? null);
    sessions.set(client, [...(sessions.get(client) ?? []), ...touches]);
  }
  const findings = [...keys].flatMap(([key, sessions]) => findingOf(key, sessions) ?? []);
  return findings.length === 0 ? { verdict: "guaranteed" } : { verdict: "illegal", findings };
}

function touchesOf(operation: Operation, index: number): readonly Touch[] {
  const answered = operation.status !== "info" && (operation.ret ?? undefined) !== undefined;
  switch (operation.type) {
    case "get":
      if (!answered) return [];
      return [{ index, version: nameOf(operation.value ?? null), wrote: false }];
    case "put":
      return [{ index, version: nameOf(operation.value), wrote: true }];
    case "cas":
      if (operation.result !== true) return [];
      return [
        { index, version: nameOf(operation.from), wrote: false },
        { index, version: nameOf(operation.to), wrote: true },
      ];
    default:
      return [];
  }
}

function nameOf(value: Value): string {
  return contentOf(value).text ?? "";
}

function findingOf(
  key: string,
  sessions: ReadonlyMap<string, readonly Touch[]>,
): SessionFinding | undefined {
  const links = new Map<string, Link[]>();
  const add = (link: Link): void => {
    if (link.from === link.to) return;
    links.set(link.from, [...(links.get(link.from) ?? []), link]);
  };
  for (const touches of sessions.values()) {
    for (const { version, wrote, index } of touches) {
      // Absence comes before everything that was written.
      if (wrote) {
        add({ from: ABSENT, to: version, guarantee: undefined, operations: [index, index] });
      }
    }
    for (let i = 1; i < touches.length; i++) {
      // The latest read and the latest write before it; all else follows from these.
      const after = touches[i]!;
      const earlier = touches.slice(0, i);
      for (const before of [earlier.findLast((t) => t.wrote), earlier.findLast((t) => !t.wrote)]) {
        if (before === undefined) continue;
        add({
          from: before.version,
          to: after.version,
          guarantee: guaranteeOf(before, after),
          operations: [before.index, after.index],
        });
      }
    }
  }
  const circle = shortestCircle(links);
  if (circle === undefined) return undefined;
  return {
    key,
    guarantees: [...new Set(circle.flatMap(({ guarantee }) => guarantee ?? []))].toSorted(),
    operations: circle.map(({ operations }) => operations),
  };
}

function guaranteeOf(before: Touch, after: Touch): Guarantee {
  if (before.wrote) return after.wrote ? "monotonic-writes" : "read-your-writes";
  return after.wrote ? "writes-follow-reads" : "monotonic-reads";
}

function shortestCircle(links: ReadonlyMap<string, readonly Link[]>): readonly Link[] | undefined {
  let best: readonly Link[] | undefined;
  for (const start of links.keys()) {
    const reached = new Map<string, Link>();
    const queue = [start];
    for (let head = 0; head < queue.length; head++) {
      const link = (links.get(queue[head]!) ?? []).find(({ to }) => to === start);
      if (link !== undefined) {
        const circle = [link];
        for (let at = reached.get(link.from); at !== undefined; at = reached.get(at.from)) {
          circle.unshift(at);
        }
        if (best === undefined || circle.length < best.length) best = circle;
        break;
      }
      for (const next of links.get(queue[head]!) ?? []) {
        if (reached.has(next.to)) continue;
        reached.set(next.to, next);
        queue.push(next.to);
      }
    }
  }
  return best;
}
