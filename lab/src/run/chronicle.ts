/**
 * Writes down what is decided in a run, with the times: what was done, and what
 * came of every open question, the dull answers too. A list of the decisions that
 * replays the run follows from it, and what of it may be left out.
 *
 * A stretch of time may be left out: what comes after it is moved to where the
 * stretch began, and what was in force at the end of the stretch is done at its
 * beginning. Nobody promises that a run without the stretch goes on in the same
 * way. But where a cluster is much the same at both ends, it often does.
 */

import type { Action } from "./action.ts";
import { Counts, type FateKind, type Intervention, type Timed } from "./intervention.ts";
import { Standing } from "./standing.ts";

/** What came of an open question. */
export interface Answer {
  readonly type: "answer";
  /** When it was asked, in milliseconds since the run began. */
  readonly at: number;
  readonly kind: FateKind;
  readonly on: string;
  readonly value: number;
  /** Nobody need write it down: this is what comes of it without dice. */
  readonly dull: boolean;
}

export type Entry = Answer | Timed;

const NOTHING: ReadonlySet<Entry> = new Set();

/** Milliseconds `[from, to)` of a run. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export class Chronicle {
  /** In the order in which they came to be. */
  readonly entries: Entry[] = [];

  act(at: number, action: Action): void {
    this.entries.push({ type: "action", at, action });
  }

  answer(at: number, kind: FateKind, on: string, value: number, dull: boolean): void {
    this.entries.push({ type: "answer", at, kind, on, value, dull });
  }
}

/** Whether it is a decision: an action, or an answer that is not the dull one. */
export function isDecision(entry: Entry): boolean {
  return entry.type === "action" || !entry.dull;
}

/** The list that replays the run, answers counted; without what is `gone`, the run that is left. */
export function decisionsOf(
  entries: readonly Entry[],
  gone: ReadonlySet<Entry> = NOTHING,
): readonly Intervention[] {
  const counts = new Counts();
  const decisions: Intervention[] = [];
  for (const entry of entries) {
    if (entry.type === "action") {
      if (!gone.has(entry)) decisions.push(entry);
    } else {
      const { kind, on, value, dull } = entry;
      const nth = counts.next(kind, on);
      if (!dull && !gone.has(entry)) decisions.push({ type: "fate", kind, on, nth, value });
    }
  }
  return decisions;
}

/** A run as if a stretch of it had not been. */
export function leaveOut(entries: readonly Entry[], { from, to }: Stretch): readonly Entry[] {
  const before = new Standing();
  const standing = new Standing();
  const kept: Entry[] = [];
  let behind = false;
  for (const entry of entries) {
    if (entry.at >= to && !behind) {
      behind = true;
      const actions = before.actionsTo(standing, to);
      kept.push(...actions.map((action): Timed => ({ type: "action", at: from, action })));
    }
    if (entry.type === "action" && !behind) {
      standing.apply(entry.at, entry.action);
      if (entry.at < from) before.apply(entry.at, entry.action);
    }
    if (entry.at < from) kept.push(entry);
    if (entry.at >= to) kept.push({ ...entry, at: entry.at - to + from });
  }
  return kept;
}
