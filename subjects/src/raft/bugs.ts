/**
 * Raft with one mistake at a time: the production class, one line of it changed.
 * Each is named after the sentence that it breaks; those with an id are named
 * scenarios that happened to others.
 */

import { Raft, type RaftConfig, type RaftWords, reachedByQuorum } from "@quorate/consensus";
import type { Context, NodeId, RequestId } from "@quorate/kernel";
import { Careless, Hasty } from "@quorate/lab";

import { type Planted, planted } from "../log/planted.ts";

type Ctx = Context<RaftWords>;
type Message<K extends RaftWords["Message"]["type"]> = Extract<
  RaftWords["Message"],
  { readonly type: K }
>;

// Elections.

class TornVote extends Raft {
  override recover(record: RaftWords["Record"]): void {
    super.recover(record.type === "state" ? { ...record, votedFor: undefined } : record);
  }
}

class SameTermStepDown extends Raft {
  protected override follow(ctx: Ctx, term: number, leader: NodeId | undefined): void {
    super.follow(ctx, term, leader);
    this.votedFor = undefined;
  }
}

class ForgetfulVoter extends Raft {
  protected override onRequestVote(ctx: Ctx, from: NodeId, m: Message<"requestVote">): void {
    if (!m.pre) this.votedFor = undefined;
    super.onRequestVote(ctx, from, m);
  }
}

class UncriticalVoter extends Raft {
  protected override onRequestVote(ctx: Ctx, from: NodeId, m: Message<"requestVote">): void {
    super.onRequestVote(ctx, from, { ...m, lastTerm: Number.MAX_SAFE_INTEGER });
  }
}

/** Lets the longer log win, whatever its terms. */
class LongestLogWins extends Raft {
  protected override onRequestVote(ctx: Ctx, from: NodeId, m: Message<"requestVote">): void {
    const longer = m.lastIndex >= this.log.lastIndex;
    super.onRequestVote(ctx, from, longer ? { ...m, lastTerm: Number.MAX_SAFE_INTEGER } : m);
  }
}

class HastyVoter extends Raft {
  protected override onRequestVote(ctx: Ctx, from: NodeId, m: Message<"requestVote">): void {
    super.onRequestVote(new Hasty(ctx, "vote"), from, m);
  }
}

class UnsyncedCampaign extends Raft {
  protected override campaign(ctx: Ctx, phase: "pre" | "real", transfer: boolean): void {
    super.campaign(new Hasty(ctx, "requestVote"), phase, transfer);
  }
}

class CountsAnyVote extends Raft {
  protected override onVote(ctx: Ctx, from: NodeId, m: Message<"vote">): void {
    const now = { round: this.round, term: this.term, pre: this.phase === "pre" };
    super.onVote(ctx, from, m.granted ? { ...m, ...now } : m);
  }
}

class HalfIsEnough extends Raft {
  protected override isQuorum(holds: (node: NodeId) => boolean): boolean {
    const { voters } = this.configuration;
    return voters.filter((node) => holds(node)).length * 2 >= voters.length;
  }
}

class PersistentLeader extends Raft {
  protected override onQuorumTimeout(ctx: Ctx): void {
    ctx.setTimer("quorum", this.config.electionMs);
  }
}

// Replication.

class CommitsEarlierTerms extends Raft {
  protected override advance(ctx: Ctx): void {
    const index = reachedByQuorum(this.configuration, (node) =>
      node === ctx.self ? this.durableIndex : (this.progress.get(node)?.match ?? 0),
    );
    this.commitTo(ctx, index);
  }
}

class CountsItselfFirst extends Raft {
  protected override advance(ctx: Ctx): void {
    this.durableIndex = this.log.lastIndex;
    super.advance(ctx);
  }
}

/** Believes that what it inherited is on its disk; some of it may still be on its way there. */
class TrustsItsTail extends Raft {
  protected override beginLeading(ctx: Ctx): void {
    super.beginLeading(ctx);
    this.durableIndex = this.log.lastIndex;
  }
}

// region: hasty
class HastyFollower extends Raft {
  protected override onAppend(ctx: Ctx, from: NodeId, m: Message<"append">): void {
    super.onAppend(new Hasty(ctx, "appended"), from, m);
  }
}
// endregion

class SkipsConsistencyCheck extends Raft {
  protected override onAppend(ctx: Ctx, from: NodeId, m: Message<"append">): void {
    super.onAppend(ctx, from, { ...m, prevTerm: this.log.termAt(m.prevIndex) ?? m.prevTerm });
  }
}

class AlwaysTruncates extends Raft {
  protected override onAppend(ctx: Ctx, from: NodeId, m: Message<"append">): void {
    const fits = m.term >= this.term && this.log.matches(m.prevIndex, m.prevTerm);
    if (fits && m.prevIndex >= this.commitIndex && m.prevIndex < this.log.lastIndex) {
      this.replace(ctx, m.prevIndex + 1, m.entries);
    }
    super.onAppend(ctx, from, m);
  }
}

class OverCommits extends Raft {
  protected override onHeartbeat(ctx: Ctx, from: NodeId, m: Message<"heartbeat">): void {
    super.onHeartbeat(ctx, from, m);
    if (m.term === this.term) this.commitTo(ctx, Math.min(this.toldCommit, this.log.lastIndex));
  }

  /** The leader's commit index as its last append said, whatever of it this log holds. */
  private toldCommit = 0;

  protected override onAppend(ctx: Ctx, from: NodeId, m: Message<"append">): void {
    this.toldCommit = Math.max(this.toldCommit, m.commit);
    super.onAppend(ctx, from, m);
  }
}

/** Sends nothing where a full window or a lost append would need a word. */
class NeverNudges extends Raft {
  protected override onHeartbeatTimeout(ctx: Ctx): void {
    super.onHeartbeatTimeout(new Silent(ctx));
  }
}

class Silent extends Careless<RaftWords> {
  override sendEagerly(to: NodeId, message: RaftWords["Message"]): void {
    if (message.type !== "append") super.sendEagerly(to, message);
  }
}

// Lost sectors.

/** Cuts its log where the disk has lost an entry, as if what was there had never been. */
class TakesUnknownForAbsent extends Raft {
  private forgetting = false;

  override recover(record: RaftWords["Record"]): void {
    if (record.type === "damaged") this.forgetting = true;
    else if (!this.forgetting || record.type === "state") super.recover(record);
  }
}

/** Campaigns though it does not know its own log. */
class LeadsUnmended extends Raft {
  protected override seekRepair(ctx: Ctx): void {
    this.campaign(ctx, "pre", false);
  }
}

/** Drops an entry that it has lost as soon as one other node does not have it. */
class BelievesOne extends Raft {
  protected override onAbsent(ctx: Ctx, _from: NodeId, m: Message<"absent">): void {
    if (m.index === this.firstDamaged) this.replace(ctx, m.index, []);
  }
}

// Reads and transfer.

class ReadsBeforeOwnTerm extends Raft {
  protected override hasCommittedOwnTerm(): boolean {
    return true;
  }
}

class ReadsWithoutAsking extends Raft {
  override onRequest(ctx: Ctx, id: RequestId, request: RaftWords["Request"]): void {
    const simple = request.type === "read" && this.role === "leader" && this.hasCommittedOwnTerm();
    if (simple) ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    else super.onRequest(ctx, id, request);
  }
}

class LongLease extends Raft {
  protected override onHeartbeatAck(ctx: Ctx, from: NodeId, m: Message<"heartbeatAck">): void {
    const before = this.reads.leaseUntil;
    super.onHeartbeatAck(ctx, from, m);
    // From when the answer came, and twice an election timeout: as long as the most patient voter waits.
    if (this.reads.leaseUntil > before)
      this.reads.leaseUntil = ctx.now + 2 * this.config.electionMs;
  }
}

class HastyRestart extends Raft {
  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    this.heardAt = -Infinity;
  }
}

export const raftBugs: readonly Planted<RaftConfig, Raft>[] = [
  planted(
    "E1-torn-vote",
    "votedFor is durable together with the term (figure 2, persistent state)",
    ["I3", "I1"],
    ["disturbed-elections", "crash-unsynced"],
    (config) => new TornVote(config),
    { electionMs: 60, heartbeatMs: 20 },
  ),
  planted(
    "E2-same-term-stepdown",
    "a server votes for at most one candidate in a term, whatever it steps down for (§5.2)",
    ["I3"],
    ["disturbed-elections", "cut-new-leaders"],
    (config) => new SameTermStepDown(config),
    { electionMs: 60, heartbeatMs: 20 },
  ),
  planted(
    "votes-for-whoever-asks",
    "a server votes for at most one candidate in a term (§5.2)",
    ["I3", "stops"],
    ["swarm"],
    (config) => new ForgetfulVoter(config),
  ),
  planted(
    "votes-without-comparing-logs",
    "the voter denies its vote if its own log is more up-to-date (§5.4.1)",
    ["I8", "I5", "stops"],
    ["swarm", "leader-and-friend"],
    (config) => new UncriticalVoter(config),
  ),
  planted(
    "L8-longest-log-wins",
    "the log with the later term is more up-to-date, only then the longer one (§5.4.1)",
    ["I8", "I5", "stops"],
    ["cut-new-leaders", "leader-and-friend"],
    (config) => new LongestLogWins(config),
  ),
  planted(
    "votes-before-durable",
    "the vote is on stable storage before the answer (figure 2)",
    ["I3", "I1"],
    ["disturbed-elections", "crash-unsynced"],
    (config) => new HastyVoter(config),
    { electionMs: 60, heartbeatMs: 20 },
  ),
  planted(
    "E14-unsynced-tail",
    "a candidate tells only of a log that its disk has (R4)",
    ["I8", "I3", "I6", "I1"],
    ["stalled-candidate"],
    (config) => new UnsyncedCampaign(config),
    { nodes: 3, leaseReads: 0 },
  ),
  planted(
    "E6-counts-any-vote",
    "a candidate counts votes of its term and round (§5.2, thesis §9.6)",
    ["I3"],
    ["swarm"],
    (config) => new CountsAnyVote(config),
  ),
  planted(
    "L8-half-is-enough",
    "a candidate needs the votes of a majority (§5.2)",
    ["I3"],
    ["partitions"],
    (config) => new HalfIsEnough(config),
    { nodes: 4 },
  ),
  planted(
    "E12-persistent-leader",
    "a leader that reaches no quorum steps down and falls silent (thesis §6.2)",
    ["liveness"],
    ["partitions", "swarm"],
    (config) => new PersistentLeader(config),
  ),
  planted(
    "commits-earlier-terms",
    "only entries of the leader's term are committed by counting replicas (§5.4.2)",
    ["I8", "I5"],
    ["cut-new-leaders", "leader-and-friend"],
    (config) => new CommitsEarlierTerms(config),
    { nodes: 3, appendBytes: 1 },
  ),
  planted(
    "L6-leader-counts-itself-first",
    "a leader counts itself once its disk has the entry (thesis §10.2.1)",
    ["R16", "I8"],
    ["slow-disks", "swarm"],
    (config) => new CountsItselfFirst(config),
  ),
  planted(
    "L4-trusts-its-tail",
    "what a new leader inherited counts once its own disk has it (thesis §10.2.1)",
    ["R16", "I8"],
    ["slow-disks", "crash-unsynced"],
    (config) => new TrustsItsTail(config),
  ),
  // region: planted
  planted(
    "L7-answers-before-durable",
    "a follower answers once the entries are on stable storage (figure 2)",
    ["R16", "I8"],
    ["crash-unsynced", "slow-disks"],
    (config) => new HastyFollower(config),
  ),
  // endregion
  planted(
    "skips-consistency-check",
    "a follower refuses entries that do not fit its log at prevLogIndex and prevLogTerm (§5.3)",
    ["I8", "R16", "I6", "stops"],
    ["leader-and-friend", "cut-new-leaders"],
    (config) => new SkipsConsistencyCheck(config),
  ),
  planted(
    "L2-always-truncates",
    "only a conflicting entry makes a follower delete what follows (figure 2)",
    ["R16", "I8", "I5", "I4"],
    ["swarm", "partitions"],
    (config) => new AlwaysTruncates(config),
  ),
  planted(
    "L3-overcommits",
    "a follower commits no further than the last entry it has verified (figure 2)",
    ["I8", "R16", "I5", "I4"],
    ["leader-and-friend", "cut-new-leaders"],
    (config) => new OverCommits(config),
  ),
  planted(
    "L9-never-nudges",
    "what was lost is found out by the next heartbeat (R18)",
    ["liveness"],
    ["swarm"],
    (config) => new NeverNudges(config),
    { inflightMessages: 1 },
  ),
  planted(
    "D4-unknown-is-absent",
    "an entry whose bytes are lost is unknown, not absent (R36; Alagappan et al. 2018, §3.3)",
    ["I8", "R16", "I5", "I4", "I6", "stops"],
    ["lost-sectors"],
    (config) => new TakesUnknownForAbsent(config),
  ),
  planted(
    "R36-leads-unmended",
    "who has lost entries does not lead by them (R36)",
    ["R36", "I8", "stops"],
    ["lost-sectors"],
    (config) => new LeadsUnmended(config),
  ),
  planted(
    "R36-believes-one",
    "an entry is dropped once a quorum does not have it (R36; Alagappan et al. 2018, §3.3.2)",
    ["I8", "R16", "I5", "I4", "stops"],
    ["lost-sectors"],
    (config) => new BelievesOne(config),
  ),
  planted(
    "R1-reads-before-own-term",
    "a new leader reads after it has committed an entry of its term (§8, thesis §6.4)",
    ["L3"],
    ["crash-unsynced", "cut-new-leaders"],
    (config) => new ReadsBeforeOwnTerm(config),
  ),
  planted(
    "reads-without-asking",
    "a leader exchanges heartbeats with a majority before it answers a read (§8)",
    ["L3"],
    ["partitions", "pause-lease-holder"],
    (config) => new ReadsWithoutAsking(config),
  ),
  planted(
    "lease-too-long",
    "a lease ends before any follower's patience does (thesis §6.4.1)",
    ["L3"],
    ["pause-lease-holder"],
    (config) => new LongLease(config),
    { leaseReads: 1 },
  ),
  planted(
    "R3-hasty-restart",
    "a restart does not end the patience promised to a leader (R5, R33)",
    ["L3"],
    ["leader-and-friend", "crash-unsynced"],
    (config) => new HastyRestart(config),
    { leaseReads: 1 },
  ),
];
