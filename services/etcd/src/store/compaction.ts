/**
 * Forgetting history. Compaction is logical and at once: a number says from
 * which revision on history can be read. The changes that nobody can read any
 * more are removed afterwards, segment by segment, a bounded amount of work at
 * a time; whether that has happened shows in no answer, digest or hash.
 *
 * Of each key stay the newest version at or before the compacted revision, if
 * it is not a deletion, and all later changes. Changes *of* the compacted
 * revision itself all stay until the next compaction, so that a watch that
 * resumes exactly there misses no deletion (etcd's issues 18089 and 19179).
 */

import { type Keyspace } from "./keyspace.ts";
import { Segment, SEGMENT_BYTES, SEGMENT_SLOTS } from "./segment.ts";

/** A segment is rewritten when at least one slot in this many is of no more use. */
const WORTHWHILE = 4;

export class Sweeper {
  /** Index of the next segment to look at. */
  private next = 0;
  /** Whether there may be something to remove. */
  private pending = false;
  /** Changes that may be looked at before the next pause. */
  private credit = 0;

  /** Starts over, because history was compacted. */
  restart(): void {
    this.next = 0;
    this.pending = true;
    this.credit = 0;
  }

  /** Whether all that can be removed has been, but for what is not worth the while. */
  get idle(): boolean {
    return !this.pending;
  }

  /**
   * Goes on removing. Does nothing while images of the log are open.
   * @param budget - How many more changes to look at, over this call and later
   *   ones: a segment (up to 1024) is done when enough has been saved up.
   */
  sweep(keyspace: Keyspace, budget: number): void {
    if (!this.pending) return;
    this.credit += budget;
    if (keyspace.pins > 0) {
      this.credit = 0;
      return;
    }
    while (this.credit > 0) {
      const segment = keyspace.log.segments[this.next];
      const bound = keyspace.compactRevision;
      if (segment === undefined || segment.count === 0 || segment.modAt(0) >= bound) {
        this.pending = false;
        return;
      }
      if (segment.superseded * WORTHWHILE < segment.count) {
        this.credit--;
        this.next++;
        continue;
      }
      if (this.credit < segment.count) return;
      this.credit -= segment.count;
      this.rewrite(keyspace, segment);
    }
  }

  /** Replaces the next segment by what is still of use in it. */
  private rewrite(keyspace: Keyspace, segment: Segment): void {
    const { log, compactRevision } = keyspace;
    const last = segment.modAt(segment.count - 1);
    const before = this.next > 0 ? log.segments[this.next - 1] : undefined;
    const target = new Segment(segment.first, 16, 256);
    for (let slot = 0; slot < segment.count; slot++) {
      const entry = segment.entries[slot]!;
      const kept = isReadable(segment, slot, compactRevision);
      const newest = entry.segment === segment && entry.slot === slot;
      if (!kept) {
        if (newest) keyspace.forget(entry);
        continue;
      }
      const to = target.adopt(segment, slot);
      if (newest) {
        entry.segment = target;
        entry.slot = to;
      }
      if (!newest || target.versionAt(to) === 0) target.superseded++;
    }
    this.settle(keyspace, target, before, last);
  }

  /** Puts a rewritten segment in place of the next one, or together with the one before. */
  private settle(
    keyspace: Keyspace,
    target: Segment,
    before: Segment | undefined,
    last: number,
  ): void {
    const { log } = keyspace;
    if (target.count === 0) {
      log.replace(this.next, 1, undefined);
      return;
    }
    if (before !== undefined && fits(before, target) && last < keyspace.compactRevision) {
      const joined = new Segment(before.first, before.count + target.count, 16);
      joined.superseded = before.superseded + target.superseded;
      for (const part of [before, target]) {
        for (let slot = 0; slot < part.count; slot++) {
          const entry = part.entries[slot]!;
          const newest = entry.segment === part && entry.slot === slot;
          const to = joined.adopt(part, slot);
          if (!newest) continue;
          entry.segment = joined;
          entry.slot = to;
        }
      }
      joined.trim();
      log.replace(this.next - 1, 2, joined);
      return;
    }
    target.trim();
    log.replace(this.next, 1, target);
    this.next++;
  }
}

function fits(before: Segment, after: Segment): boolean {
  return (
    before.sequences !== undefined &&
    before.count + after.count <= SEGMENT_SLOTS &&
    before.byteLength + after.byteLength <= SEGMENT_BYTES
  );
}

/**
 * Whether a change can still be read: it is of the compacted revision or
 * later, or what its key was then.
 */
export function isReadable(segment: Segment, slot: number, compactRevision: number): boolean {
  if (segment.modAt(slot) >= compactRevision) return true;
  return segment.versionAt(slot) !== 0 && segment.isNewestAt(slot, compactRevision);
}
