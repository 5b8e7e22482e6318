/**
 * How many states a second the model checker visits, by processor time, beside
 * two breadth-first searches of the same two-phase commit written by hand: one over
 * integers, the most that can be hoped for, and one over objects whose JSON texts
 * fill a set, the least that one would write.
 *
 *     npm run bench -w bench -- checker
 */

import { check } from "@quorate/lab/checker";
import { paxos, twoPhaseCommit } from "@quorate/lab/published";

import { report } from "./report.ts";

const RESOURCES = 7;

interface State {
  readonly manager: "init" | "committed" | "aborted";
  readonly prepared: readonly boolean[];
  readonly resources: readonly ("working" | "prepared" | "committed" | "aborted")[];
  readonly messages: readonly boolean[];
  readonly decided: "nothing" | "commit" | "abort";
}

/** Gray and Lamport's TwoPhase, action by action. */
function* successors(s: State): Iterable<State> {
  if (s.manager === "init") {
    yield { ...s, manager: "aborted", decided: "abort" };
    if (s.prepared.every(Boolean)) yield { ...s, manager: "committed", decided: "commit" };
  }
  for (let i = 0; i < RESOURCES; i++) {
    if (s.manager === "init" && s.messages[i] === true && s.prepared[i] !== true) {
      yield { ...s, prepared: s.prepared.with(i, true) };
    }
    if (s.resources[i] === "working") {
      const messages = s.messages.with(i, true);
      yield { ...s, resources: s.resources.with(i, "prepared"), messages };
      yield { ...s, resources: s.resources.with(i, "aborted") };
    }
    if (s.decided === "commit") yield { ...s, resources: s.resources.with(i, "committed") };
    if (s.decided === "abort") yield { ...s, resources: s.resources.with(i, "aborted") };
  }
}

function overObjects(): number {
  const all = <T>(value: T): T[] => Array.from({ length: RESOURCES }, () => value);
  const first: State = {
    manager: "init",
    prepared: all(false),
    resources: all("working" as const),
    messages: all(false),
    decided: "nothing",
  };
  const seen = new Set([JSON.stringify(first)]);
  let level = [first];
  while (level.length > 0) {
    const next: State[] = [];
    for (const state of level) {
      for (const after of successors(state)) {
        const key = JSON.stringify(after);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(after);
      }
    }
    level = next;
  }
  return seen.size;
}

// Bits: two for each resource, then who is known to be prepared, who said so, and the decision.
const KNOWN = 2 * RESOURCES;
const SAID = 3 * RESOURCES;
const DECISION = 2 ** (4 * RESOURCES);
const ALL_KNOWN = ((1 << RESOURCES) - 1) << KNOWN;

function overIntegers(): number {
  const seen = new Set([0]);
  let level = [0];
  while (level.length > 0) {
    const next: number[] = [];
    const visit = (state: number): void => {
      if (seen.has(state)) return;
      seen.add(state);
      next.push(state);
    };
    for (const state of level) {
      const decision = Math.floor(state / DECISION);
      const bits = state % DECISION;
      const rest = decision * DECISION;
      if (decision === 0) {
        visit(bits + 2 * DECISION);
        if ((bits & ALL_KNOWN) === ALL_KNOWN) visit(bits + DECISION);
      }
      for (let i = 0; i < RESOURCES; i++) {
        const at = 3 << (2 * i);
        const said = (bits & (1 << (SAID + i))) !== 0;
        if (decision === 0 && said) visit((bits | (1 << (KNOWN + i))) + rest);
        if ((bits & at) === 0) {
          visit((bits | (1 << (2 * i)) | (1 << (SAID + i))) + rest);
          visit((bits | at) + rest);
        }
        if (decision > 0) visit(((bits & ~at) | ((decision + 1) << (2 * i))) + rest);
      }
    }
    level = next;
  }
  return seen.size;
}

interface Measured {
  readonly states: number;
  readonly perSecond: number;
}

function measured(search: () => number): Measured {
  const started = process.cpuUsage();
  const states = search();
  const { user, system } = process.cpuUsage(started);
  return { states, perSecond: Math.round((1e6 * states) / (user + system)) };
}

const integers = measured(overIntegers);
const rows = [
  ["two-phase commit over integers, by hand", integers],
  ["two-phase commit over objects, by hand", measured(overObjects)],
  [
    "two-phase commit, checked",
    measured(() => check(twoPhaseCommit(RESOURCES), { reduce: false }).states),
  ],
  ["single-decree Paxos, 3 clients, checked", measured(() => check(paxos(3)).states)],
] as const;

report(
  "model checker",
  rows.map(([search, { states, perSecond }]) => ({
      search,
      states,
      "states/s": perSecond,
      "of integers": (perSecond / integers.perSecond).toFixed(2),
  })),
);
