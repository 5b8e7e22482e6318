/**
 * Phase one, once for the whole suffix (Lamport 2001, §3): a candidate asks the
 * acceptors to promise its ballot and to tell all that they have accepted beyond
 * what it knows to be decided. What a prepare quorum tells binds it: in each
 * slot it proposes the value of the highest ballot told of, and no-ops in the
 * gaps. What an acceptor knows to be decided is learned on the spot.
 *
 * Promises come in parts of bounded size, each asked for. A promise counts when
 * it is complete.
 */

import { invariant, type NodeId, type Position } from "@quorate/kernel";

import type { Entry, Index } from "../../entry.ts";
import { type Ballot, isHigher, isSame, makeBallot } from "./ballot.ts";
import { Electing } from "./election.ts";
import type { Behind, Nack, Prepare, Promised, TakeOver } from "./messages.ts";
import type { Run } from "./slots.ts";
import type { Ctx } from "./state.ts";

/** A candidate that waits for a snapshot does so for this many election timeouts. */
const SNAPSHOT_PATIENCE = 10;

/** What an acceptor has told so far. */
interface Told {
  /** Everything that it has accepted up to here was told of. */
  through: Index;
  complete: boolean;
  /** It knew everything up to here to be decided. */
  commit: Index;
}

interface Inherited {
  readonly ballot: Ballot;
  readonly entry: Entry;
}

export abstract class PhaseOne extends Electing {
  /** What the acceptors have told in answer to `ballot`. */
  protected promises: Map<NodeId, Told> = new Map();
  /** A prepare quorum of the configuration in force has promised `ballot` (M15). */
  protected isPrepared = false;
  /** The own promise counts once this position is durable (M1). */
  private promisePosition: Position = 0;
  /** Of each slot told of that is not proposed yet, the value of the highest ballot (M4). */
  protected inherited: Map<Index, Inherited> = new Map();
  /** The last slot that anything was told of. */
  protected inheritedLast: Index = 0;
  /** Who asked for this attempt, if it was the leader. */
  private summons: Ballot | undefined;
  /** The furthest slot from which the promised ballot has asked this node to tell. */
  private askedFrom: Index = 0;

  protected override prepare(ctx: Ctx, summons: Ballot | undefined): void {
    const ballot = makeBallot(Math.max(this.promised.round, this.seenRound) + 1, ctx.self);
    this.promisePosition = this.adopt(ctx, ballot);
    this.ballot = this.promised;
    this.role = "candidate";
    this.phase = "prepare";
    this.leader = undefined;
    this.summons = summons;
    this.promises = new Map();
    this.isPrepared = false;
    this.inherited = new Map();
    this.inheritedLast = this.commitIndex;
    this.inherit(this.slots.runs(this.commitIndex + 1, Infinity).runs);
    ctx.note({ type: "preparing", term: this.term, from: this.commitIndex + 1 });
    this.announce(ctx);
    this.awaitLeader(ctx);
    this.askForPromises(ctx);
  }

  /** Asks, and asks again, every voter that has not told everything. */
  protected askForPromises(ctx: Ctx): void {
    for (const peer of this.others(ctx)) {
      if (this.isVoter(peer) && this.promises.get(peer)?.complete !== true) this.ask(ctx, peer);
    }
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
  }

  private ask(ctx: Ctx, peer: NodeId): void {
    const { ballot, quorums, summons } = this;
    const from = Math.max(this.promises.get(peer)?.through ?? 0, this.commitIndex) + 1;
    // `send` waits until the ballot is durable: it is never used again (M1).
    ctx.send(peer, { type: "prepare", ballot, from, summons, quorums });
  }

  protected onPrepare(ctx: Ctx, from: NodeId, m: Prepare): void {
    if (this.differ(ctx, from, m.quorums)) return;
    if (isHigher(this.promised, m.ballot)) return this.refuse(ctx, from);
    if (isHigher(m.ballot, this.promised)) {
      // Not even the ballot is noticed: a node that was cut off must not depose a leader (M11).
      if (this.hearsLeader(ctx) && !this.isReleased(m.summons)) return;
      this.adopt(ctx, m.ballot);
      this.follow(ctx, undefined);
      this.awaitLeader(ctx);
      this.askedFrom = m.from;
    } else if (m.from > this.askedFrom) {
      // A phase one that gets on is left the time it needs (M26).
      if (this.role !== "leader") this.awaitLeader(ctx);
      this.askedFrom = m.from;
    }
    this.report(ctx, from, m.from);
  }

  /**
   * Whether the leader that this node hears wants another. A summons that comes
   * late says nothing about the lease of whoever leads by then, were it the same
   * node in another ballot (scenario R3).
   */
  protected isReleased(summons: Ballot | undefined): boolean {
    return summons !== undefined && isSame(summons, this.promised);
  }

  protected refuse(ctx: Ctx, from: NodeId): void {
    ctx.send(from, { type: "nack", ballot: this.promised });
  }

  /** Tells what was accepted from `from` on, or that it is gone (M3, M19). */
  private report(ctx: Ctx, to: NodeId, from: Index): void {
    const ballot = this.promised;
    const base = this.slots.base.index;
    if (from <= base) {
      ctx.send(to, { type: "behind", ballot, base });
      const sources = [ctx.self];
      return ctx.outputEagerly({ type: "snapshotWanted", to, atLeast: base, sources });
    }
    const { runs, through } = this.slots.runs(from, this.config.appendBytes);
    const last = this.slots.lastIndex;
    const { commitIndex: commit } = this;
    ctx.send(to, { type: "promise", ballot, from, through, last, runs, commit });
  }

  protected onPromise(ctx: Ctx, from: NodeId, m: Promised): void {
    if (!this.isAsking(m.ballot) || !this.isVoter(from)) return;
    const known = this.promises.get(from) ?? { through: 0, complete: false, commit: 0 };
    const expected = Math.max(known.through, this.commitIndex) + 1;
    // An old part, or one whose predecessor was lost (scenario P1: parts are put where they belong).
    if (known.complete || m.from > expected) return;
    const isNews = m.through > known.through;
    known.through = Math.max(known.through, m.through);
    known.commit = Math.max(known.commit, m.commit);
    known.complete = m.through >= m.last;
    this.promises.set(from, known);
    this.inherit(m.runs);
    if (m.from <= this.commitIndex + 1) this.learn(ctx, m.runs, Math.min(m.commit, m.through));
    // What was learned may have made this node a learner.
    if (!this.isAsking(m.ballot)) return;
    if (known.complete) return this.count(ctx);
    // This node, too, is left the time it needs while it gets on (M26).
    if (isNews && this.role === "candidate") this.awaitLeader(ctx);
    this.ask(ctx, from);
  }

  /** Whether answers to `ballot` are waited for: by a candidate, or under a new configuration (M15). */
  private isAsking(ballot: Ballot): boolean {
    if (!isSame(ballot, this.ballot)) return false;
    if (this.role === "leader") return !this.isPrepared;
    return this.role === "candidate" && this.phase === "prepare";
  }

  /** Keeps of each slot the value of the highest ballot (M4). */
  protected inherit(runs: readonly Run[]): void {
    for (const { ballot, index: first, entries } of runs) {
      for (const [i, entry] of entries.entries()) {
        const index = first + i;
        if (index <= this.commitIndex) continue;
        const before = this.inherited.get(index);
        if (before !== undefined && !this.outweighs(ballot, before.ballot)) continue;
        // Frozen, since a slot may hold it too.
        this.inherited.set(index, { ballot, entry: Object.freeze(entry) });
        this.inheritedLast = Math.max(this.inheritedLast, index);
      }
    }
  }

  protected outweighs(ballot: Ballot, other: Ballot): boolean {
    return isHigher(ballot, other);
  }

  /** An acceptor knows the slots up to `last` to be decided, with these values. */
  private learn(ctx: Ctx, runs: readonly Run[], last: Index): void {
    for (const { ballot, index: first, entries } of runs) {
      const skip = Math.max(0, this.commitIndex + 1 - first);
      const known = entries.slice(skip, Math.max(0, last + 1 - first));
      if (known.length === 0) continue;
      const index = first + skip;
      invariant(
        index === this.commitIndex + 1,
        "J1: an acceptor holds all that it knows is decided",
      );
      const shared = this.shared(ballot);
      for (const [i, entry] of known.entries()) this.slots.put(index + i, shared, entry);
      const commit = index + known.length - 1;
      // The record's own commit index covers what it brings: it is read back as decided.
      ctx.persist({ type: "accepted", ballot: shared, index, entries: known, commit });
      this.onLearned(known);
      this.commitTo(ctx, commit);
    }
    for (const index of this.inherited.keys()) {
      if (index <= this.commitIndex) this.inherited.delete(index);
    }
  }

  private count(ctx: Ctx): void {
    this.checkPromises();
    if (this.role === "candidate" && this.isPrepared) this.lead(ctx);
  }

  /** The own promise has reached the disk and counts. */
  protected countOwnPromise(ctx: Ctx, position: Position): void {
    if (this.role !== "candidate" || this.phase !== "prepare") return;
    if (position < this.promisePosition || this.promises.has(ctx.self)) return;
    const { lastIndex: through, commitIndex: commit } = this;
    this.promises.set(ctx.self, { through, complete: true, commit });
    this.count(ctx);
  }

  /** A promise was completed, or others have to promise from now on. */
  protected checkPromises(): void {
    this.isPrepared = this.isQuorumFor(
      "prepare",
      (node) => this.promises.get(node)?.complete === true,
    );
  }

  /** What was asked about is compacted away at `from`, which sends a snapshot. */
  protected onBehind(ctx: Ctx, from: NodeId, m: Behind): void {
    if (!this.isAsking(m.ballot) || m.base <= this.commitIndex) return;
    ctx.note({ type: "behind", peer: from });
    if (this.role !== "candidate") return this.follow(ctx, undefined);
    // Asking again would only make it begin again.
    ctx.cancelTimer("heartbeat");
    ctx.setTimer("election", SNAPSHOT_PATIENCE * this.config.electionMs, this.config.electionMs);
  }

  /** Others have to promise from now on. */
  protected override onConfiguration(ctx: Ctx): void {
    super.onConfiguration(ctx);
    this.checkPromises();
  }

  /** A snapshot has brought this candidate further: it asks from there. */
  protected goOnPreparing(ctx: Ctx): void {
    if (this.role !== "candidate" || this.phase !== "prepare") return;
    this.askForPromises(ctx);
    this.count(ctx);
  }

  /** Somebody has promised a higher ballot: this one leads nowhere any more (M10). */
  protected onNack(ctx: Ctx, m: Nack): void {
    this.seenRound = Math.max(this.seenRound, m.ballot.round);
    if (!isHigher(m.ballot, this.ballot)) return;
    if (this.role === "leader") this.resign(ctx, "higherBallot");
    else if (this.role === "candidate" && this.phase === "prepare") this.follow(ctx, undefined);
  }

  /** The leader hands over: prepare without asking around first (M18). */
  protected onTakeOver(ctx: Ctx, m: TakeOver): void {
    if (!isSame(m.ballot, this.promised) || this.role === "leader") return;
    if (this.mayLead(ctx.self)) this.prepare(ctx, this.shared(m.ballot));
  }

  /** A prepare quorum has promised, and told everything: the candidate leads. */
  protected abstract lead(ctx: Ctx): void;

  /** A leader has learned slots that it has not proposed. */
  protected abstract onLearned(entries: readonly Entry[]): void;
}
