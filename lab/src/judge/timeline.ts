/**
 * The operations of one key as a sequence of calls and returns, with all that
 * the search asks of them worked out beforehand: effects and the names of
 * states as small integers, a bit for each operation that is under way.
 *
 * At equal times calls come before returns, so that closed intervals overlap.
 * Unknown operations have a call and no return; unknown reads are left out,
 * since nothing can be learnt from them.
 */

import type { Call, Model } from "./model.ts";

/** {@link Effect.needs}: no state refuses it, and it leaves the same state whatever it found. */
export const BLIND = -1;
/** {@link Effect.needs} and {@link Effect.leaves}: cannot tell. */
export const ANYTHING = -2;
/** {@link Effect.needs}: any state but that of {@link Effect.avoids}. */
export const OTHER = -3;

/** Bits in a word of a configuration. Small enough for the engine to keep words unboxed. */
const WORD_BITS = 30;

/** What operations do to a state, shared by all that do the same. */
export interface Effect<Op> {
  readonly id: number;
  /** Any operation that has it. */
  readonly op: Op;
  readonly readOnly: boolean;
  /** The state that it needs, {@link BLIND}, {@link OTHER} or {@link ANYTHING}. */
  readonly needs: number;
  /** The only state that refuses it, or {@link ANYTHING}. */
  readonly avoids: number;
  /** The state that it leaves, or {@link ANYTHING}. */
  readonly leaves: number;
  readonly grows: boolean;
  /** Unknown operations that have it, in the order of their calls. */
  readonly unknown: Item<Op>[];
  /** Its place among the effects that unknown operations have, or -1. */
  counter: number;
}

/** One operation that the search must or may place. */
export interface Item<Op> {
  /** Its index among the calls given. */
  readonly index: number;
  readonly effect: Effect<Op>;
  /** The position of its call among the events. */
  callAt: number;
  /** The position of its return; infinite if it need never happen. */
  returnAt: number;
  /** True if its outcome is unknown, so that it is counted and not named. */
  readonly unknown: boolean;
  /** Where a configuration keeps whether it happened. */
  word: number;
  bit: number;
}

export interface Event<Op> {
  readonly type: "call" | "return";
  readonly item: Item<Op>;
}

export interface Timeline<Op> {
  readonly events: readonly Event<Op>[];
  readonly effects: readonly Effect<Op>[];
  /** The effects that unknown operations have. */
  readonly unknown: readonly Effect<Op>[];
  /** Words of a configuration for operations that write, and for all. */
  readonly writerWords: number;
  readonly words: number;
  /** How many states have names; the name of the initial one. */
  readonly names: number;
  readonly origin: number;
}

/** The calls up to a certain return, of which those that return later may happen but need not. */
export function timelineOf<State, Op>(
  model: Model<State, Op>,
  calls: readonly Call<Op>[],
  horizon: Horizon = { ret: Infinity, index: Infinity },
): Timeline<Op> {
  const names = new Map<string, number>();
  const effects = new Map<string, Effect<Op>>();
  const origin = model.origin === undefined ? ANYTHING : intern(names, model.origin);
  const moments: Moment<Op>[] = [];
  for (const [index, { op, call, ret }] of calls.entries()) {
    if (call > horizon.ret) continue;
    const effect = effectOf(model, op, effects, names);
    const required = ret !== undefined && isWithin(horizon, ret, index);
    if (effect.readOnly && !required) continue;
    const item: Item<Op> = {
      index,
      effect,
      callAt: -1,
      returnAt: Infinity,
      unknown: ret === undefined,
      word: -1,
      bit: 0,
    };
    moments.push({ type: "call", item, time: call });
    if (required) moments.push({ type: "return", item, time: ret });
  }
  moments.sort(earlier);
  const { writerWords, words } = place(moments);
  const all = [...effects.values()];
  const unknown = all.filter((effect) => effect.unknown.length > 0);
  for (const [counter, effect] of unknown.entries()) effect.counter = counter;
  return {
    events: moments,
    effects: all,
    unknown,
    writerWords,
    words,
    names: names.size,
    origin,
  };
}

/** A return: nothing after it counts. Returns are ordered by time, then by index. */
export interface Horizon {
  readonly ret: number;
  readonly index: number;
}

function isWithin(horizon: Horizon, ret: number, index: number): boolean {
  return ret < horizon.ret || (ret === horizon.ret && index <= horizon.index);
}

interface Moment<Op> extends Event<Op> {
  readonly time: number;
}

function earlier<Op>(a: Moment<Op>, b: Moment<Op>): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.type !== b.type) return a.type === "call" ? -1 : 1;
  return a.item.index - b.item.index;
}

function effectOf<State, Op>(
  model: Model<State, Op>,
  op: Op,
  effects: Map<string, Effect<Op>>,
  names: Map<string, number>,
): Effect<Op> {
  const { effect: name, readOnly, needs, avoids, leaves, grows = false } = model.traits(op);
  const known = effects.get(name);
  if (known !== undefined) return known;
  const unnamed = avoids === undefined ? ANYTHING : OTHER;
  const effect: Effect<Op> = {
    id: effects.size,
    op,
    readOnly,
    needs: needs === undefined ? unnamed : needs === null ? BLIND : intern(names, needs),
    avoids: avoids === undefined ? ANYTHING : intern(names, avoids),
    leaves: leaves === undefined ? ANYTHING : intern(names, leaves),
    grows,
    unknown: [],
    counter: -1,
  };
  effects.set(name, effect);
  return effect;
}

function intern(names: Map<string, number>, name: string): number {
  let id = names.get(name);
  if (id === undefined) names.set(name, (id = names.size));
  return id;
}

/** Numbers the events and gives bits to operations; one that returned leaves its bit to another. */
function place<Op>(moments: readonly Moment<Op>[]): { writerWords: number; words: number } {
  const writers = new Places();
  const readers = new Places();
  const slots = new Map<Item<Op>, number>();
  for (const [at, { type, item }] of moments.entries()) {
    const places = item.effect.readOnly ? readers : writers;
    if (type === "return") {
      item.returnAt = at;
      places.leave(slots.get(item)!);
      continue;
    }
    item.callAt = at;
    if (item.unknown) item.effect.unknown.push(item);
    else slots.set(item, places.take());
  }
  const writerWords = Math.ceil(writers.count / WORD_BITS);
  for (const [item, slot] of slots) {
    const first = item.effect.readOnly ? writerWords : 0;
    item.word = first + Math.floor(slot / WORD_BITS);
    item.bit = 1 << (slot % WORD_BITS);
  }
  return { writerWords, words: writerWords + Math.ceil(readers.count / WORD_BITS) };
}

/** Hands out the small integers that nobody has. */
class Places {
  /** How many were ever in use at one time. */
  count = 0;
  private readonly free: number[] = [];

  take(): number {
    return this.free.pop() ?? this.count++;
  }

  leave(place: number): void {
    this.free.push(place);
  }
}
