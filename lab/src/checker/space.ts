/**
 * The states of a model as lists of integers: which it begins in, how they are
 * told apart, what promises see of them. The steps between them are the business
 * of {@link ./steps.ts}.
 */

import { invariant, type NodeId, type Process, type Vocabulary } from "@quorate/kernel";

import type { Action } from "./action.ts";
import { Histories } from "./histories.ts";
import { highLane, IN_FLIGHT, lowLane } from "./lanes.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { KIND, Locals, MAX_TICKS } from "./locals.ts";
import type { Model, NodeView, View } from "./model.ts";
import type { Path } from "./path.ts";

/** A list of integers somewhere in a larger one. */
export interface Body {
  data: Int32Array;
  at: number;
  length: number;
  low: number;
  high: number;
}

/** A first state, and what had to happen for it. */
export interface Beginning<V extends Vocabulary> {
  readonly numbers: readonly number[];
  readonly actions: readonly Action<V>[];
}

interface Draft<V extends Vocabulary> {
  readonly states: readonly number[];
  readonly history: number;
  readonly letters: readonly number[];
  readonly actions: readonly Action<V>[];
}

export class Space<V extends Vocabulary, P extends Process<V>, H> {
  readonly layout: Layout;
  readonly locals: Locals<V, P, H>;
  readonly histories: Histories<V, P, H>;
  private readonly model: Model<V, P, H>;
  readonly mergesMessages: boolean;
  /** Where a message stands among others matters: fingerprints are made from the whole. */
  readonly ordered: boolean;

  constructor(model: Model<V, P, H>) {
    invariant((model.budgets?.ticks ?? 0) <= MAX_TICKS, `at most ${MAX_TICKS} ticks`);
    this.model = model;
    this.layout = layoutOf(model);
    this.locals = new Locals(model);
    this.histories = new Histories(model.history, this.locals.sights);
    this.mergesMessages = model.network === "persistent" || model.network === "merging";
    this.ordered = model.network === "ordered";
  }

  /** The states that the model begins in: one for each way the dice may fall while the nodes start. */
  beginnings(): readonly Beginning<V>[] {
    const blanks = this.model.nodes.map((_, node) => this.locals.blank(node));
    let states: readonly Draft<V>[] = [{ states: blanks, history: 0, letters: [], actions: [] }];
    for (const [node, id] of this.model.nodes.entries()) {
      states = states.flatMap(({ states, history, letters, actions }) =>
        this.locals.outcomesOf(blanks[node]!, KIND.start, 0, 0).map((outcome) => {
          invariant(outcome.failure === undefined, `${id} does not start: ${outcome.failure}`);
          const { choices, seen, sent, next } = outcome;
          const dice = choices.length === 0 ? {} : { choices };
          return {
            states: states.with(node, next),
            history: this.histories.after(history, seen),
            letters: [...letters, ...sent],
            actions: [...actions, { type: "start", node: id, ...dice } as const],
          };
        }),
      );
    }
    return states.map(({ states, history, letters, actions }) => {
      const plain = actions.every(({ choices }) => choices === undefined);
      const header = [history, ...this.layout.initial.slice(1)];
      return { numbers: this.numbers(states, header, letters), actions: plain ? [] : actions };
    });
  }

  /** The state at the end of a run. Budgets are whole again; asks and ticks stay as they are. */
  along(path: Path<V, P, H>): readonly number[] {
    const { layout, locals } = this;
    const states = path.nodes.map((state, node) => locals.intern(node, state));
    const header = [this.histories.intern(path.history), ...layout.initial.slice(1)];
    if (layout.ticks >= 0) header[layout.ticks - layout.nodes] = path.ticks;
    for (const [node, place] of layout.asked.entries()) {
      if (place >= 0) header[place - layout.nodes] = path.asked[node]!;
    }
    const letters = path.messages.map((envelope) => locals.letter(envelope));
    return this.numbers(states, header, letters);
  }

  private numbers(
    states: readonly number[],
    header: readonly number[],
    letters: readonly number[],
  ): readonly number[] {
    const order = this.ordered
      ? letters.toSorted((a, b) => this.linkOf(a) - this.linkOf(b))
      : letters.toSorted((a, b) => a - b);
    const all = this.mergesMessages ? [...new Set(order)] : order;
    return [...states, ...header, ...all];
  }

  /** A state of its own, with its fingerprint. */
  body(numbers: readonly number[]): Body {
    const data = Int32Array.from(numbers);
    const body = { data, at: 0, length: data.length, low: 0, high: 0 };
    this.fingerprint(body);
    return body;
  }

  /** Makes a fingerprint from the whole of a state. */
  fingerprint(body: Body): void {
    const { data, at, length } = body;
    const header = this.layout.length;
    let [low, high] = [0, 0];
    for (let place = 0; place < length; place++) {
      const value = data[at + place]!;
      const home =
        place < header ? place : this.ordered ? place + this.shift(body, place) : IN_FLIGHT;
      low = (low + lowLane(home, value)) | 0;
      high = (high + highLane(home, value)) | 0;
    }
    body.low = low;
    body.high = high;
  }

  /** Ordered messages are told apart by where they stand in their link only. */
  private shift({ data, at }: Body, place: number): number {
    const header = this.layout.length;
    const link = this.linkOf(data[at + place]!);
    let first = place;
    while (first > header && this.linkOf(data[at + first - 1]!) === link) first--;
    return IN_FLIGHT - first;
  }

  /** Numbers the link that a message travels on. */
  linkOf(letter: number): number {
    const { from, to } = this.locals.letters.at(letter);
    return from * this.layout.nodes + to;
  }

  /** A state as promises see it. */
  view(body: Body): View<V, P, H> {
    const { data, at, length } = body;
    return {
      nodes: this.model.nodes.map((id, i) => this.nodeView(id, data[at + i]!)),
      history: this.histories.at(data[at + this.layout.history]!),
      messages: () =>
        Array.from(data.subarray(at + this.layout.length, at + length), (letter) => {
          return this.locals.letters.at(letter).envelope;
        }),
    };
  }

  private nodeView(id: NodeId, state: number): NodeView<P> {
    const { process, image: recovered } = this.locals.states.at(state);
    return { id, process, recovered };
  }
}
