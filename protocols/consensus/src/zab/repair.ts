/**
 * Entries that the disk has lost (B24–B26), after protocol-aware recovery
 * (Alagappan et al. 2018): an entry whose bytes are gone is unknown, not absent.
 * Its index and term, kept apart from its bytes, tell which one it was.
 *
 * Its node keeps its place in the order, so it follows and elects nobody whose
 * history is less; but it does not stand. A leader sends the entries again with
 * the synchronisation. While there is none, which may be because nobody else has
 * as much, the node asks everyone. It drops an entry only if a quorum, having
 * promised a later epoch than any it was ever in, says that it does not have it:
 * then the entry was not committed and cannot be any more.
 */

import { type NodeId, unreachable } from "@quorate/kernel";

import type { Index, Term } from "../entry.ts";
import { offerSnapshot, tellOf } from "../leader/repair.ts";
import type { Absent, Fetch, Fetched, Record } from "./messages.ts";
import { type Ctx, ZabState } from "./state.ts";
import { type Zxid, zxidIn } from "./zxid.ts";

/**
 * What is recovered in the place of a record whose bytes the disk has lost, if
 * anything can be: a driver keeps it apart from them.
 */
export function standIn(record: Record): Record | undefined {
  switch (record.type) {
    case "history": {
      const { index, entries } = record;
      return { type: "damaged", index, terms: entries.map(({ term }) => term) };
    }
    case "damaged":
      return record;
    case "mended":
      // The entries are as lost as they were before.
      return { ...record, entries: [] };
    case "acceptedEpoch": // Forgotten, an epoch could be promised twice.
    case "currentEpoch":
    case "committed":
    case "base":
    case "snapshot":
      return undefined;
    default:
      return unreachable(record);
  }
}

interface Doubted {
  readonly index: Index;
  readonly zxid: Zxid;
  /** The last epoch that this node had accepted. */
  readonly beyond: Term;
  readonly absent: Set<NodeId>;
}

export abstract class Repairing extends ZabState {
  /** Of which entry everyone was asked last to say if it is absent, and who does (B26). */
  private doubted: Doubted | undefined;

  onStart(ctx: Ctx): void {
    const { lost, firstLost } = this.log;
    if (lost.size > 0) ctx.note({ type: "damaged", from: firstLost, entries: lost.size });
    this.tell(ctx);
  }

  /** Nothing of the history is lost. */
  protected get isWhole(): boolean {
    return this.log.lost.size === 0;
  }

  /** Up to here the history is known, and is what this node durably has (B24). */
  protected get heldIndex(): Index {
    return Math.min(this.lastIndex, this.log.firstLost - 1);
  }

  protected get heldZxid(): Zxid {
    return zxidIn(this.log, this.heldIndex);
  }

  /**
   * While looking for a leader, asks everyone for what is lost.
   * @param insists - Who does not have it is to promise that no leader before can give it to it.
   */
  protected seekRepair(ctx: Ctx, insists: boolean): void {
    if (this.isWhole) return;
    const { firstLost: index } = this.log;
    const zxid = zxidIn(this.log, index);
    const beyond = insists ? this.acceptedEpoch : undefined;
    if (beyond !== undefined) this.doubted = { index, zxid, beyond, absent: new Set() };
    for (const peer of this.others(ctx)) ctx.send(peer, { type: "fetch", index, zxid, beyond });
  }

  protected onFetch(ctx: Ctx, from: NodeId, m: Fetch): void {
    const { index } = m;
    const told = tellOf(this.log, index, m.zxid.epoch);
    switch (told.type) {
      case "compacted":
        // A leader sees to that by itself.
        if (this.followed === undefined) offerSnapshot(ctx, from, told);
        return;
      case "known":
        // `send` waits until they are durable: the asker may be the only other one to have them.
        return ctx.send(from, { type: "fetched", index, entries: told.entries });
      case "lost":
        return;
      case "absent":
        return this.disclaim(ctx, from, m);
      default:
        unreachable(told);
    }
  }

  /** Does not have it. While there is a leader nothing is dropped. */
  private disclaim(ctx: Ctx, from: NodeId, { index, zxid, beyond }: Fetch): void {
    if (beyond === undefined || this.followed !== undefined) return;
    if (this.acceptedEpoch <= beyond) this.acceptEpoch(ctx, beyond + 1, "");
    ctx.send(from, { type: "absent", index, zxid, beyond });
  }

  protected onFetched(ctx: Ctx, m: Fetched): void {
    if (!this.takeBack(ctx, this.log, m.index, m.entries)) return;
    if (this.followed === undefined) this.seekRepair(ctx, false);
  }

  protected onAbsent(ctx: Ctx, from: NodeId, m: Absent): void {
    const { doubted } = this;
    if (doubted === undefined || this.followed !== undefined) return;
    const { index, zxid, beyond, absent } = doubted;
    // An answer to an earlier question is good too, if that was about the same.
    const isSame = m.index === index && m.zxid.epoch === zxid.epoch && m.beyond === beyond;
    if (!isSame || beyond !== this.acceptedEpoch || index !== this.log.firstLost) return;
    absent.add(from);
    if (!this.suffices((node) => absent.has(node))) return;
    // Nobody of a quorum has it, nor takes it from a leader that this node has followed (B26).
    this.doubted = undefined;
    this.truncate(ctx, index - 1);
  }
}
