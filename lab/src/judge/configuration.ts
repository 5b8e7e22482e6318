/** Where a search can stand: how far in time, in which state, and what has happened early. */

import type { Item } from "./timeline.ts";

export interface Configuration<Op> {
  /** Events before this position are accounted for. */
  position: number;
  state: number;
  /** The name of the state, or negative if it has none. */
  readonly name: number;
  /** Bits of the operations under way that have happened: first those that write, then readers. */
  readonly done: number[];
  /** By counter of an effect: how many unknown operations that have it have happened. */
  readonly used: Counts;
  /** True if the last thing that happened is an unknown operation that nobody has seen. */
  idle: boolean;
  /** How many operations have happened since the beginning. */
  length: number;
  readonly parent: Configuration<Op> | undefined;
  /** What happened after the parent, in order. */
  readonly happened: Item<Op>[];
  /** The next one of those visited with the same hash. */
  next: Configuration<Op> | undefined;
}

export function isDone<Op>(configuration: Configuration<Op>, item: Item<Op>): boolean {
  return item.word >= 0 && (configuration.done[item.word]! & item.bit) !== 0;
}

/** The indices of all that happened, in order. */
export function orderOf<Op>(configuration: Configuration<Op>): readonly number[] {
  const order: number[] = [];
  for (let at: Configuration<Op> | undefined = configuration; at !== undefined; at = at.parent) {
    for (let i = at.happened.length - 1; i >= 0; i--) order.push(at.happened[i]!.index);
  }
  return order.toReversed();
}

/**
 * The configurations met, without those that another one dominates: at the same
 * position, in the same state and with the same writes done, it has answered all
 * the same reads and has used up no unknown operation that the other has not.
 * Whatever can still follow the one can follow the other.
 */
export class Visited<Op> {
  private readonly writerWords: number;
  private readonly buckets = new Map<number, Configuration<Op>>();

  constructor(writerWords: number) {
    this.writerWords = writerWords;
  }

  /** Keeps a configuration, or returns false if one that dominates it was kept before. */
  add(configuration: Configuration<Op>): boolean {
    const hash = this.hash(configuration);
    const head = this.buckets.get(hash);
    for (let at = head; at !== undefined; at = at.next) {
      if (this.dominates(at, configuration)) return false;
    }
    configuration.next = head;
    this.buckets.set(hash, configuration);
    return true;
  }

  private hash({ position, state, done }: Configuration<Op>): number {
    let hash = Math.imul(position, 0x85ebca6b) ^ state;
    for (let i = 0; i < this.writerWords; i++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ done[i]!, 0xc2b2ae35);
    }
    return (hash ^ (hash >>> 15)) & 0x3fffffff;
  }

  private dominates(a: Configuration<Op>, b: Configuration<Op>): boolean {
    if (a.position !== b.position || a.state !== b.state) return false;
    for (let i = 0; i < a.done.length; i++) {
      const [x, y] = [a.done[i]!, b.done[i]!];
      if (i < this.writerWords ? x !== y : (y & ~x) !== 0) return false;
    }
    return isWithin(a.used, b.used);
  }
}

/** How often each unknown effect has happened, in chunks that configurations share. */
export type Counts = readonly (readonly number[])[];

const CHUNK = 32;
const ZEROS: readonly number[] = Array.from({ length: CHUNK }, () => 0);

export function zeroCounts(length: number): Counts {
  return Array.from({ length: Math.ceil(length / CHUNK) }, () => ZEROS);
}

export function countAt(counts: Counts, at: number): number {
  return counts[Math.floor(at / CHUNK)]![at % CHUNK]!;
}

/** The counts with one of them one higher. */
export function counted(counts: Counts, at: number): Counts {
  const chunks = counts.slice();
  const chunk = chunks[Math.floor(at / CHUNK)]!.slice();
  chunk[at % CHUNK]!++;
  chunks[Math.floor(at / CHUNK)] = chunk;
  return chunks;
}

/** Whether no count is higher than its counterpart. */
function isWithin(a: Counts, b: Counts): boolean {
  if (a === b) return true;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (x === y) continue;
    for (let j = 0; j < CHUNK; j++) if (x[j]! > y[j]!) return false;
  }
  return true;
}
