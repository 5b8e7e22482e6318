/**
 * Elections: PreVote, votes, stickiness, and the check that a leader still has
 * a quorum (Ongaro & Ousterhout §5.2, §5.4.1; thesis §4.2.3, §9.6). PreVote and
 * CheckQuorum go together: each without the other can stop a cluster for good
 * under partial partitions (Howard & Abraham 2020).
 */

import { invariant, type NodeId, type Position } from "@quorate/kernel";

import { NEVER } from "../leader/state.ts";
import { Progress } from "../progress.ts";
import type { RequestVote, TimeoutNow, Vote } from "./messages.ts";
import { type Ctx, RaftState } from "./state.ts";

export abstract class Electing extends RaftState {
  onStart(ctx: Ctx): void {
    this.follow(ctx, this.term, undefined);
    // In its last life, if it had one, this node may have promised a leader its patience (R5, scenario R3).
    if (this.config.leaseReads && this.term > 0) this.heardAt = ctx.now;
    // Alone in its configuration, a node need not wait to hear from anyone.
    if (this.isQuorum((node) => node === ctx.self)) ctx.setTimer("election", 0);
    else this.lookAround(ctx);
  }

  /** No leader was heard in time: find out whether an election could be won (R6). */
  protected onElectionTimeout(ctx: Ctx): void {
    invariant(this.role !== "leader", "a leader waits for no election");
    this.leader = undefined;
    // Its own patience is over, and with it what it tells others; but leases hold as long as time does.
    if (!this.config.leaseReads) this.heardAt = NEVER;
    // Its own vote is bound by what its last life may have promised, as anybody's is (R5, scenario R3).
    if (this.hearsLeader(ctx)) return this.lookAround(ctx);
    // Who does not know its own log cannot lead by it.
    if (this.damaged.size > 0) return this.seekRepair(ctx);
    if (this.mayLead(ctx.self)) return this.campaign(ctx, "pre", false);
    this.announce(ctx);
    this.awaitLeader(ctx);
  }

  protected campaign(ctx: Ctx, phase: "pre" | "real", transfer: boolean): void {
    this.role = "candidate";
    this.leader = undefined;
    this.phase = phase;
    this.round++;
    this.votes = new Set();
    if (phase === "real") {
      this.term++;
      this.votedFor = undefined;
      this.votePosition = this.voteFor(ctx, ctx.self);
    }
    const term = phase === "pre" ? this.term + 1 : this.term;
    ctx.note({ type: "campaigning", term, pre: phase === "pre" });
    this.announce(ctx);
    if (phase === "pre" && !this.acquainted) this.lookAround(ctx);
    else this.awaitLeader(ctx);
    // `send` waits until the vote and the log tail it tells of are durable (R4, scenario E14).
    const { lastIndex, lastTerm } = this.log;
    const { round } = this;
    const pre = phase === "pre";
    for (const peer of this.others(ctx)) {
      ctx.send(peer, { type: "requestVote", term, lastIndex, lastTerm, pre, transfer, round });
    }
    // A pre-vote promises nothing, so the own one need not wait for the disk.
    if (pre) this.count(ctx, ctx.self);
  }

  protected onRequestVote(ctx: Ctx, from: NodeId, m: RequestVote): void {
    if (m.pre) return this.onRequestPreVote(ctx, from, m);
    // Not even the term is adopted: a node that was cut off must not depose a leader (R5).
    if (m.term >= this.term && this.hearsLeader(ctx) && !m.transfer) return;
    if (m.term > this.term) this.follow(ctx, m.term, undefined);
    const free = this.votedFor === undefined || this.votedFor === from;
    const granted = m.term === this.term && free && this.log.isAtMost(m.lastIndex, m.lastTerm);
    if (granted) {
      if (this.votedFor === undefined) this.voteFor(ctx, from);
      this.awaitLeader(ctx);
    }
    ctx.send(from, { type: "vote", term: this.term, pre: false, granted, round: m.round });
  }

  /** Answers without changing anything: no term, no vote, no timer (R6, scenario E4). */
  private onRequestPreVote(ctx: Ctx, from: NodeId, m: RequestVote): void {
    const granted =
      m.term > this.term && !this.hearsLeader(ctx) && this.log.isAtMost(m.lastIndex, m.lastTerm);
    const term = granted ? m.term : this.term;
    ctx.send(from, { type: "vote", term, pre: true, granted, round: m.round });
  }

  protected onVote(ctx: Ctx, from: NodeId, m: Vote): void {
    if (!m.granted && m.term > this.term) return this.follow(ctx, m.term, undefined);
    const current = this.role === "candidate" && m.round === this.round;
    if (!current || !m.granted || m.pre !== (this.phase === "pre")) return;
    if (!m.pre && m.term !== this.term) return;
    this.count(ctx, from);
  }

  /** The own vote has reached the disk and counts (R4). */
  protected countOwnVote(ctx: Ctx, position: Position): void {
    if (this.role !== "candidate" || this.phase !== "real") return;
    if (position >= this.votePosition && !this.votes.has(ctx.self)) this.count(ctx, ctx.self);
  }

  private count(ctx: Ctx, voter: NodeId): void {
    this.votes.add(voter);
    if (!this.isQuorum((node) => this.votes.has(node))) return;
    if (this.phase === "pre") this.campaign(ctx, "real", false);
    else this.lead(ctx);
  }

  /** The leader hands over: campaign without asking around first (R31). */
  protected onTimeoutNow(ctx: Ctx, m: TimeoutNow): void {
    if (m.term !== this.term || this.role === "leader" || !this.isVoter(ctx.self)) return;
    if (this.log.lastIndex < m.lastIndex || this.damaged.size > 0) return;
    this.campaign(ctx, "real", true);
  }

  private lead(ctx: Ctx): void {
    invariant(this.votedFor === ctx.self, "a leader voted for itself");
    this.durableIndex = 0;
    this.writes = [];
    this.progress.clear();
    for (const peer of this.others(ctx)) {
      this.progress.set(peer, new Progress(this.log.lastIndex + 1, ctx.now));
    }
    this.takeOffice(ctx);
    this.beginLeading(ctx);
  }

  /** Without a leader, asks everyone for entries that the disk has lost (R36). */
  protected abstract seekRepair(ctx: Ctx): void;

  /** What a new leader does first: append a no-op of its term (R9). */
  protected abstract beginLeading(ctx: Ctx): void;
}
