/**
 * Phase two (Lamport 2001, §2.2, §3): the leader proposes one value for each
 * slot, within the window α; acceptors accept unless they have promised a higher
 * ballot, in any order and with holes; what an accept quorum has accepted in one
 * ballot is decided, and learned in the order of the slots.
 *
 * A configuration or a seal is a stop-sign: nothing is proposed after it before
 * it is decided, and then only once a prepare quorum of the new configuration
 * has promised, too (M14, M15).
 */

import { invariant, type NodeId, type RequestId } from "@quorate/kernel";

import { type Entry, entryBytes, type Index } from "../../entry.ts";
import type { Progress } from "../../progress.ts";
import { type Ballot, isHigher, isSame } from "./ballot.ts";
import type { Accept, Accepted, Decide } from "./messages.ts";
import { PhaseOne } from "./phase-one.ts";
import { reachedByAccepting } from "./quorums.ts";
import type { Ctx } from "./state.ts";

const NOTHING = new Uint8Array(0);

/** A value without a slot yet. */
interface Queued {
  readonly entry: Entry;
  readonly id: RequestId | undefined;
}

export abstract class PhaseTwo extends PhaseOne {
  /** The next slot to propose a value for. */
  protected next: Index = 1;
  /** The last stop-sign that this leader has proposed (M14). */
  protected stopSign: Index = 0;
  /** Accepted from clients while no slot could be given to them. */
  private queue: Queued[] = [];
  /** A change of membership waits for its slot or to be decided. */
  private changing = false;
  /** A seal waits for its slot or to be decided: nothing is accepted after it. */
  private sealing = false;

  protected beginProposing(): void {
    this.next = this.commitIndex + 1;
    this.unpersisted = this.next;
    this.durableIndex = this.commitIndex;
    this.writes = [];
    this.stopSign = 0;
    this.queue = [];
    this.uncommittedBytes = 0;
    this.proposals.clear();
    this.changing = false;
    this.sealing = false;
  }

  /** Takes a value from a client, or from this leader itself; `onIdle` sends what came until then. */
  protected override submit(ctx: Ctx, entry: Entry, id: RequestId | undefined): void {
    this.uncommittedBytes += entryBytes(entry);
    if (entry.kind === "configuration") this.changing = true;
    if (entry.kind === "seal") this.sealing = true;
    if (this.isDrained && this.mayPropose) this.propose(ctx, entry, id);
    else this.queue.push({ entry, id });
  }

  protected override get isChanging(): boolean {
    return this.changing;
  }

  protected override get isSealed(): boolean {
    return super.isSealed || this.sealing;
  }

  /** Nothing waits for a slot. */
  protected get isDrained(): boolean {
    return this.queue.length === 0 && this.next > this.inheritedLast;
  }

  /** Whether the next slot may be given a value: window, stop-sign, and promises (M8, M14, M15). */
  private get mayPropose(): boolean {
    return (
      this.next <= this.commitIndex + this.config.window &&
      this.stopSign <= this.commitIndex &&
      this.isPrepared
    );
  }

  /** Gives slots to what was inherited, to the gaps in it, and to clients' values, in this order. */
  protected proposeWaiting(ctx: Ctx): void {
    if (this.isDrained) return;
    let taken = 0;
    while (this.mayPropose) {
      const inherited = this.inherited.get(this.next);
      if (inherited !== undefined) {
        this.inherited.delete(this.next);
        this.uncommittedBytes += entryBytes(inherited.entry);
        this.propose(ctx, inherited.entry, undefined);
        if (inherited.entry.kind === "seal") this.refuseQueue(ctx);
      } else if (this.next <= this.inheritedLast) {
        ctx.note({ type: "filled", index: this.next });
        const entry = { term: this.ballot.round, kind: "noop", data: NOTHING } as const;
        this.uncommittedBytes += entryBytes(entry);
        this.propose(ctx, entry, undefined);
      } else {
        const queued = this.queue[taken];
        if (queued === undefined) break;
        taken++;
        this.propose(ctx, queued.entry, queued.id);
      }
    }
    if (taken > 0) this.queue.splice(0, taken);
  }

  /** An inherited seal ends the log, whatever clients would like to add. */
  private refuseQueue(ctx: Ctx): void {
    this.sealing = true;
    for (const { id, entry } of this.queue) {
      this.uncommittedBytes -= entryBytes(entry);
      if (id !== undefined) ctx.reply(id, this.rejected("sealed", true));
    }
    this.queue = [];
  }

  /** One value for a slot in a ballot, for ever (M5). */
  private propose(ctx: Ctx, entry: Entry, id: RequestId | undefined): void {
    const index = this.next++;
    this.doubts.settle(index);
    this.mend(ctx, index, index);
    this.slots.put(index, this.ballot, entry);
    if (entry.kind === "configuration" || entry.kind === "seal") this.stopSign = index;
    if (id !== undefined) this.proposals.set(index, id);
  }

  protected persistTail(ctx: Ctx): void {
    const last = this.next - 1;
    if (this.unpersisted > last) return;
    const index = this.unpersisted;
    const { ballot, commitIndex } = this;
    const entries = this.slots.range(index, last);
    const commit = Math.min(commitIndex, last);
    const position = ctx.persist({ type: "accepted", ballot, index, entries, commit });
    this.unpersisted = this.next;
    this.writes.push({ position, index: last });
  }

  protected override onLearned(entries: readonly Entry[]): void {
    if (this.role !== "leader") return;
    // They are answered for as if they had been proposed here.
    for (const entry of entries) this.uncommittedBytes += entryBytes(entry);
  }

  protected onAccept(ctx: Ctx, from: NodeId, m: Accept): void {
    if (!this.heed(ctx, from, m.ballot)) return this.refuse(ctx, from);
    let first: Index | undefined;
    let last = 0;
    this.mend(ctx, m.index, m.index + m.entries.length - 1);
    for (let i = 0; i < m.entries.length; i++) {
      const index = m.index + i;
      if (index <= this.commitIndex || this.isAccepted(index)) continue;
      this.slots.put(index, this.promised, m.entries[i]!);
      first ??= index;
      last = index;
    }
    this.extendAgreed();
    // What was not accepted in this ballot may be what another leader wanted there (M9).
    this.commitTo(ctx, Math.min(m.commit, this.agreed));
    if (first !== undefined) {
      const entries = m.entries.slice(first - m.index, last + 1 - m.index);
      const { promised: ballot, commitIndex: commit } = this;
      ctx.persist({ type: "accepted", ballot, index: first, entries, commit });
    }
    ctx.send(from, { type: "accepted", ballot: this.promised, index: this.agreed });
  }

  /** In the ballot now promised. */
  private isAccepted(index: Index): boolean {
    const ballot = this.slots.ballotAt(index);
    return ballot !== undefined && isSame(ballot, this.promised);
  }

  /** Takes a leader's word, unless a higher ballot is promised. */
  protected heed(ctx: Ctx, from: NodeId, ballot: Ballot): boolean {
    if (isHigher(this.promised, ballot)) return false;
    if (isHigher(ballot, this.promised)) {
      this.adopt(ctx, ballot);
      this.extendAgreed();
    }
    invariant(this.role !== "leader", "J3: a ballot has one leader");
    if (this.leader === from && this.role !== "candidate") this.awaitLeader(ctx);
    else this.follow(ctx, from);
    this.heardAt = ctx.now;
    this.acquainted = true;
    return true;
  }

  protected onAccepted(ctx: Ctx, from: NodeId, m: Accepted): void {
    const progress = this.heardFrom(from, m.ballot);
    if (progress !== undefined) this.agree(ctx, from, progress, m.index);
  }

  /** What is known of a member that answered this ballot, and not another. */
  protected heardFrom(from: NodeId, ballot: Ballot): Progress | undefined {
    if (this.role !== "leader" || !isSame(ballot, this.ballot)) return undefined;
    const progress = this.progress.get(from);
    if (progress !== undefined) progress.active = true;
    return progress;
  }

  /** A member has accepted in this ballot, or knows to be decided, every slot up to `index`. */
  protected agree(ctx: Ctx, peer: NodeId, progress: Progress, index: Index): void {
    const upTo = Math.min(index, this.next - 1);
    const news = progress.agreed(upTo, this.slots.base.index);
    progress.measure(this.next - 1, ctx.now);
    if (news && progress.match > this.commitIndex) this.advance(ctx);
    // Deciding may have ended the leadership, or the member's part in it.
    if (this.progress.get(peer) === progress) this.onCaughtUp(ctx, peer, progress);
  }

  /** Decides what an accept quorum has accepted in this ballot (M6). */
  protected override advance(ctx: Ctx): void {
    const index = reachedByAccepting(this.configuration, this.quorums, (node) =>
      node === ctx.self ? this.durableIndex : (this.progress.get(node)?.match ?? 0),
    );
    this.commitTo(ctx, Math.min(index, this.next - 1));
  }

  protected onDecide(ctx: Ctx, from: NodeId, m: Decide): void {
    if (!this.heed(ctx, from, m.ballot)) return this.refuse(ctx, from);
    this.commitTo(ctx, Math.min(m.commit, this.agreed));
  }

  protected override onCommitted(ctx: Ctx, first: Index, entries: readonly Entry[]): void {
    if (this.role !== "leader") return;
    this.answer(ctx, first, entries);
    if (entries.some(({ kind }) => kind === "configuration")) this.changing = false;
    this.next = Math.max(this.next, this.commitIndex + 1);
    this.unpersisted = Math.max(this.unpersisted, this.commitIndex + 1);
    this.durableIndex = Math.max(this.durableIndex, this.commitIndex);
  }

  protected override abandon(ctx: Ctx): void {
    this.abandonProposals(ctx);
    // What was given no slot was told to nobody.
    for (const { id } of this.queue) {
      if (id !== undefined) ctx.reply(id, this.rejected("lostLeadership", true));
    }
    this.queue = [];
    this.changing = false;
    this.sealing = false;
  }
}
