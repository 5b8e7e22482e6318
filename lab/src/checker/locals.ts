/**
 * The states that single nodes were found in, each once, and where every event
 * led from each. A step of the protocol is taken once, however many states of the
 * whole it is a part of: this is what makes the search fast, since a node has few
 * states and a cluster of them has many.
 */

import { fingerprint, type NodeId, type Process, type Vocabulary } from "@quorate/kernel";

import { Interner } from "./interning.ts";
import type { Ask, Envelope, Happening, Model } from "./model.ts";
import {
  blank,
  type Held,
  type NodeEvent,
  type NodeState,
  runStep,
  type StepResult,
  type StepSettings,
} from "./node.ts";

/** What one way of taking a step leads to. */
export interface Outcome {
  /** The number of the node's state after it. */
  readonly next: number;
  /** Numbers of the messages sent. */
  readonly sent: readonly number[];
  /** Numbers of what a history variable sees of it. */
  readonly seen: readonly number[];
  readonly marks: readonly string[];
  /** How the dice fell. */
  readonly choices: readonly number[];
  /** Nothing changed and nothing was said. */
  readonly idle: boolean;
  readonly failure: string | undefined;
  readonly bound: string | undefined;
}

/** A state of one node. */
export interface Local<V extends Vocabulary, P> extends NodeState<V, P> {
  readonly node: number;
}

/** A message with its ends as numbers; `to` is -1 for a node that the model does not have. */
export interface Letter<V extends Vocabulary> {
  readonly envelope: Envelope<V>;
  readonly from: number;
  readonly to: number;
}

export interface Sight<V extends Vocabulary, P> {
  readonly node: NodeId;
  readonly happening: Happening<V, P>;
}

/** Kinds of events, and a number that tells them apart together with their argument. */
export const KIND = {
  deliver: 0,
  timeout: 1,
  ask: 2,
  sync: 3,
  crash: 4,
  start: 5,
  hint: 6,
} as const;
const KINDS = 8;
/** More ticks than any model can afford. */
export const MAX_TICKS = 63;

function codeOf(kind: number, argument: number, tick: number): number {
  return (argument * KINDS + kind) * (MAX_TICKS + 1) + tick;
}

export class Locals<V extends Vocabulary, P extends Process<V>, H> {
  readonly states: Interner<Local<V, P>> = new Interner();
  readonly letters: Interner<Letter<V>> = new Interner();
  readonly sights: Interner<Sight<V, P>> = new Interner();
  readonly timers: Interner<V["Timer"]> = new Interner();
  /** By node: what it may be asked, in order. */
  readonly asks: readonly (readonly Ask<V, P>[])[];
  /** Steps taken by the protocol itself. */
  steps = 0;
  private readonly model: Model<V, P, H>;
  private readonly settings: StepSettings;
  private readonly indices: ReadonlyMap<NodeId, number>;
  /** By state: what each event led to. */
  private readonly outcomes: Map<number, readonly Outcome[]>[] = [];
  /** By state: its timers as numbers. */
  private readonly armed: (readonly number[])[] = [];

  constructor(model: Model<V, P, H>) {
    this.model = model;
    this.indices = new Map(model.nodes.map((id, i) => [id, i]));
    this.settings = settingsOf(model);
    const { nodes, asks = [] } = model;
    this.asks = nodes.map((id) => asks.filter(({ node }) => node === id));
  }

  /** The state of a node that has never been up. */
  blank(node: number): number {
    return this.intern(node, blank<V, P>(this.model.create(this.model.nodes[node]!)));
  }

  intern(node: number, state: NodeState<V, P>): number {
    const { process, image, pending } = state;
    const timers = state.timers.toSorted(byText);
    const held = this.model.network === "ordered" ? state.held : inAnyOrder(state.held);
    // Without a report nobody learns of positions (K11, K17).
    const position = image.onDurable === undefined ? 0 : state.position;
    return this.states.intern({ node, process, image, timers, pending, held, position });
  }

  letter(envelope: Envelope<V>): number {
    const from = this.indices.get(envelope.from)!;
    return this.letters.intern({ envelope, from, to: this.indices.get(envelope.to) ?? -1 });
  }

  timersOf(state: number): readonly number[] {
    return (this.armed[state] ??= this.states
      .at(state)
      .timers.map((timer) => this.timers.intern(timer)));
  }

  /** Everything that an event may lead to: one outcome for each way the dice may fall. */
  outcomesOf(state: number, kind: number, argument: number, tick: number): readonly Outcome[] {
    const known = (this.outcomes[state] ??= new Map());
    const code = codeOf(kind, argument, tick);
    let outcomes = known.get(code);
    if (outcomes === undefined) {
      const { node } = this.states.at(state);
      outcomes = this.explore(state, this.eventOf(node, kind, argument), tick);
      known.set(code, outcomes);
    }
    return outcomes;
  }

  eventOf(node: number, kind: number, argument: number): NodeEvent<V> {
    switch (kind) {
      case KIND.deliver: {
        const { from, message } = this.letters.at(argument).envelope;
        return { type: "deliver", from, message };
      }
      case KIND.timeout:
        return { type: "timeout", timer: this.timers.at(argument) };
      case KIND.ask:
        // Numbered by node, so that nodes which are alike stay so.
        return { type: "ask", id: argument + 1, request: this.asks[node]![argument]!.request };
      case KIND.sync:
        return { type: "sync", count: argument };
      case KIND.crash:
        return { type: "crash", kept: argument };
      case KIND.start:
        return { type: "start" };
      default:
        return { type: "hint", peer: this.model.nodes[argument]! };
    }
  }

  private explore(state: number, event: NodeEvent<V>, tick: number): readonly Outcome[] {
    const local = this.states.at(state);
    const node = this.model.nodes[local.node]!;
    const now = tick * (this.model.tickMs ?? 0);
    return branches((script) => {
      this.steps++;
      return runStep<V, P>(this.settings, node, local, event, now, script);
    }).map((result) => this.outcomeOf(state, local.node, result));
  }

  private outcomeOf(before: number, node: number, result: StepResult<V, P>): Outcome {
    const { model } = this;
    const { state, taken: choices, failure } = result;
    const id = model.nodes[node]!;
    if (failure !== undefined) {
      return { ...NOTHING, next: before, choices, failure };
    }
    const next = this.intern(node, state);
    const sent = result.sent
      .filter((envelope) => this.indices.has(envelope.to) && model.loses?.(envelope) !== true)
      .map((envelope) => this.letter(envelope));
    const seen: number[] = [];
    if (model.history !== undefined) {
      for (const told of result.told) if (told.type !== "note") seen.push(this.sight(id, told));
      const { process, image: recovered } = state;
      if (process !== undefined) seen.push(this.sight(id, { type: "step", process, recovered }));
    }
    const marks = result.told.flatMap((told) =>
      told.type === "note" ? (model.markOf?.(told.note, id) ?? []) : [],
    );
    const bound = state.process === undefined ? undefined : model.beyond?.(state.process, id);
    const silent = sent.length === 0 && marks.length === 0 && !seen.some((at) => this.isNews(at));
    const idle = silent && next === before;
    return { next, sent, seen, marks, choices, idle, failure, bound };
  }

  /** Whether a history variable could learn from it, were it seen again: of a state it has learnt all. */
  private isNews(sight: number): boolean {
    return this.sights.at(sight).happening.type !== "step";
  }

  private sight(node: NodeId, happening: Happening<V, P>): number {
    return this.sights.intern({ node, happening });
  }
}

/** What waits for the disk, where the order of messages means nothing. */
function inAnyOrder<V extends Vocabulary>(held: readonly Held<V>[]): readonly Held<V>[] {
  if (held.length < 2) return held;
  const sends = held
    .filter(({ effect }) => effect.type === "send")
    .map((send) => ({ send, key: fingerprint(send) }))
    .toSorted((a, b) => a.key - b.key);
  const others = held.filter(({ effect }) => effect.type !== "send");
  return [...others, ...sends.map(({ send }) => send)];
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const NOTHING: Omit<Outcome, "next" | "choices"> = {
  sent: [],
  seen: [],
  marks: [],
  idle: false,
  failure: undefined,
  bound: undefined,
};

export function settingsOf<V extends Vocabulary, P extends Process<V>, H>(
  model: Model<V, P, H>,
): StepSettings {
  const { disk = "asynchronous" } = model;
  return {
    disk: typeof disk === "function" ? disk : () => disk,
    restartsAtOnce: (model.restarts ?? "atOnce") === "atOnce",
    mergesMessages: model.network === "merging" || model.network === "persistent",
  };
}

/** Runs a step once for each way its choices may fall. */
function branches<V extends Vocabulary, P>(
  run: (script: readonly number[]) => StepResult<V, P>,
): readonly StepResult<V, P>[] {
  const results: StepResult<V, P>[] = [];
  const scripts: (readonly number[])[] = [[]];
  for (let script = scripts.pop(); script !== undefined; script = scripts.pop()) {
    const result = run(script);
    results.push(result);
    for (let at = script.length; at < result.options.length; at++) {
      for (let choice = 1; choice < result.options[at]!; choice++) {
        scripts.push([...result.taken.slice(0, at), choice]);
      }
    }
  }
  return results;
}
