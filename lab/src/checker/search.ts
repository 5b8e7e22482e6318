/**
 * Breadth-first search of a model: every state that can be reached, those of few
 * steps first, so that the first broken promise comes with a shortest run to it.
 * Only the states of two neighbouring depths are held in full; of all others a
 * fingerprint and the way they were reached remain.
 */

import { invariant, type Process, type Vocabulary } from "@quorate/kernel";

import type { Action } from "./action.ts";
import { Frontier } from "./frontier.ts";
import type { Model, View } from "./model.ts";
import { Path } from "./path.ts";
import { type Beginning, type Body, Space } from "./space.ts";
import { Steps } from "./steps.ts";
import { Canon } from "./symmetry.ts";
import { FingerprintTable } from "./table.ts";

export interface CheckOptions<V extends Vocabulary> {
  /** Gives up after this many states. Default: two hundred million. */
  readonly maxStates?: number;
  /** Called now and then; returning `stop` ends the search where it is. */
  readonly onProgress?: (progress: Progress) => "stop" | void;
  /** Counts nodes that are alike as one, if the model says which are. Default: true. */
  readonly reduce?: boolean;
  /** Steps to take first: the search begins in the state after them. */
  readonly from?: readonly Action<V>[];
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  /** How many steps the states at hand are away from the first. */
  readonly depth: number;
  /** States whose successors are still to be seen. */
  readonly waiting: number;
}

export interface Verdict<V extends Vocabulary> {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /**
   * `exhaustive`: every state within the budgets was seen, from where the search began. `bounded`: every one within the
   * budgets and {@link bounds}. `stopped`: the search was ended before that.
   */
  readonly coverage: "exhaustive" | "bounded" | "stopped";
  /** How many steps were cut off by each bound of the model. */
  readonly bounds: ReadonlyMap<string, number>;
  /** That a state was missed because its fingerprint was another's. */
  readonly collisionProbability: number;
  readonly violation: Violation<V> | undefined;
  /** Marks, and states that should be reachable, that no run reached. */
  readonly unreached: readonly string[];
  /**
   * How many states those seen stand for, where nodes are alike. Only with few such nodes; what a
   * search without reduction counts.
   */
  readonly represented: number;
  /** States in which nothing more can happen. */
  readonly ends: number;
  /** States that single nodes were found in. */
  readonly nodeStates: number;
  /** Steps that the protocol itself took. */
  readonly protocolSteps: number;
}

export interface Violation<V extends Vocabulary> {
  readonly promise: string;
  /** A shortest run that breaks it, from the model's first state. */
  readonly trace: readonly Action<V>[];
}

/** A broken promise: in a state, or within a step out of it. */
interface Breach {
  readonly promise: string;
  readonly state: number;
  readonly within: boolean;
}

const MAX_STATES = 200_000_000;
const REPORT_EVERY = 1 << 13;

/** Searches a model. The verdict is the same each time. */
export function check<V extends Vocabulary, P extends Process<V>, H = undefined>(
  model: Model<V, P, H>,
  options: CheckOptions<V> = {},
): Verdict<V> {
  return new Search(model, options).run();
}

class Search<V extends Vocabulary, P extends Process<V>, H> {
  private readonly model: Model<V, P, H>;
  private readonly options: CheckOptions<V>;
  private readonly space: Space<V, P, H>;
  private readonly steps: Steps<V, P, H>;
  private readonly canon: Canon<V, P, H> | undefined;
  private readonly table = new FingerprintTable();
  private readonly unreached: Map<string, ((view: View<V, P, H>) => boolean) | undefined>;
  private readonly bounds = new Map<string, number>();
  private readonly scratch: Body = { data: new Int32Array(64), at: 0, length: 0, low: 0, high: 0 };
  private next = new Frontier();
  private transitions = 0;
  private depth = 0;
  private ends = 0;
  private represented = 0;
  private number = 0;
  private breach: Breach | undefined;
  /** What was done before each first state. */
  private readonly roots = new Map<number, readonly Action<V>[]>();
  /** Whether fingerprints are added up step by step. */
  private readonly sums: boolean;
  /** How many messages may be on their way. */
  private readonly most: number;
  private stopped = false;

  constructor(model: Model<V, P, H>, options: CheckOptions<V>) {
    this.model = model;
    this.options = options;
    this.space = new Space(model);
    this.steps = new Steps(this.space, model);
    const reduces = model.symmetry !== undefined && options.reduce !== false;
    this.canon = reduces ? new Canon(this.space, model) : undefined;
    this.sums = !reduces && model.network !== "ordered";
    this.most = model.budgets?.inFlight ?? Infinity;
    this.unreached = new Map([
      ...(model.marks ?? []).map((mark) => [mark, undefined] as const),
      ...Object.entries(model.sometimes ?? {}),
    ]);
  }

  run(): Verdict<V> {
    for (const { numbers, actions } of this.beginnings()) {
      const { size } = this.table;
      this.writeScratch(numbers);
      if (this.arrive(-1)) this.roots.set(size, actions);
    }
    while (this.next.count > 0 && this.breach === undefined && !this.stopped) this.level();
    return this.verdict();
  }

  /** The first states, one for each way the dice may fall while the nodes start, and the way there. */
  private beginnings(): readonly Beginning<V>[] {
    const { from } = this.options;
    if (from === undefined) return this.space.beginnings();
    return [{ numbers: this.space.along(Path.along(this.model, from)), actions: from }];
  }

  private level(): void {
    const level = this.next;
    this.next = new Frontier();
    const body = { data: this.scratch.data, at: 0, length: 0, low: 0, high: 0 };
    const visit = (): boolean => this.visit();
    for (let i = 0; i < level.count; i++) {
      this.number = level.read(body);
      if (!this.steps.expand(body, visit) && this.breach === undefined) this.finish(body);
      if (this.breach !== undefined) return;
      if (this.number % REPORT_EVERY === 0) this.report(level.count - i);
      if (this.stopped) return;
    }
    if (this.next.count > 0) this.depth++;
  }

  private report(left: number): void {
    const { onProgress, maxStates = MAX_STATES } = this.options;
    if (this.table.size >= maxStates) this.stopped = true;
    const { transitions, depth } = this;
    const waiting = left + this.next.count;
    const wish = onProgress?.({ states: this.table.size, transitions, depth, waiting });
    if (wish === "stop") this.stopped = true;
  }

  /** Hears of one step. Returns whether the search is over. */
  private visit(): boolean {
    const { steps, scratch } = this;
    const { outcome } = steps;
    this.transitions++;
    if (outcome.failure !== undefined) {
      this.breach = { promise: outcome.failure, state: this.number, within: true };
      return true;
    }
    if (outcome.bound !== undefined) return this.cut(outcome.bound);
    if (!this.sums) this.copyStep();
    if (steps.inFlight > this.most && steps.sendsMore) {
      return this.cut(`at most ${this.most} messages in flight`);
    }
    for (const mark of outcome.marks) this.unreached.delete(mark);
    if (this.sums) {
      const number = this.table.add(steps.low, steps.high, this.number);
      if (number < 0) return false;
      this.copyStep();
      scratch.low = steps.low;
      scratch.high = steps.high;
      this.settle(number);
    } else {
      this.arrive(this.number);
    }
    if (this.table.size >= (this.options.maxStates ?? MAX_STATES)) this.stopped = true;
    return this.breach !== undefined || this.stopped;
  }

  private cut(bound: string): false {
    this.bounds.set(bound, (this.bounds.get(bound) ?? 0) + 1);
    return false;
  }

  /** Makes `scratch` the state after the step at hand. */
  private copyStep(): void {
    const { steps, scratch } = this;
    if (scratch.data.length < steps.room) scratch.data = new Int32Array(2 * steps.room);
    scratch.length = steps.write(scratch.data, 0);
  }

  private writeScratch(numbers: readonly number[]): void {
    this.scratch.data = Int32Array.from(numbers);
    this.scratch.length = numbers.length;
  }

  /** Takes the state in `scratch` in, if it is new. */
  private arrive(parent: number): boolean {
    const { scratch } = this;
    this.canon?.reduce(scratch);
    this.space.fingerprint(scratch);
    const number = this.table.add(scratch.low, scratch.high, parent);
    if (number >= 0) this.settle(number);
    return number >= 0;
  }

  /** Holds the new state in `scratch` against the promises, and keeps it for the next level. */
  private settle(number: number): void {
    const { scratch, model, space } = this;
    this.next.push(number, scratch);
    this.represented += this.canon?.orbit ?? 1;
    const history = scratch.data[space.layout.history]!;
    const promise = space.histories.broken(history) ?? model.always?.(space.view(scratch));
    if (promise !== undefined) {
      this.breach = { promise, state: number, within: false };
      return;
    }
    for (const [name, holds] of this.unreached) {
      if (holds?.(space.view(scratch)) === true) this.unreached.delete(name);
    }
  }

  /** Nothing can happen in a state any more. */
  private finish(body: Body): void {
    this.ends++;
    const promise = this.model.atEnd?.(this.space.view(body));
    if (promise !== undefined) this.breach = { promise, state: this.number, within: false };
  }

  /**
   * Walks the way to the broken promise once more. A state that stands for others is left aside
   * for the one that the run is really in, so that what is told is one run under one set of names.
   */
  private trace({ state, within }: Breach): readonly Action<V>[] {
    const numbers: number[] = [];
    for (let at = state; at >= 0; at = this.table.parentOf(at)) numbers.push(at);
    const root = numbers.pop()!;
    const { numbers: first, actions } = this.beginnings().find(({ numbers: begin }) => {
      this.writeScratch(begin);
      return this.isIn(root);
    })!;
    const trace = [...(this.roots.get(root) ?? actions)];
    let body = this.space.body(first);
    for (const number of numbers.toReversed()) {
      let after: Body | undefined;
      this.steps.expand(body, () => {
        this.copyStep();
        const real = Array.from(this.scratch.data.subarray(0, this.scratch.length));
        if (this.steps.outcome.failure !== undefined || !this.isIn(number)) return false;
        trace.push(this.steps.describe());
        after = this.space.body(real);
        return true;
      });
      invariant(after !== undefined, "a way that was found can be walked again");
      body = after;
    }
    if (within) {
      this.steps.expand(body, () => {
        if (this.steps.outcome.failure === undefined) return false;
        trace.push(this.steps.describe());
        return true;
      });
    }
    return trace;
  }

  /** Whether the state in `scratch` is the one of that number, or one that it stands for. */
  private isIn(number: number): boolean {
    this.canon?.reduce(this.scratch);
    this.space.fingerprint(this.scratch);
    return this.table.is(number, this.scratch.low, this.scratch.high);
  }

  private verdict(): Verdict<V> {
    const { table, transitions, depth, bounds, breach, ends, space, represented } = this;
    return {
      states: table.size,
      transitions,
      depth,
      coverage:
        this.stopped || breach !== undefined
          ? "stopped"
          : bounds.size > 0
            ? "bounded"
            : "exhaustive",
      bounds,
      collisionProbability: table.collisionProbability,
      violation:
        breach === undefined ? undefined : { promise: breach.promise, trace: this.trace(breach) },
      unreached: [...this.unreached.keys()],
      represented,
      ends,
      nodeStates: space.locals.states.size,
      protocolSteps: space.locals.steps,
    };
  }
}
