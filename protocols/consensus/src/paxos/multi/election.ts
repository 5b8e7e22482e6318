/**
 * Who should try to lead. A node that hears no leader asks around; only if so
 * many others miss one too that it could both prepare and accept, does it take
 * over (the idea of OmniPaxos' ballot leader election, Ng, Haridi & Carbone
 * 2023: leaders are connected to a quorum, and who has one does not vote for
 * another). Nobody needs to be up to date: phase one brings what was missed, so
 * one node that reaches a quorum suffices, wherever it stands.
 *
 * Elections are about speed only. Whatever happens here, phase one decides.
 */

import { invariant, type NodeId } from "@quorate/kernel";

import { NEVER } from "../../leader/state.ts";
import type { Ballot } from "./ballot.ts";
import type { Poll, Polled } from "./messages.ts";
import type { QuorumSizes } from "./quorums.ts";
import { type Ctx, MultiPaxosState } from "./state.ts";

/** So often a candidate lets others go first whose slots it would need a snapshot for. */
const DEFERENCE = 4;

export abstract class Electing extends MultiPaxosState {
  protected phase: "poll" | "prepare" = "poll";
  /** Counts polls; tells their answers apart. */
  protected round = 0;
  /** Who answered this poll, and misses a leader. */
  private supporters: Set<NodeId> = new Set();
  /** A supporter has compacted away slots that this node lacks. */
  private outranked = false;
  /** Polls in a row that ended so. */
  private deferred = 0;

  onStart(ctx: Ctx): void {
    this.seenRound = this.promised.round;
    this.agreed = this.commitIndex;
    this.extendAgreed();
    this.tell(ctx);
    this.follow(ctx, undefined);
    // In its last life, if it had one, this node may have promised a leader its patience (M17).
    if (this.config.leaseReads && this.term > 0) this.heardAt = ctx.now;
    // Alone in its configuration, a node need not wait to hear from anyone.
    if (this.isQuorumFor("prepare", (node) => node === ctx.self)) ctx.setTimer("election", 0);
    else this.lookAround(ctx);
  }

  /** No leader was heard in time, or this node's attempt has come to nothing. */
  protected onElectionTimeout(ctx: Ctx): void {
    invariant(this.role !== "leader", "a leader waits for no election");
    const knew = this.leader !== undefined;
    this.leader = undefined;
    // Its own patience is over, and with it what it tells others; but leases hold as long as time does.
    if (!this.config.leaseReads) this.heardAt = NEVER;
    // Its own promise is bound by what its last life may have promised, as anybody's is (M17).
    if (this.hearsLeader(ctx)) return this.lookAround(ctx);
    if (this.mayLead(ctx.self)) return this.poll(ctx);
    if (knew) this.announce(ctx);
    this.awaitLeader(ctx);
  }

  private poll(ctx: Ctx): void {
    const news = this.role !== "candidate";
    this.role = "candidate";
    this.phase = "poll";
    this.round++;
    this.supporters = new Set();
    this.deferred = this.outranked ? this.deferred + 1 : 0;
    this.outranked = false;
    ctx.cancelTimer("heartbeat");
    ctx.note({ type: "polling", round: this.round });
    if (news) this.announce(ctx);
    if (this.acquainted) this.awaitLeader(ctx);
    else this.lookAround(ctx);
    const { round, quorums } = this;
    // A poll promises nothing, so no disk is waited for.
    for (const peer of this.others(ctx)) ctx.sendEagerly(peer, { type: "poll", round, quorums });
    this.support(ctx, ctx.self);
  }

  protected onPoll(ctx: Ctx, from: NodeId, m: Poll): void {
    if (this.differ(ctx, from, m.quorums)) return;
    const { promised: ballot } = this;
    const base = this.slots.base.index;
    const happy = this.hearsLeader(ctx);
    // Says nothing that a crash could take back and anybody counts on.
    ctx.sendEagerly(from, { type: "polled", round: m.round, happy, ballot, base });
  }

  protected onPolled(ctx: Ctx, from: NodeId, m: Polled): void {
    this.seenRound = Math.max(this.seenRound, m.ballot.round);
    const current = this.role === "candidate" && this.phase === "poll" && m.round === this.round;
    if (!current || m.happy) return;
    if (m.base > this.commitIndex) this.outranked = true;
    this.support(ctx, from);
  }

  /** Takes over once this node is connected to quorums of both kinds that miss a leader (M12). */
  private support(ctx: Ctx, node: NodeId): void {
    this.supporters.add(node);
    const supports = (one: NodeId) => this.supporters.has(one);
    if (!this.isQuorumFor("prepare", supports) || !this.isQuorumFor("accept", supports)) return;
    // Whoever needs a snapshot first would make everyone wait: those who do not go first.
    if (this.outranked && this.deferred < DEFERENCE) return;
    this.prepare(ctx, undefined);
  }

  /** Sizes of quorums that differ may not meet: such nodes elect nobody together (M7). */
  protected differ(ctx: Ctx, peer: NodeId, theirs: QuorumSizes): boolean {
    const { prepare, accept } = this.quorums;
    if (theirs.prepare === prepare && theirs.accept === accept) return false;
    ctx.note({ type: "quorumsDiffer", peer });
    return true;
  }

  /** Begins phase one with a new ballot, maybe because the leader of another asked for it. */
  protected abstract prepare(ctx: Ctx, summons: Ballot | undefined): void;
}
