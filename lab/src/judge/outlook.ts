/**
 * What the rest of a timeline says about a configuration: whether an answer
 * still to come has become impossible, and which writes nobody will ever see.
 *
 * Three observations, each exact where it speaks and silent where the model
 * names no states:
 *
 * - A state that only one operation leaves is gone for good once left. Nobody may
 *   leave it who still has an answer to give in it.
 * - Where operations only grow the state, it must remain within reach of the
 *   next answer (a text must be a prefix of the next text read).
 * - A write whose state nobody looks for may be thought overwritten at once.
 */

import { type Configuration, isDone } from "./configuration.ts";
import type { States } from "./states.ts";
import { ANYTHING, BLIND, OTHER, type Effect, type Item, type Timeline } from "./timeline.ts";

export class Outlook<State, Op> {
  private readonly timeline: Timeline<Op>;
  private readonly states: States<State, Op>;
  /** Whether every operation that writes names the state that it leaves. */
  private readonly named: boolean;
  /** By name: how many operations leave the state, the beginning counted as one. */
  private readonly sources: number[];
  /** By name: the operations that must be answered in the state, by return. */
  private readonly watchers: Item<Op>[][];
  /** By name: the position of the last return of an operation that needs the state. */
  private readonly lastWatched: number[];
  /** The same for operations that may depend on any state. */
  private lastWatchingAnything = -1;
  /** The last return of an operation that writes and does not grow. */
  private lastReset = -1;
  /** By position: that of the next return which the model can compare, or the end. */
  private readonly nextAnswer: number[];

  constructor(timeline: Timeline<Op>, states: States<State, Op>) {
    this.timeline = timeline;
    this.states = states;
    const byName = Array.from({ length: timeline.names });
    this.sources = byName.map((_, name) => (name === timeline.origin ? 1 : 0));
    this.watchers = byName.map(() => []);
    this.lastWatched = byName.map(() => -1);
    const { events } = timeline;
    for (const { type, item } of events) if (type === "call") this.note(item);
    for (const watchers of this.watchers) watchers.sort((a, b) => a.returnAt - b.returnAt);
    this.named =
      timeline.origin >= 0 &&
      events.every(({ item: { effect } }) => effect.readOnly || effect.leaves !== ANYTHING);
    this.nextAnswer = Array.from({ length: events.length + 1 }, () => events.length);
    for (let at = events.length - 1; at >= 0; at--) {
      const { type, item } = events[at]!;
      const comparable = item.effect.readOnly || item.effect.needs >= 0;
      this.nextAnswer[at] = type === "return" && comparable ? at : this.nextAnswer[at + 1]!;
    }
  }

  /** Whether some answer needs a state that nothing leaves before it. */
  get hopeless(): boolean {
    if (!this.named) return false;
    const { events, origin, names } = this.timeline;
    const left = Array.from({ length: names }, (_, name) => name === origin);
    for (const { type, item } of events) {
      const { needs, leaves, readOnly } = item.effect;
      if (type === "call" && !readOnly) left[leaves] = true;
      if (type === "return" && needs >= 0 && !left[needs]) return true;
    }
    return false;
  }

  /** Whether a write may be thought overwritten without anybody having seen it, from a position on. */
  isHidden({ needs, leaves }: Effect<Op>, position: number): boolean {
    return (
      needs === BLIND &&
      leaves >= 0 &&
      this.lastWatchingAnything < position &&
      this.lastWatched[leaves]! < position
    );
  }

  /** Whether no answer to the rest can be found after this step. `from`: the name of the state left. */
  isDoomed(configuration: Configuration<Op>, from: number): boolean {
    return this.leftTooEarly(configuration, from) || this.outgrown(configuration);
  }

  private leftTooEarly(configuration: Configuration<Op>, from: number): boolean {
    if (!this.named || from === configuration.name || this.sources[from] !== 1) return false;
    const watchers = this.watchers[from]!;
    const { position } = configuration;
    for (let i = watchers.length - 1; i >= 0; i--) {
      const watcher = watchers[i]!;
      if (watcher.returnAt < position) return false;
      if (watcher.callAt > position || !isDone(configuration, watcher)) return true;
    }
    return false;
  }

  private outgrown(configuration: Configuration<Op>): boolean {
    const { position, state } = configuration;
    if (position <= this.lastReset) return false;
    const { events } = this.timeline;
    let at = this.nextAnswer[position]!;
    while (at < events.length) {
      const { item } = events[at]!;
      if (item.callAt > position || !isDone(configuration, item)) {
        return !this.states.reaches(state, item.effect);
      }
      at = this.nextAnswer[at + 1]!;
    }
    return false;
  }

  private note(item: Item<Op>): void {
    const { readOnly, needs, leaves, grows } = item.effect;
    const { returnAt } = item;
    if (!readOnly && leaves >= 0) this.sources[leaves]!++;
    if (!readOnly && !grows) this.lastReset = Math.max(this.lastReset, returnAt);
    if (needs >= 0) {
      this.lastWatched[needs] = Math.max(this.lastWatched[needs]!, returnAt);
      if (returnAt !== Infinity) this.watchers[needs]!.push(item);
    } else if (needs === ANYTHING || needs === OTHER) {
      this.lastWatchingAnything = Math.max(this.lastWatchingAnything, returnAt);
    }
  }
}
