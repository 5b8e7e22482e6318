/**
 * All changes that can still be read, in revision order: what watchers resume
 * from, what hashes and snapshots run over, and where each key's history hangs.
 *
 * The changes of one key are a chain backwards from its newest. Besides its
 * predecessor each change names an earlier one to jump to (Myers 1983, "An
 * applicative random-access stack"), so that finding what a key was at an old
 * revision takes O(log versions) steps even for a key that changes all day.
 */

import { type Entry } from "./entry.ts";
import { Segment, SEGMENT_BYTES, SEGMENT_SLOTS } from "./segment.ts";

/** A change in the log. An {@link Entry} is the place of its newest change. */
export interface Place {
  readonly segment: Segment;
  readonly slot: number;
}

export class ChangeLog {
  /** In revision order. */
  readonly segments: Segment[] = [];
  /** Segments by sequence number / `SEGMENT_SLOTS`. Thinned-out neighbours share one. */
  private readonly directory: Map<number, Segment> = new Map();
  /** Where changes are appended. */
  private tail: Segment | undefined;
  /** Number of the next segment; 0 is not used, as sequence number 0 means "none". */
  private nextNumber = 1;

  /** The segment that takes the next change, whose value has this many bytes. */
  tailFor(byteLength: number): Segment {
    const { tail } = this;
    if (tail !== undefined) {
      const small = tail.count === 0 || tail.byteLength + byteLength <= SEGMENT_BYTES;
      if (tail.count < SEGMENT_SLOTS && small) return tail;
      tail.trim();
    }
    const number = this.nextNumber++;
    // A small store stays small; a busy one does not double its buffers each time.
    const busy = number > 2;
    const next = new Segment(
      number * SEGMENT_SLOTS,
      busy ? SEGMENT_SLOTS : 16,
      busy && byteLength >= 192 ? SEGMENT_BYTES : 1024,
    );
    this.directory.set(number, next);
    this.segments.push(next);
    this.tail = next;
    return next;
  }

  /** Finds a change by its sequence number: `undefined` if it has been removed. */
  find(sequence: number): Place | undefined {
    const segment = this.directory.get(Math.floor(sequence / SEGMENT_SLOTS));
    if (segment === undefined) return undefined;
    const slot = segment.slotOf(sequence);
    return slot < 0 ? undefined : { segment, slot };
  }

  /** Where the change after `place` to the same key should jump to. */
  jumpFrom(place: Place): number {
    const { segment, slot } = place;
    const sequence = segment.sequenceAt(slot);
    const jump = this.find(segment.jumpAt(slot));
    if (jump === undefined) return sequence;
    const further = jump.segment.jumpAt(jump.slot);
    const beyond = this.find(further);
    if (beyond === undefined) return sequence;
    const middle = jump.segment.depthAt(jump.slot);
    const near = segment.depthAt(slot) - middle;
    const far = middle - beyond.segment.depthAt(beyond.slot);
    return near === far ? further : sequence;
  }

  /** The change before this one to the same key. */
  before(place: Place): Place | undefined {
    const previous = place.segment.previousAt(place.slot);
    return previous === 0 ? undefined : this.find(previous);
  }

  /**
   * The newest change to a key at or before `revision`, deletions included.
   * Right for revisions that are not compacted.
   */
  newestAt(entry: Entry, revision: number): Place | undefined {
    let place: Place | undefined = entry;
    while (place !== undefined && place.segment.modAt(place.slot) > revision) {
      const jump: Place | undefined = this.find(place.segment.jumpAt(place.slot));
      const far = jump !== undefined && jump.segment.modAt(jump.slot) > revision;
      place = far ? jump : this.before(place);
    }
    return place;
  }

  /** The first change at or after `revision`, as an index of `segments` and a slot. */
  startOf(revision: number): { index: number; slot: number } {
    const { segments } = this;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const segment = segments[middle]!;
      if (segment.count === 0 || segment.modAt(segment.count - 1) >= revision) high = middle;
      else low = middle + 1;
    }
    const segment = segments[low];
    let slot = 0;
    if (segment !== undefined) {
      let top = segment.count;
      while (slot < top) {
        const middle = (slot + top) >>> 1;
        if (segment.modAt(middle) < revision) slot = middle + 1;
        else top = middle;
      }
    }
    return { index: low, slot };
  }

  /** Takes segments `[index, index + count)` out and puts `replacement` in their place, if any. */
  replace(index: number, count: number, replacement: Segment | undefined): void {
    const last = this.segments[index + count - 1]!;
    for (let i = index; i < index + count; i++) this.forget(this.segments[i]!, replacement);
    if (replacement === undefined) this.segments.splice(index, count);
    else this.segments.splice(index, count, replacement);
    if (last === this.tail) this.tail = undefined;
  }

  /** Memory taken by the log, in bytes, keys left out. */
  get footprint(): number {
    let total = 0;
    for (const segment of this.segments) total += segment.footprint;
    return total;
  }

  /** Points the numbers that lead to `segment` elsewhere. */
  private forget(segment: Segment, replacement: Segment | undefined): void {
    const numbers = new Set<number>();
    numbers.add(Math.floor(segment.first / SEGMENT_SLOTS));
    for (const sequence of segment.sequences ?? []) {
      numbers.add(Math.floor(sequence / SEGMENT_SLOTS));
    }
    for (const number of numbers) {
      if (replacement === undefined) this.directory.delete(number);
      else this.directory.set(number, replacement);
    }
  }
}
