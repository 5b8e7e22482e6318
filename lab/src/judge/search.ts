/**
 * Just-in-time linearization (Lowe, *Testing for linearizability*, 2017, section 6)
 * of the operations of one key, depth first.
 *
 * The search walks through time. What has happened by then is a configuration:
 * a state, and those operations under way that have happened already. Calls
 * change nothing. A return demands that its operation has happened; only then
 * are operations under way made to happen, fewest first, until it has.
 *
 * What keeps this from trying everything:
 *
 * - An operation that only reads happens as soon as the state agrees with its
 *   answer. That costs nothing, so that it is never a choice.
 * - Unknown operations of one effect are one counter, not many operations; among
 *   known ones of one effect the first to return happens first.
 * - An unknown operation happens only where something under way could see it.
 * - Of two configurations the one that {@link Visited dominates} is enough.
 * - The {@link Outlook} gives up what the answers still to come rule out.
 *
 * The problem is NP-complete. The search can be stopped and resumed at any point.
 */

import {
  type Configuration,
  countAt,
  counted,
  isDone,
  orderOf,
  Visited,
  zeroCounts,
} from "./configuration.ts";
import type { Call, Model } from "./model.ts";
import { Outlook } from "./outlook.ts";
import { Present } from "./present.ts";
import { BLANK, REFUSED, States } from "./states.ts";
import { BLIND, type Effect, type Horizon, type Item, type Timeline } from "./timeline.ts";
import { timelineOf } from "./timeline.ts";

/** `spent`: the work allowed was not enough to tell. */
export type Outcome = "linearizable" | "illegal" | "spent";

/** Configurations at one return whose operation must happen. */
interface Frame<Op> {
  readonly position: number;
  /** Those in which it has not happened, fewest steps first; `head` of them have been tried. */
  readonly queue: Configuration<Op>[];
  head: number;
  /** Those in which it has, to be gone on from; the last one first. */
  readonly goals: Configuration<Op>[];
}

export class Search<State, Op> {
  /** Work done, in units of about one operation tried. */
  work = 0;
  private readonly timeline: Timeline<Op>;
  private readonly states: States<State, Op>;
  private readonly present: Present<Op>;
  private readonly outlook: Outlook<State, Op>;
  private readonly visited: Visited<Op>;
  private readonly frames: Frame<Op>[] = [];
  /** The configuration that came furthest. */
  private best: Configuration<Op>;
  /** By effect: the operation under way that is the first to return, and for which expansion. */
  private readonly leaders: (Item<Op> | undefined)[];

  /** @param horizon - The last return that counts; all by default. */
  constructor(model: Model<State, Op>, calls: readonly Call<Op>[], horizon?: Horizon) {
    const timeline = timelineOf(model, calls, horizon);
    this.timeline = timeline;
    this.states = new States(model, timeline.effects.length);
    this.present = new Present(timeline);
    this.outlook = new Outlook(timeline, this.states, this.present);
    this.visited = new Visited(timeline.writerWords);
    this.leaders = timeline.effects.map(() => undefined);
    this.best = {
      position: 0,
      state: this.states.initial,
      name: timeline.origin,
      done: Array.from({ length: timeline.words }, () => 0),
      used: zeroCounts(timeline.unknown.length),
      idle: false,
      length: 0,
      parent: undefined,
      happened: [],
      next: undefined,
    };
    this.advance(this.best);
    const { position } = this.best;
    if (!this.outlook.hopeless) {
      this.frames.push({ position, queue: [], head: 0, goals: [this.best] });
    }
  }

  /** The indices of the operations in the longest order found, in that order. */
  get order(): readonly number[] {
    return orderOf(this.best);
  }

  /** The index of the operation at whose return the longest order stops, if it does. */
  get stuckAt(): number | undefined {
    return this.timeline.events[this.best.position]?.item.index;
  }

  /** Goes on until the answer is known or so much more work is done. */
  run(allowance: number): Outcome {
    const until = this.work + allowance;
    while (this.work < until) {
      const frame = this.frames.at(-1);
      if (frame === undefined) return "illegal";
      const goal = frame.goals.pop();
      if (goal !== undefined) {
        if (goal.position === this.timeline.events.length) return "linearizable";
        this.frames.push({ position: goal.position, queue: [goal], head: 0, goals: [] });
      } else if (frame.head < frame.queue.length) {
        this.expand(frame, frame.queue[frame.head++]!);
      } else {
        this.frames.pop();
      }
    }
    return "spent";
  }

  /** Lets one more operation happen, each that can. */
  private expand(frame: Frame<Op>, from: Configuration<Op>): void {
    const { present } = this;
    this.work += Math.abs(frame.position - present.position) + present.writers.size;
    present.moveTo(frame.position);
    const target = this.timeline.events[frame.position]!.item;
    const leading = this.lead(from);
    for (const item of leading) this.attempt(frame, from, item, target);
    const restless = present.isRestless(from.name);
    for (const effect of this.timeline.unknown) {
      if (!restless && !present.isWatched(effect.leaves)) continue;
      const item = effect.unknown[countAt(from.used, effect.counter)];
      if (item === undefined || item.callAt > frame.position) continue;
      // One that is known does the same, and this one can wait for ever.
      if (this.leaders[effect.id] !== undefined) continue;
      this.attempt(frame, from, item, target);
    }
    this.work += this.timeline.unknown.length >> 3;
    for (const { effect } of leading) this.leaders[effect.id] = undefined;
    frame.goals.reverse();
  }

  /** The known operations to try: of each effect the first to return. */
  private lead(from: Configuration<Op>): readonly Item<Op>[] {
    const effects: Effect<Op>[] = [];
    for (const item of this.present.writers) {
      if (isDone(from, item)) continue;
      const leader = this.leaders[item.effect.id];
      if (leader === undefined) effects.push(item.effect);
      if (leader === undefined || item.returnAt < leader.returnAt) {
        this.leaders[item.effect.id] = item;
      }
    }
    return effects.map((effect) => this.leaders[effect.id]!);
  }

  private attempt(
    frame: Frame<Op>,
    from: Configuration<Op>,
    item: Item<Op>,
    target: Item<Op>,
  ): void {
    this.work++;
    const { effect } = item;
    // Had the unknown operation before not happened, nobody could tell.
    if (from.idle && effect.needs === BLIND) return;
    const state = this.states.after(from.state, effect);
    if (state === REFUSED || (item.unknown && state === from.state)) return;
    if (item.unknown && this.outlook.isOutgrown(from, state)) return;
    const to = this.follow(from, item, state);
    if (this.outlook.isBlank(to)) {
      if (to.idle) return; // Nobody has seen it and nobody will.
      to.state = BLANK;
    }
    if (this.outlook.isDoomed(to, from.name)) return;
    const reached = isDone(to, target);
    if (reached) this.advance(to);
    if (!this.visited.add(to)) return;
    if (reached) frame.goals.push(to);
    else frame.queue.push(to);
  }

  /** The configuration after an operation and all that may as well happen with it. */
  private follow(from: Configuration<Op>, item: Item<Op>, state: number): Configuration<Op> {
    const { effect, unknown } = item;
    const done = from.done.slice();
    const happened: Item<Op>[] = [];
    if (effect.needs === BLIND) this.hide(from, item, done, happened);
    happened.push(item);
    if (!unknown) done[item.word]! |= item.bit;
    const before = happened.length;
    for (const reader of this.present.readers) {
      if ((done[reader.word]! & reader.bit) !== 0) continue;
      if (!this.states.accepts(state, reader.effect)) continue;
      done[reader.word]! |= reader.bit;
      happened.push(reader);
    }
    const used = unknown ? counted(from.used, effect.counter) : from.used;
    this.work +=
      8 + done.length + (unknown ? 8 + (used.length >> 3) : 0) + this.present.readers.size;
    return {
      position: from.position,
      state,
      name: effect.leaves,
      done,
      used,
      idle: unknown && happened.length === before,
      length: from.length + happened.length,
      parent: from,
      happened,
      next: undefined,
    };
  }

  /** Lets writes that nobody looks for happen just before one that overwrites them. */
  private hide(
    from: Configuration<Op>,
    overwriter: Item<Op>,
    done: number[],
    happened: Item<Op>[],
  ): void {
    for (const item of this.present.writers) {
      if (item === overwriter || isDone(from, item)) continue;
      if (!this.outlook.isHidden(item.effect, from.position)) continue;
      done[item.word]! |= item.bit;
      happened.push(item);
    }
    this.work += this.present.writers.size;
  }

  /** Goes on to the next return whose operation has not happened. */
  private advance(configuration: Configuration<Op>): void {
    const { events } = this.timeline;
    const { done, happened, state } = configuration;
    configuration.idle = false;
    for (; configuration.position < events.length; configuration.position++) {
      const { type, item } = events[configuration.position]!;
      if (type === "return") {
        if (!isDone(configuration, item)) break;
        done[item.word]! &= ~item.bit;
      } else if (item.effect.readOnly && this.states.accepts(state, item.effect)) {
        done[item.word]! |= item.bit;
        happened.push(item);
        configuration.length++;
      }
      this.work++;
    }
    const { best } = this;
    const ahead = configuration.position - best.position || configuration.length - best.length;
    if (ahead > 0) this.best = configuration;
  }
}
