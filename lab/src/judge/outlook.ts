/**
 * What the rest of a timeline says about a configuration: whether an answer
 * still to come has become impossible, and which writes nobody will ever see.
 *
 * Three observations, each exact where it speaks and silent where the model
 * names no states:
 *
 * - A state that only one operation leaves is gone for good once left. Nobody may
 *   leave it who still has an answer to give in it.
 * - The next answer must remain within reach of growth (a text must be a prefix
 *   of the next text read), from the state as it is or from one that an operation
 *   still to happen puts in its place.
 * - A write whose state nobody looks for may be thought overwritten at once.
 */

import { type Configuration, countAt, isDone } from "./configuration.ts";
import type { Present } from "./present.ts";
import { BLANK, type States } from "./states.ts";
import { ANYTHING, BLIND, OTHER, type Effect, type Item, type Timeline } from "./timeline.ts";

export class Outlook<State, Op> {
  private readonly timeline: Timeline<Op>;
  private readonly states: States<State, Op>;
  private readonly present: Present<Op>;
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
  /** Operations that write and do not grow, in the order of their calls. */
  private readonly resets: Item<Op>[] = [];
  /** By position: how many of them have been called. */
  private readonly resetsBefore: number[];
  /** Whether anything grows and the model can tell how far. */
  private readonly growing: boolean;
  /** Whether something writes depending on the state in ways that the model cannot compare. */
  private readonly opaque: boolean;
  private readonly comparableUnknown: readonly Effect<Op>[];
  /** By operation: the unknown resets that its answer can be reached from. */
  private readonly unknownResets = new Map<Item<Op>, readonly Effect<Op>[]>();
  /** By position: that of the next return which the model can compare, or the end. */
  private readonly nextAnswer: number[];

  constructor(timeline: Timeline<Op>, states: States<State, Op>, present: Present<Op>) {
    this.timeline = timeline;
    this.states = states;
    this.present = present;
    const byName = Array.from({ length: timeline.names });
    this.sources = byName.map((_, name) => (name === timeline.origin ? 1 : 0));
    this.watchers = byName.map(() => []);
    this.lastWatched = byName.map(() => -1);
    const { events } = timeline;
    this.resetsBefore = [0];
    for (const { type, item } of events) {
      if (type === "call") this.note(item);
      this.resetsBefore.push(this.resets.length);
    }
    this.growing = states.comparesReach && timeline.effects.some(({ grows }) => grows);
    for (const watchers of this.watchers) watchers.sort((a, b) => a.returnAt - b.returnAt);
    this.named =
      timeline.origin >= 0 &&
      events.every(({ item: { effect } }) => effect.readOnly || effect.leaves !== ANYTHING);
    this.opaque = events.some(
      ({ item: { effect } }) => !effect.readOnly && effect.needs === ANYTHING && !effect.grows,
    );
    this.comparableUnknown = timeline.unknown.filter(isComparable);
    this.nextAnswer = Array.from({ length: events.length + 1 }, () => events.length);
    for (let at = events.length - 1; at >= 0; at--) {
      const { type, item } = events[at]!;
      const isAnswer = type === "return" && isComparable(item.effect);
      this.nextAnswer[at] = isAnswer ? at : this.nextAnswer[at + 1]!;
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
    return this.leftTooEarly(configuration, from) || this.isOutgrown(configuration);
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

  /** Whether the next answer is out of reach, from the configuration's state or from another. */
  isOutgrown(configuration: Configuration<Op>, state: number = configuration.state): boolean {
    if (!this.growing) return false;
    const answer = this.answerAfter(configuration);
    if (answer === undefined || this.states.reaches(state, answer.effect)) return false;
    return !this.mayReset(configuration, answer);
  }

  /** The operation that is the next to return of those that the model can compare and that have not happened. */
  private answerAfter(configuration: Configuration<Op>): Item<Op> | undefined {
    const { events } = this.timeline;
    let at = this.nextAnswer[configuration.position]!;
    while (at < events.length) {
      const { item } = events[at]!;
      if (!hasHappened(configuration, item)) return item;
      at = this.nextAnswer[at + 1]!;
    }
    return undefined;
  }

  /** Whether an operation still to happen may leave a state from which the answer can be reached. */
  private mayReset(configuration: Configuration<Op>, answer: Item<Op>): boolean {
    const { position, used } = configuration;
    for (const item of this.present.writers) {
      if (item === answer || item.effect.grows || isDone(configuration, item)) continue;
      if (this.states.leadsTo(item.effect, answer.effect)) return true;
    }
    const end = this.resetsBefore[answer.returnAt]!;
    for (let i = this.resetsBefore[position]!; i < end; i++) {
      const { unknown, effect } = this.resets[i]!;
      if (!unknown && this.states.leadsTo(effect, answer.effect)) return true;
    }
    return this.unknownResetsTo(answer).some((effect) => {
      const next = effect.unknown[countAt(used, effect.counter)];
      return next !== undefined && next.callAt < answer.returnAt;
    });
  }

  private unknownResetsTo(answer: Item<Op>): readonly Effect<Op>[] {
    let found = this.unknownResets.get(answer);
    if (found === undefined) {
      found = this.timeline.unknown.filter(
        (effect) => !effect.grows && this.states.leadsTo(effect, answer.effect),
      );
      this.unknownResets.set(answer, found);
    }
    return found;
  }

  /**
   * Whether nothing can tell the state, or anything that grows from it, until it is replaced: the
   * next answer needs it replaced, and whoever is called before that is out of reach too.
   */
  isBlank(configuration: Configuration<Op>): boolean {
    const { state, position, used } = configuration;
    if (!this.growing || this.opaque || state === BLANK) return false;
    const answer = this.answerAfter(configuration);
    if (answer !== undefined && this.states.reaches(state, answer.effect)) return false;
    const { events } = this.timeline;
    const { readers, writers } = this.present;
    const mayTell = (item: Item<Op>): boolean =>
      isComparable(item.effect) &&
      !hasHappened(configuration, item) &&
      this.states.reaches(state, item.effect);
    for (const item of readers) if (mayTell(item)) return false;
    for (const item of writers) if (mayTell(item)) return false;
    const end = answer?.returnAt ?? events.length;
    for (let at = position + 1; at < end; at++) {
      const { type, item } = events[at]!;
      if (type === "call" && !item.unknown && mayTell(item)) return false;
    }
    return !this.comparableUnknown.some(
      (effect) =>
        countAt(used, effect.counter) < effect.unknown.length && this.states.reaches(state, effect),
    );
  }

  private note(item: Item<Op>): void {
    const { readOnly, needs, leaves, grows } = item.effect;
    const { returnAt } = item;
    if (!readOnly && leaves >= 0) this.sources[leaves]!++;
    if (!readOnly && !grows) this.resets.push(item);
    if (needs >= 0) {
      this.lastWatched[needs] = Math.max(this.lastWatched[needs]!, returnAt);
      if (returnAt !== Infinity) this.watchers[needs]!.push(item);
    } else if (needs === ANYTHING || needs === OTHER) {
      this.lastWatchingAnything = Math.max(this.lastWatchingAnything, returnAt);
    }
  }
}

/** Whether {@link Model.reaches} may say something of an operation. */
function isComparable<Op>({ readOnly, needs }: Effect<Op>): boolean {
  return readOnly || needs >= 0;
}

/** Of an operation that has not returned. */
function hasHappened<Op>(configuration: Configuration<Op>, item: Item<Op>): boolean {
  return item.callAt <= configuration.position && isDone(configuration, item);
}
