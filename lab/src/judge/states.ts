/** States as small integers, so that configurations compare and memories stay cheap. */

import type { Model } from "./model.ts";
import { ANYTHING, BLIND, type Effect } from "./timeline.ts";

/** {@link States.after}: the operation cannot have been answered as it was. */
export const REFUSED = -1;
/** Some state, no matter which: nothing will look at it before it is replaced. */
export const BLANK = -2;

/** Every state met so far, once, and where each effect led from it. */
export class States<State, Op> {
  /** The state before anything happened. */
  readonly initial: number;
  private readonly model: Model<State, Op>;
  private readonly effects: number;
  private readonly states: State[] = [];
  /** Ids by hash; states of one hash form a chain. */
  private readonly first = new Map<number, number>();
  private readonly next: number[] = [];
  /** By state and effect. */
  private readonly steps = new Map<number, number>();

  /** @param effects - How many effects there are. */
  constructor(model: Model<State, Op>, effects: number) {
    this.model = model;
    this.effects = effects;
    this.initial = this.idOf(model.initial);
  }

  /** The state that an effect leaves, or {@link REFUSED}. */
  after(state: number, effect: Effect<Op>): number {
    if (state === BLANK) {
      if (effect.needs === BLIND) return this.after(this.initial, effect);
      return effect.needs === ANYTHING && effect.grows ? BLANK : REFUSED;
    }
    const step = state * this.effects + effect.id;
    let after = this.steps.get(step);
    if (after === undefined) {
      const result = this.model.apply(this.states[state]!, effect.op);
      after = result === undefined ? REFUSED : this.idOf(result);
      this.steps.set(step, after);
    }
    return after;
  }

  /** Whether an operation that only reads can have been answered in a state as it was. */
  accepts(state: number, effect: Effect<Op>): boolean {
    return state !== BLANK && this.model.apply(this.states[state]!, effect.op) !== undefined;
  }

  /** Whether {@link reaches} can be anything but true. */
  get comparesReach(): boolean {
    return this.model.reaches !== undefined;
  }

  /** Whether growth may lead from a state that `reset` leaves to one that does not refuse `effect`. */
  leadsTo(reset: Effect<Op>, effect: Effect<Op>): boolean {
    const left = this.model.leaves?.(reset.op);
    return left === undefined || this.model.reaches?.(left, effect.op) !== false;
  }

  /** Whether growth may lead from a state to one that does not refuse the effect. */
  reaches(state: number, effect: Effect<Op>): boolean {
    return state !== BLANK && this.model.reaches?.(this.states[state]!, effect.op) !== false;
  }

  private idOf(state: State): number {
    const hash = this.model.hash(state);
    const head = this.first.get(hash) ?? -1;
    for (let id = head; id !== -1; id = this.next[id]!) {
      if (this.model.equal(this.states[id]!, state)) return id;
    }
    const id = this.states.length;
    this.states.push(state);
    this.next.push(head);
    this.first.set(hash, id);
    return id;
  }
}
