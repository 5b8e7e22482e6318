/**
 * A causal context: which dots have been seen (Almeida, Shoker and Baquero,
 * _Delta state replicated data types_, 2018, §7). For each actor a counter up
 * to which all were seen, and beyond it ranges, the dot cloud. Ranges that come
 * to touch are one, so that a context that was seen in order is a vector,
 * whatever the order of arrival (D06).
 */

import { counterOf, indexOf, type PackedDot } from "./dots.ts";

/** Ranges as from, to, from, to …: inclusive, ascending, with a gap between any two. */
type Ranges = number[];

/** Mutable, plain data. By the replica's actor indexes. */
export class CausalContext {
  /** Dots 1 … `vector[index]` have been seen. May be shorter than there are actors. */
  readonly vector: number[] = [];
  /** What was seen beyond, for actors of which something was. */
  readonly cloud: Map<number, Ranges> = new Map();

  has(dot: PackedDot): boolean {
    return this.hasCounter(indexOf(dot), counterOf(dot));
  }

  hasCounter(index: number, counter: number): boolean {
    if (counter <= this.upTo(index)) return true;
    const ranges = this.cloud.get(index);
    return ranges !== undefined && counter <= endOfRangeAt(ranges, counter);
  }

  /** The counter up to which all dots of an actor have been seen. */
  upTo(index: number): number {
    return this.vector[index] ?? 0;
  }

  /** The highest counter seen of an actor. */
  highest(index: number): number {
    return this.cloud.get(index)?.at(-1) ?? this.upTo(index);
  }

  /** The lowest counter seen of an actor of which something was. */
  lowest(index: number): number {
    return this.upTo(index) > 0 ? 1 : (this.cloud.get(index)?.[0] ?? 0);
  }

  /** How many ranges lie beyond the vector. */
  get gaps(): number {
    let gaps = 0;
    for (const ranges of this.cloud.values()) gaps += ranges.length / 2;
    return gaps;
  }

  add(dot: PackedDot): void {
    const counter = counterOf(dot);
    this.addRange(indexOf(dot), counter, counter);
  }

  /** Adds the dots `from` … `to` of an actor. */
  addRange(index: number, from: number, to: number): void {
    const upTo = this.upTo(index);
    if (to <= upTo) return;
    if (from > upTo + 1) return this.addToCloud(index, from, to);
    while (this.vector.length <= index) this.vector.push(0);
    this.vector[index] = to;
    const ranges = this.cloud.get(index);
    if (ranges === undefined) return;
    let absorbed = 0;
    while (absorbed < ranges.length && ranges[absorbed]! <= this.vector[index] + 1) {
      this.vector[index] = Math.max(this.vector[index], ranges[absorbed + 1]!);
      absorbed += 2;
    }
    if (absorbed === ranges.length) this.cloud.delete(index);
    else ranges.splice(0, absorbed);
  }

  private addToCloud(index: number, from: number, to: number): void {
    const ranges = this.cloud.get(index);
    if (ranges === undefined) {
      this.cloud.set(index, [from, to]);
      return;
    }
    const last = ranges.length - 1;
    if (from > ranges[last]!) {
      if (from === ranges[last]! + 1) ranges[last] = to;
      else ranges.push(from, to);
      return;
    }
    let start = 0;
    while (start < ranges.length && ranges[start + 1]! < from - 1) start += 2;
    let end = start;
    while (end < ranges.length && ranges[end]! <= to + 1) end += 2;
    const low = start < end ? Math.min(from, ranges[start]!) : from;
    const high = start < end ? Math.max(to, ranges[end - 1]!) : to;
    ranges.splice(start, end - start, low, high);
  }

  merge(other: CausalContext): void {
    for (const index of other.indexes()) {
      other.eachRange(index, (from, to) => this.addRange(index, from, to));
    }
  }

  includes(other: CausalContext): boolean {
    let outside = 0;
    for (const index of other.indexes()) {
      other.eachRange(index, (from, to) => {
        if (!this.includesRange(index, from, to)) outside += 1;
      });
      if (outside > 0) return false;
    }
    return true;
  }

  /** The actors of which something was seen, ascending by index. */
  indexes(): readonly number[] {
    const indexes = [...this.cloud.keys()].filter((index) => this.upTo(index) === 0);
    for (let index = 0; index < this.vector.length; index++) {
      if (this.vector[index]! > 0) indexes.push(index);
    }
    return indexes.toSorted((a, b) => a - b);
  }

  /** Visits what was seen of an actor, as ranges in order. */
  eachRange(index: number, visit: (from: number, to: number) => void): void {
    if (this.upTo(index) > 0) visit(1, this.upTo(index));
    const ranges = this.cloud.get(index) ?? [];
    for (let i = 0; i < ranges.length; i += 2) visit(ranges[i]!, ranges[i + 1]!);
  }

  private includesRange(index: number, from: number, to: number): boolean {
    if (to <= this.upTo(index)) return true;
    const rest = Math.max(from, this.upTo(index) + 1);
    return to <= endOfRangeAt(this.cloud.get(index) ?? [], rest);
  }
}

/** The end of the last range that begins at `counter` or before, 0 if there is none. */
function endOfRangeAt(ranges: Ranges, counter: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[2 * middle]! <= counter) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : ranges[2 * low - 1]!;
}
