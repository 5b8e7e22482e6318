/**
 * The steps out of a state. `expand` walks over all of them; each is described by
 * the fields of the walker itself until the next one, so that nothing is made for
 * a state that turns out to be known.
 */

import { invariant, type Process, type Vocabulary } from "@quorate/kernel";

import type { Action } from "./action.ts";
import { highLane, IN_FLIGHT, lowLane } from "./lanes.ts";
import { KIND, type Outcome } from "./locals.ts";
import type { Model } from "./model.ts";
import type { Body, Space } from "./space.ts";

/** What kind of step it is, beyond what happens to a node. */
type Manner = "node" | "deliver" | "duplicate" | "drop" | "tick";

/** Hears of every step. Returns true to hear of no more. */
type Visit = () => boolean;

const SILENT: Outcome = {
  next: -1,
  sent: [],
  seen: [],
  marks: [],
  choices: [],
  idle: false,
  failure: undefined,
  bound: undefined,
};

export class Steps<V extends Vocabulary, P extends Process<V>, H> {
  // The step at hand.
  outcome: Outcome = SILENT;
  low = 0;
  high = 0;
  /** How many messages are on their way after it. */
  inFlight = 0;
  private from: Body = { data: new Int32Array(0), at: 0, length: 0, low: 0, high: 0 };
  private manner: Manner = "node";
  private kind = 0;
  private argument = 0;
  private node = 0;
  private letter = -1;
  private removes = false;
  private history = 0;
  /** Places that change beside the node's, and their new values. */
  private readonly changed: number[] = [0, 0];
  private readonly values: number[] = [0, 0];
  private changes = 0;
  /** Whether there was a step out of the state at hand, and whether nobody wants to hear of more. */
  private moved = false;
  private stopped = false;
  private readonly space: Space<V, P, H>;
  private readonly model: Model<V, P, H>;
  private readonly keepsMessages: boolean;
  private readonly losesFreely: boolean;

  constructor(space: Space<V, P, H>, model: Model<V, P, H>) {
    this.space = space;
    this.model = model;
    this.keepsMessages = model.network === "persistent";
    this.losesFreely = model.budgets?.inFlight !== undefined;
  }

  /** Walks over every step out of a state. Returns whether there is one that changes anything. */
  expand(body: Body, visit: Visit): boolean {
    this.leave(body);
    const { nodes, ticks, maxTicks } = this.space.layout;
    for (let node = 0; node < nodes && !this.stopped; node++) this.expandNode(node, visit);
    if (!this.stopped) this.expandMessages(visit);
    if (ticks >= 0 && this.value(ticks) < maxTicks) {
      this.begin("tick", -1, -1, 0);
      this.change(ticks, this.value(ticks) + 1);
      this.conclude(SILENT, visit);
    }
    return this.moved;
  }

  private leave(body: Body): void {
    this.from = body;
    this.moved = false;
    this.stopped = false;
  }

  private value(place: number): number {
    return this.from.data[this.from.at + place]!;
  }

  private expandNode(node: number, visit: Visit): void {
    const { layout } = this.space;
    const state = this.value(node);
    const local = this.space.locals.states.at(state);
    if (local.process === undefined) {
      if (this.model.restarts !== "never") this.step(node, KIND.start, 0, visit);
      return;
    }
    for (const timer of this.space.locals.timersOf(state)) {
      if (!this.begin("node", node, KIND.timeout, timer)) return;
      if (this.spendTimer(timer)) this.conclude(undefined, visit);
    }
    for (let count = 1; count <= local.pending.length; count++) {
      this.step(node, KIND.sync, count, visit);
    }
    if (layout.crashes >= 0 && this.value(layout.crashes) > 0) {
      for (let kept = 0; kept <= local.pending.length; kept++) {
        this.begin("node", node, KIND.crash, kept);
        this.spend(layout.crashes);
        this.conclude(undefined, visit);
      }
    }
    if (layout.hints >= 0 && this.value(layout.hints) > 0) {
      for (let peer = 0; peer < layout.nodes; peer++) {
        if (peer === node) continue;
        this.begin("node", node, KIND.hint, peer);
        this.spend(layout.hints);
        this.conclude(undefined, visit);
      }
    }
    this.expandAsks(node, visit);
  }

  private expandAsks(node: number, visit: Visit): void {
    const place = this.space.layout.asked[node]!;
    if (place < 0) return;
    const made = this.value(place);
    const ask = this.space.locals.asks[node]![made];
    if (ask === undefined) return;
    const { process } = this.space.locals.states.at(this.value(node));
    if (process !== undefined && ask.when?.(process) === false) return;
    this.begin("node", node, KIND.ask, made);
    this.change(place, made + 1);
    this.conclude(undefined, visit);
  }

  private expandMessages(visit: Visit): void {
    const { data, at, length } = this.from;
    const { layout } = this.space;
    let before = -1;
    for (let place = layout.length; place < length && !this.stopped; place++) {
      const letter = data[at + place]!;
      const same = this.space.ordered
        ? before >= 0 && this.space.linkOf(before) === this.space.linkOf(letter)
        : before === letter;
      before = letter;
      if (!same) this.expandMessage(letter, visit);
    }
  }

  private expandMessage(letter: number, visit: Visit): void {
    const { layout } = this.space;
    const { to } = this.space.locals.letters.at(letter);
    const isUp = this.space.locals.states.at(this.value(to)).process !== undefined;
    if (isUp) {
      this.begin("deliver", to, KIND.deliver, letter);
      this.letter = letter;
      this.removes = !this.keepsMessages;
      this.conclude(undefined, visit);
      if (layout.duplicates >= 0 && this.value(layout.duplicates) > 0) {
        this.begin("duplicate", to, KIND.deliver, letter);
        this.letter = letter;
        this.spend(layout.duplicates);
        this.conclude(undefined, visit);
      }
    }
    // To a node that is down an ordered message is lost, so that those behind it are not held up.
    const free = (this.space.ordered && !isUp) || this.losesFreely;
    if (free || (layout.drops >= 0 && this.value(layout.drops) > 0)) {
      this.begin("drop", -1, -1, letter);
      this.letter = letter;
      this.removes = true;
      if (!free) this.spend(layout.drops);
      this.conclude(SILENT, visit);
    }
  }

  private step(node: number, kind: number, argument: number, visit: Visit): void {
    this.begin("node", node, kind, argument);
    this.conclude(undefined, visit);
  }

  /** Begins to describe a step. Returns whether anybody still wants to hear of it. */
  private begin(manner: Manner, node: number, kind: number, argument: number): boolean {
    this.manner = manner;
    this.node = node;
    this.kind = kind;
    this.argument = argument;
    this.letter = -1;
    this.removes = false;
    this.changes = 0;
    return !this.stopped;
  }

  private change(place: number, value: number): void {
    this.changed[this.changes] = place;
    this.values[this.changes++] = value;
  }

  private spend(place: number): void {
    this.change(place, this.value(place) - 1);
  }

  private spendTimer(timer: number): boolean {
    const { timeouts, timeoutsOf } = this.space.layout;
    if (timeouts >= 0) {
      if (this.value(timeouts) === 0) return false;
      this.spend(timeouts);
    }
    for (const { timer: name, place } of timeoutsOf) {
      if (name !== this.space.locals.timers.at(timer)) continue;
      if (this.value(place) === 0) return false;
      this.spend(place);
    }
    return true;
  }

  /** Tells of the step, once for each outcome. `only`: what comes of it, if no node takes it. */
  private conclude(only: Outcome | undefined, visit: Visit): void {
    const { ticks, history } = this.space.layout;
    if (only !== undefined) {
      this.history = this.value(history);
      return this.tell(only, visit);
    }
    const tick = ticks < 0 ? 0 : this.value(ticks);
    const state = this.value(this.node);
    const outcomes = this.space.locals.outcomesOf(state, this.kind, this.argument, tick);
    for (const outcome of outcomes) {
      // What changes nothing may as well not happen: the message stays where it is, delayed.
      if (outcome.idle && !(this.space.ordered && this.removes)) continue;
      this.history = this.space.histories.after(this.value(history), outcome.seen);
      this.tell(outcome, visit);
    }
  }

  private tell(outcome: Outcome, visit: Visit): void {
    if (this.stopped) return;
    this.outcome = outcome;
    this.moved = true;
    if (!this.space.ordered) this.sum();
    if (visit()) this.stopped = true;
  }

  /** The fingerprint of the state after the step, from that before it. */
  private sum(): void {
    const { outcome, node } = this;
    let { low, high } = this.from;
    let count = this.from.length - this.space.layout.length;
    if (node >= 0) {
      const before = this.value(node);
      low += lowLane(node, outcome.next) - lowLane(node, before);
      high += highLane(node, outcome.next) - highLane(node, before);
    }
    const place = this.space.layout.history;
    const was = this.value(place);
    if (was !== this.history) {
      low += lowLane(place, this.history) - lowLane(place, was);
      high += highLane(place, this.history) - highLane(place, was);
    }
    for (let i = 0; i < this.changes; i++) {
      const [at, value] = [this.changed[i]!, this.values[i]!];
      low += lowLane(at, value) - lowLane(at, this.value(at));
      high += highLane(at, value) - highLane(at, this.value(at));
    }
    if (this.removes) {
      low -= lowLane(IN_FLIGHT, this.letter);
      high -= highLane(IN_FLIGHT, this.letter);
      count--;
    }
    for (let i = 0; i < outcome.sent.length; i++) {
      const letter = outcome.sent[i]!;
      if (this.space.mergesMessages && this.isInFlight(letter, i)) continue;
      low += lowLane(IN_FLIGHT, letter);
      high += highLane(IN_FLIGHT, letter);
      count++;
    }
    this.inFlight = count;
    this.low = low | 0;
    this.high = high | 0;
  }

  /** Whether a message that merges is on its way already, or was sent before in the same step. */
  private isInFlight(letter: number, sent: number): boolean {
    for (let i = 0; i < sent; i++) if (this.outcome.sent[i] === letter) return true;
    if (this.removes && letter === this.letter) return false;
    const { data, at, length } = this.from;
    for (let i = this.space.layout.length; i < length; i++)
      if (data[at + i] === letter) return true;
    return false;
  }

  /** Whether more messages are on their way after the step than before. */
  get sendsMore(): boolean {
    return this.inFlight > this.from.length - this.space.layout.length;
  }

  /** How many integers the state after the step takes at most. */
  get room(): number {
    return this.from.length + this.outcome.sent.length;
  }

  /** Writes the state after the step and returns its length. */
  write(into: Int32Array, at: number): number {
    const { from, outcome } = this;
    const { layout } = this.space;
    for (let i = 0; i < layout.length; i++) into[at + i] = from.data[from.at + i]!;
    if (this.node >= 0) into[at + this.node] = outcome.next;
    into[at + layout.history] = this.history;
    for (let i = 0; i < this.changes; i++) into[at + this.changed[i]!] = this.values[i]!;
    let length = layout.length;
    let removed = !this.removes;
    for (let i = layout.length; i < from.length; i++) {
      const letter = from.data[from.at + i]!;
      if (!removed && letter === this.letter) removed = true;
      else into[at + length++] = letter;
    }
    for (let i = 0; i < outcome.sent.length; i++) {
      const letter = outcome.sent[i]!;
      if (this.space.mergesMessages && this.isInFlight(letter, i)) continue;
      length = this.insert(into, at, length, letter);
    }
    this.inFlight = length - layout.length;
    return length;
  }

  /** Puts a message in its place: in the order of numbers, or at the end of its link. */
  private insert(into: Int32Array, at: number, length: number, letter: number): number {
    const link = this.space.ordered ? this.space.linkOf(letter) : 0;
    let place = length;
    while (place > this.space.layout.length) {
      const other = into[at + place - 1]!;
      if (this.space.ordered ? this.space.linkOf(other) <= link : other <= letter) break;
      into[at + place] = other;
      place--;
    }
    into[at + place] = letter;
    return length + 1;
  }

  /** The step at hand, for people and for replays. */
  describe(): Action<V> {
    const { choices } = this.outcome;
    const dice = choices.length === 0 ? {} : { choices };
    if (this.manner === "tick") return { type: "tick" };
    if (this.letter >= 0) {
      const { envelope } = this.space.locals.letters.at(this.letter);
      // Only letters have these manners.
      const type = this.manner as "deliver" | "duplicate" | "drop";
      return { type, ...envelope, ...dice };
    }
    const node = this.model.nodes[this.node]!;
    const event = this.space.locals.eventOf(this.node, this.kind, this.argument);
    if (event.type === "ask") {
      return { type: "ask", node, ask: this.argument, request: event.request, ...dice };
    }
    invariant(event.type !== "deliver", "a delivery has a letter");
    return { ...event, node, ...dice };
  }
}
