/**
 * Entries that the disk has lost (R36), after protocol-aware recovery
 * (Alagappan et al. 2018): an entry whose bytes are gone is unknown, not absent.
 * Its index and term, kept apart from its bytes, tell which one it was.
 *
 * With a leader its node takes back what it acknowledged and is sent the entries
 * again. Without one, which may be because nobody else's log is long enough, it
 * asks everyone. It drops an entry only if a quorum says, in a later term, that
 * it does not have it: then the entry was not committed and cannot be any more.
 */

import { invariant, type NodeId, unreachable } from "@quorate/kernel";

import { offerSnapshot, tellOf } from "../leader/repair.ts";
import { Changing } from "./changes.ts";
import type { Absent, Fetch, Fetched, Lost, Record } from "./messages.ts";
import type { Ctx } from "./state.ts";

/**
 * What is recovered in the place of a record whose bytes the disk has lost, if
 * anything can be: a driver keeps it apart from them.
 */
export function standIn(record: Record): Record | undefined {
  switch (record.type) {
    case "entries": {
      const { index, entries } = record;
      return { type: "damaged", index, terms: entries.map(({ term }) => term) };
    }
    case "damaged":
      return record;
    case "mended":
      // The entries are as lost as they were before.
      return { ...record, entries: [] };
    case "state": // Forgotten, a vote could be cast twice.
    case "base":
    case "snapshot":
      return undefined;
    default:
      return unreachable(record);
  }
}

export abstract class Repairing extends Changing {
  /** Who does not have what was last asked for. */
  private absent: Set<NodeId> = new Set();

  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    const { size } = this.damaged;
    if (size > 0) ctx.note({ type: "damaged", from: this.firstDamaged, entries: size });
  }

  /** A leader: a member has lost what it had. */
  protected onLost(_ctx: Ctx, from: NodeId, m: Lost): void {
    // The next turn sends it, or a snapshot if it is compacted away.
    if (m.index <= this.log.lastIndex) this.heardFrom(from, m.term)?.lost(m.index);
  }

  protected override seekRepair(ctx: Ctx): void {
    const index = this.firstDamaged;
    const entryTerm = this.log.termAt(index);
    invariant(entryTerm !== undefined, "a damaged entry is in the log");
    if (this.term <= this.log.lastTerm) this.follow(ctx, this.log.lastTerm + 1, undefined);
    this.absent = new Set();
    const { term } = this;
    const round = ++this.round;
    for (const peer of this.others(ctx)) {
      ctx.send(peer, { type: "fetch", term, round, index, entryTerm });
    }
    this.announce(ctx);
    this.lookAround(ctx);
  }

  protected onFetch(ctx: Ctx, from: NodeId, m: Fetch): void {
    const { index, round } = m;
    const told = tellOf(this.log, index, m.entryTerm);
    switch (told.type) {
      case "compacted":
        // A leader sees to that by itself.
        if (this.leader === undefined) offerSnapshot(ctx, from, told);
        return;
      case "known":
        return ctx.send(from, { type: "fetched", term: this.term, index, entries: told.entries });
      case "lost":
        return;
      case "absent": {
        // While there is a leader nothing is dropped.
        if (this.hearsLeader(ctx)) return;
        if (m.term > this.term) this.follow(ctx, m.term, undefined);
        const { term } = this;
        return ctx.send(from, { type: "absent", term, round, index });
      }
      default:
        unreachable(told);
    }
  }

  protected onFetched(ctx: Ctx, m: Fetched): void {
    this.takeBack(ctx, this.log, m.index, m.entries);
  }

  protected onAbsent(ctx: Ctx, from: NodeId, m: Absent): void {
    const current = m.round === this.round && m.term === this.term;
    if (!current || m.index !== this.firstDamaged) return;
    this.absent.add(from);
    // Nobody of a quorum has it, nor takes it from an earlier leader: it was never committed.
    if (this.isQuorum((node) => this.absent.has(node))) this.replace(ctx, m.index, []);
  }

  /** The log as records: what is known, and what is lost. */
  protected entryRecords(): readonly Record[] {
    return this.log.stretches().map(({ index, entries, lost }) => {
      if (!lost) return { type: "entries", index, entries };
      return { type: "damaged", index, terms: entries.map(({ term }) => term) };
    });
  }
}
