/**
 * The decisions of a run, one by one: an action at a time, or an answer to one
 * of the open questions (a fate). A list of them replays a run without dice.
 *
 * Each is written as a short token of letters, digits and `.`, so that a list
 * fits into a URL: `1200.crash.n1`, `message.n1.n2.17.lost`.
 */

import type { NodeId } from "@quorate/kernel";

import type { Way } from "../simulator/network.ts";
import type { Action, Outside } from "./action.ts";

/** The open questions, each with how many words say what it is about. */
const FATES = {
  message: 2,
  copy: 2,
  timer: 2,
  write: 1,
  unfinished: 1,
  busy: 1,
  choice: 1,
  kept: 1,
  hint: 2,
  rate: 1,
  offset: 1,
} as const;

export type FateKind = keyof typeof FATES;

export interface Fate {
  readonly type: "fate";
  readonly kind: FateKind;
  /** What it is about, joined by dots: `n1.n2` for a message on that link, `n1.election` for a timer. */
  readonly on: string;
  /** The how-many-eth such question, from 0. */
  readonly nth: number;
  readonly value: number;
}

export interface Timed {
  readonly type: "action";
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly action: Action;
}

export type Intervention = Fate | Timed;

/** What dice decide in a run, a message's loss apart from its delay. */
export type Concern = FateKind | "loss";

export function concernOf({ kind, value }: Pick<Fate, "kind" | "value">): Concern {
  return kind === "message" && value < 0 ? "loss" : kind;
}

/** The key by which a fate is looked up. */
function fateKey(kind: FateKind, on: string, nth: number): string {
  return `${kind}.${on}.${nth}`;
}

/** How many times each question was asked. */
export class Counts {
  private readonly counts: Map<string, number> = new Map();

  /** The number of the next such question, from 0. */
  next(kind: FateKind, on: string): number {
    const question = `${kind}.${on}`;
    const count = this.counts.get(question) ?? 0;
    this.counts.set(question, count + 1);
    return count;
  }
}

export function token(intervention: Intervention): string {
  if (intervention.type === "fate") {
    const { kind, on, nth, value } = intervention;
    return `${fateKey(kind, on, nth)}.${value < 0 ? "lost" : value}`;
  }
  const { at, action } = intervention;
  return [at, action.type, ...wordsOf(action)].join(".");
}

function wordsOf(action: Action): readonly (string | number)[] {
  switch (action.type) {
    case "jump":
    case "clog":
      return [action.node, action.ms];
    case "corrupt":
      return [action.node, action.region];
    case "sever":
    case "mend":
      return [action.from, action.to];
    case "partition":
      return [action.way, ...action.side];
    case "heal":
      return [];
    case "ask":
      return [action.node, action.op];
    case "calm":
      return [action.outside, ...action.core];
    default:
      return [action.node];
  }
}

const WAYS: readonly string[] = ["both", "in", "out"] satisfies Way[];
const OUTSIDE: readonly string[] = ["down", "cut", "deaf", "mute"] satisfies Outside[];

/** @throws RangeError for a token that says nothing. */
export function readToken(text: string): Intervention {
  const words = text.split(".");
  const [first = "", second = ""] = words;
  if (/^\d+$/.test(first)) {
    const action = readAction(second, words.slice(2));
    if (action !== undefined) return { type: "action", at: Number(first), action };
  } else if (Object.hasOwn(FATES, first)) {
    const kind = first as FateKind; // A key of the table.
    const arity = FATES[kind];
    const on = words.slice(1, 1 + arity).join(".");
    const [nth = "", value = ""] = words.slice(1 + arity);
    if (words.length === arity + 3 && /^\d+$/.test(nth) && /^(\d+|lost)$/.test(value)) {
      const number = value === "lost" ? -1 : Number(value);
      return { type: "fate", kind, on, nth: Number(nth), value: number };
    }
  }
  throw new RangeError(`"${text}" is neither an action nor a fate`);
}

function readAction(verb: string, words: readonly string[]): Action | undefined {
  const [first = "", second = ""] = words;
  switch (verb) {
    case "crash":
    case "start":
    case "wipe":
    case "damage":
    case "upgrade":
    case "pause":
    case "resume":
    case "stall":
    case "release":
    case "fill":
    case "free":
      return words.length === 1 ? { type: verb, node: first } : undefined;
    case "jump":
    case "clog":
      return natural(second) ? { type: verb, node: first, ms: Number(second) } : undefined;
    case "corrupt":
      return natural(second) ? { type: verb, node: first, region: Number(second) } : undefined;
    case "sever":
    case "mend":
      return words.length === 2 ? { type: verb, from: first, to: second } : undefined;
    case "partition":
      if (!WAYS.includes(first)) return undefined;
      return { type: verb, way: first as Way, side: words.slice(1) };
    case "heal":
      return { type: verb };
    case "ask":
      return natural(second) ? { type: verb, node: first, op: Number(second) } : undefined;
    case "calm":
      if (!OUTSIDE.includes(first)) return undefined;
      return { type: verb, outside: first as Outside, core: words.slice(1) };
    default:
      return undefined;
  }
}

function natural(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** The nodes that an intervention names, to be checked against a cluster. */
export function nodesOf(intervention: Intervention): readonly NodeId[] {
  if (intervention.type === "fate") {
    const words = intervention.on.split(".");
    return intervention.kind === "timer" ? words.slice(0, 1) : words;
  }
  const { action } = intervention;
  switch (action.type) {
    case "sever":
    case "mend":
      return [action.from, action.to];
    case "partition":
      return action.side;
    case "calm":
      return action.core;
    case "heal":
      return [];
    default:
      return [action.node];
  }
}
