/**
 * Replication: appending, agreeing, committing, and what heartbeats carry
 * (Ongaro & Ousterhout §5.3, §5.4.2). The leader ships entries before its own
 * disk has them (thesis §10.2.1) and counts itself once it has.
 */

import { invariant, type NodeId } from "@quorate/kernel";

import { type Entry, entryBytes, type Index } from "../entry.ts";
import type { Progress } from "../progress.ts";
import { reachedByQuorum } from "../quorum.ts";
import { Electing } from "./election.ts";
import type { Append, Appended, Heartbeat, HeartbeatAck, Refused } from "./messages.ts";
import type { Ctx } from "./state.ts";

/** Entry bytes in a message that finds out where two logs agree. */
const PROBE_BYTES = 64 << 10;

export abstract class Replicating extends Electing {
  protected override beginLeading(ctx: Ctx): void {
    this.reads.clear();
    this.uncommittedBytes = 0;
    for (const entry of this.log.slice(this.commitIndex + 1, Infinity)) {
      this.uncommittedBytes += entryBytes(entry);
    }
    this.appendOwn(ctx, { term: this.term, kind: "noop", data: new Uint8Array(0) });
    this.beat(ctx);
  }

  /** Appends in memory; `onIdle` persists and sends everything that came in until then. */
  protected appendOwn(ctx: Ctx, entry: Entry): Index {
    this.uncommittedBytes += entryBytes(entry);
    if (this.push(entry)) this.onConfiguration(ctx);
    return this.log.lastIndex;
  }

  /** The leader's turn to act on what was batched. */
  protected ship(ctx: Ctx): void {
    this.goOnChanging(ctx);
    this.persistTail(ctx);
    for (const [peer, progress] of this.progress) this.replicate(ctx, peer, progress);
    // Reads wait until an entry of this term is committed: before, the commit index may be old (R32).
    if (this.reads.wantsRound && this.isReady) {
      this.reads.admit(this.commitIndex);
      this.beat(ctx);
    }
  }

  protected onHeartbeatTimeout(ctx: Ctx): void {
    for (const [peer, progress] of this.progress) {
      progress.probing = false;
      // If anything sent was lost, this is refused and the gap is found (R18).
      if (progress.waiting) this.nudge(ctx, peer, progress);
    }
    this.beat(ctx);
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
  }

  /** Sends what only says where a member should be, and how far is committed. */
  private nudge(ctx: Ctx, peer: NodeId, progress: Progress): void {
    // What it should have may be compacted away by now (scenario L9).
    if (progress.next < this.log.firstIndex) this.wantSnapshot(ctx, peer, progress);
    else this.sendAppend(ctx, peer, progress, []);
  }

  /** Sends a round of heartbeats. */
  private beat(ctx: Ctx): void {
    const round = this.reads.begin(ctx.now);
    for (const [peer, { match }] of this.progress) {
      const commit = Math.min(match, this.commitIndex);
      ctx.sendEagerly(peer, { type: "heartbeat", term: this.term, commit, round });
    }
    this.confirmRounds(ctx);
  }

  private replicate(ctx: Ctx, peer: NodeId, progress: Progress): void {
    if (progress.state === "snapshot") return;
    const { inflightMessages, inflightBytes, appendBytes } = this.config;
    while (
      progress.next <= this.log.lastIndex &&
      progress.hasRoom(inflightMessages, inflightBytes)
    ) {
      if (progress.next < this.log.firstIndex) return this.wantSnapshot(ctx, peer, progress);
      // Where the logs agree is not known: most of a probe may be in vain.
      const most = progress.state === "probe" ? Math.min(appendBytes, PROBE_BYTES) : appendBytes;
      const entries = this.log.slice(progress.next, most);
      this.sendAppend(ctx, peer, progress, entries);
    }
    const commit = Math.min(progress.match, this.commitIndex);
    if (progress.state === "replicate" && progress.told < commit) this.nudge(ctx, peer, progress);
  }

  /** Tells a member that leaves how far is committed, which is the last it hears. */
  protected farewell(ctx: Ctx, peer: NodeId, progress: Progress): void {
    if (progress.next >= this.log.firstIndex) this.sendAppend(ctx, peer, progress, []);
  }

  /** Sends without waiting for the own disk: followers keep their own. */
  private sendAppend(ctx: Ctx, peer: NodeId, progress: Progress, entries: readonly Entry[]): void {
    const prevIndex = progress.next - 1;
    const prevTerm = this.log.termAt(prevIndex);
    invariant(prevTerm !== undefined, "the entry before an append is known");
    const { term, commitIndex: commit } = this;
    ctx.sendEagerly(peer, { type: "append", term, prevIndex, prevTerm, commit, entries });
    if (progress.state === "replicate")
      progress.told = Math.min(commit, prevIndex + entries.length);
    if (entries.length === 0) return;
    let bytes = 0;
    for (const entry of entries) bytes += entryBytes(entry);
    progress.sent(prevIndex + entries.length, bytes);
  }

  protected onAppend(ctx: Ctx, from: NodeId, m: Append): void {
    if (!this.heed(ctx, from, m.term)) return this.depose(ctx, from);
    if (m.prevIndex < this.commitIndex) {
      // Old news: everything up to the commit index agrees anyway (R11).
      return ctx.send(from, { type: "appended", term: this.term, index: this.commitIndex });
    }
    if (!this.log.matches(m.prevIndex, m.prevTerm)) return this.refuse(ctx, from, m);
    const same = this.log.countSame(m.prevIndex + 1, m.entries);
    this.takeBack(ctx, this.log, m.prevIndex + 1, m.entries);
    // Only a conflict truncates: an old, shorter message must not undo a newer one (R12).
    if (same < m.entries.length) this.replace(ctx, m.prevIndex + same + 1, m.entries.slice(same));
    // What the disk has lost it does not have, though it had it once (R36).
    const index = Math.min(m.prevIndex + m.entries.length, this.firstDamaged - 1);
    // What lies beyond this message has not been verified against this leader (R13).
    this.commitTo(ctx, Math.min(m.commit, index));
    ctx.send(from, { type: "appended", term: this.term, index });
  }

  private refuse(ctx: Ctx, from: NodeId, m: Append): void {
    const hintIndex = this.log.lastAtOrBelow(m.prevIndex, m.prevTerm);
    ctx.send(from, {
      type: "refused",
      term: this.term,
      prevIndex: m.prevIndex,
      hintIndex,
      hintTerm: this.log.termAt(hintIndex)!,
    });
  }

  protected onHeartbeat(ctx: Ctx, from: NodeId, m: Heartbeat): void {
    if (!this.heed(ctx, from, m.term)) return this.depose(ctx, from);
    this.commitTo(ctx, Math.min(m.commit, this.firstDamaged - 1));
    if (this.damaged.size > 0) {
      ctx.send(from, { type: "lost", term: this.term, index: this.firstDamaged });
    }
    const { term, slow } = this;
    ctx.send(from, { type: "heartbeatAck", term, round: m.round, slow });
  }

  /**
   * Tells a leader of an earlier term that its time is over. Nothing of its
   * message is answered: it may lead again in the present term by the time this
   * arrives, and must not take it for an answer to what it says then (R2).
   */
  private depose(ctx: Ctx, from: NodeId): void {
    const { term, slow } = this;
    ctx.send(from, { type: "heartbeatAck", term, round: 0, slow });
  }

  /** Takes a leader's word, unless its term is over. */
  private heed(ctx: Ctx, from: NodeId, term: number): boolean {
    if (term < this.term) return false;
    invariant(this.role !== "leader", "I3: a term has one leader");
    if (this.leader === from && this.role !== "candidate") this.awaitLeader(ctx);
    else this.follow(ctx, term, from);
    this.heardAt = ctx.now;
    this.acquainted = true;
    return true;
  }

  protected onAppended(ctx: Ctx, from: NodeId, m: Appended): void {
    const progress = this.heardFrom(from, m.term);
    if (progress === undefined) return;
    invariant(m.index <= this.log.lastIndex, "I6: a follower agrees with entries the leader has");
    this.agree(ctx, from, progress, m.index, this.log.base.index);
  }

  /** A member's log agrees with this one up to `index`. */
  protected agree(ctx: Ctx, peer: NodeId, progress: Progress, index: Index, base: Index): void {
    const news = progress.agreed(index, base);
    progress.measure(this.log.lastIndex, ctx.now);
    if (news) this.advance(ctx);
    // Committing may have ended the leadership, or the member's part in it.
    if (this.progress.get(peer) === progress) this.onCaughtUp(ctx, peer, progress);
  }

  protected onRefused(_ctx: Ctx, from: NodeId, m: Refused): void {
    const hint = this.log.lastAtOrBelow(m.hintIndex, m.hintTerm);
    this.heardFrom(from, m.term)?.refused(m.prevIndex, hint);
  }

  protected onHeartbeatAck(ctx: Ctx, from: NodeId, m: HeartbeatAck): void {
    const progress = this.heardFrom(from, m.term);
    if (progress === undefined || m.round <= progress.round) return;
    invariant(m.round <= this.reads.last, "I9: only rounds that were sent are answered");
    progress.round = m.round;
    progress.slow = m.slow;
    this.confirmRounds(ctx);
  }

  /** What is known of a member that answered this leadership, and not another (R15). */
  protected heardFrom(from: NodeId, term: number): Progress | undefined {
    if (this.role !== "leader" || term !== this.term) return undefined;
    const progress = this.progress.get(from);
    if (progress !== undefined) progress.active = true;
    return progress;
  }

  /** A quorum that answered a round had no other leader when it was sent. */
  private confirmRounds(ctx: Ctx): void {
    const confirmed = reachedByQuorum(this.configuration, (node) =>
      node === ctx.self ? this.reads.last : (this.progress.get(node)?.round ?? 0),
    );
    this.reads.confirm(ctx, confirmed, this.config);
  }

  /** Commits what a quorum holds, if it ends in an entry of this term (§5.4.2, R16). */
  protected override advance(ctx: Ctx): void {
    const index = reachedByQuorum(this.configuration, (node) =>
      node === ctx.self ? this.durableIndex : (this.progress.get(node)?.match ?? 0),
    );
    if (index > this.commitIndex && this.log.termAt(index) === this.term) this.commitTo(ctx, index);
  }

  protected commitTo(ctx: Ctx, index: Index): void {
    if (index <= this.commitIndex) return;
    invariant(index <= this.log.lastIndex, "I4: committed entries are in the log");
    const first = this.commitIndex + 1;
    const entries = this.log.range(first, index);
    this.commitIndex = index;
    // A quorum's disks have these, so the own one need not be waited for.
    ctx.outputEagerly({ type: "committed", index: first, entries });
    if (this.role === "leader") this.answer(ctx, first, entries);
    const { configurationIndex } = this;
    if (configurationIndex >= first && configurationIndex <= index) {
      this.onConfigurationCommitted(ctx);
    }
  }

  protected hasCommittedOwnTerm(): boolean {
    return this.log.termAt(this.commitIndex) === this.term;
  }

  protected override get isReady(): boolean {
    return this.role === "leader" && this.hasCommittedOwnTerm();
  }

  /** The configuration in force is committed. */
  protected abstract onConfigurationCommitted(ctx: Ctx): void;

  /** A leader's turn to go on with a change of membership. */
  protected abstract goOnChanging(ctx: Ctx): void;
}
