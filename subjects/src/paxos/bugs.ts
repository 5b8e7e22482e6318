/**
 * Multi-Paxos with one mistake at a time: the production class, one line of it
 * changed. Each is named after the sentence that it breaks; those with an id are
 * named scenarios that happened to others.
 */

import { MultiPaxos, type MultiPaxosConfig, type MultiPaxosWords } from "@quorate/consensus";
import type { Context, NodeId } from "@quorate/kernel";
import { Careless, Hasty } from "@quorate/lab";

import { type Planted, planted } from "../log/planted.ts";

type Ctx = Context<MultiPaxosWords>;
type Message<K extends MultiPaxosWords["Message"]["type"]> = Extract<
  MultiPaxosWords["Message"],
  { readonly type: K }
>;

// Phase one.

class ForgetsItsPromise extends MultiPaxos {
  override recover(record: MultiPaxosWords["Record"]): void {
    if (record.type !== "promised") super.recover(record);
  }
}

class HastyPromise extends MultiPaxos {
  protected override onPrepare(ctx: Ctx, from: NodeId, m: Message<"prepare">): void {
    super.onPrepare(new Hasty(ctx, "promise"), from, m);
  }
}

class FirstToldWins extends MultiPaxos {
  protected override outweighs(): boolean {
    return false;
  }
}

class LastToldWins extends MultiPaxos {
  protected override outweighs(): boolean {
    return true;
  }
}

class OwnValuesOnly extends MultiPaxos {
  protected override inherit(): void {
    // What acceptors have accepted is no concern of this leader's.
  }
}

class CountsHalfPromises extends MultiPaxos {
  protected override onPromise(ctx: Ctx, from: NodeId, m: Message<"promise">): void {
    super.onPromise(ctx, from, { ...m, last: m.through });
  }
}

class MergesAtTheWrongSlot extends MultiPaxos {
  protected override inherit(runs: Parameters<MultiPaxos["inherit"]>[0]): void {
    const [first] = runs;
    const shift = first === undefined ? 0 : Math.max(0, first.index - this.commitIndex - 1);
    super.inherit(runs.map((run) => ({ ...run, index: run.index - shift })));
  }
}

class SmallPrepareQuorum extends MultiPaxos {
  protected override checkPromises(): void {
    super.checkPromises();
    const { length } = this.configuration.voters;
    this.isPrepared ||= this.promises.size * 2 >= length - 1;
  }
}

class TellsOfDecidedOnly extends MultiPaxos {
  protected override onPrepare(ctx: Ctx, from: NodeId, m: Message<"prepare">): void {
    super.onPrepare(new Discreet(ctx), from, m);
  }
}

/** Leaves out of promises what the acceptor does not know to be decided. */
class Discreet extends Careless<MultiPaxosWords> {
  override send(to: NodeId, message: MultiPaxosWords["Message"]): void {
    if (message.type !== "promise") return super.send(to, message);
    const runs = message.runs.filter((run) => run.index <= message.commit);
    super.send(to, { ...message, runs, through: message.last });
  }
}

// Phase two.

class AcceptsAnything extends MultiPaxos {
  protected override heed(...[ctx, from, ballot]: Parameters<MultiPaxos["heed"]>): boolean {
    return super.heed(ctx, from, ballot) || this.role !== "leader";
  }
}

class HastyAcceptor extends MultiPaxos {
  protected override onAccept(ctx: Ctx, from: NodeId, m: Message<"accept">): void {
    super.onAccept(new Hasty(ctx, "accepted"), from, m);
  }
}

class CountsItselfFirst extends MultiPaxos {
  protected override advance(ctx: Ctx): void {
    this.durableIndex = this.next - 1;
    super.advance(ctx);
  }
}

class DecidesWhatItHolds extends MultiPaxos {
  protected override extendAgreed(): void {
    while (this.slots.ballotAt(this.agreed + 1) !== undefined) this.agreed++;
  }
}

class AcksOverHoles extends MultiPaxos {
  protected override onAccept(ctx: Ctx, from: NodeId, m: Message<"accept">): void {
    super.onAccept(new Boastful(ctx, m.index + m.entries.length - 1), from, m);
  }
}

/** Says that everything up to `index` is accepted. */
class Boastful extends Careless<MultiPaxosWords> {
  private readonly index: number;

  constructor(ctx: Ctx, index: number) {
    super(ctx);
    this.index = index;
  }

  override send(to: NodeId, message: MultiPaxosWords["Message"]): void {
    if (message.type !== "accepted") return super.send(to, message);
    super.send(to, { ...message, index: Math.max(message.index, this.index) });
  }
}

class ForgetsWhatItAccepted extends MultiPaxos {
  override recover(record: MultiPaxosWords["Record"]): void {
    if (record.type !== "accepted") return super.recover(record);
    super.recover({ ...record, ballot: { round: 0, node: "" } });
    super.recover({ type: "promised", ballot: record.ballot });
  }
}

class SilentAboutHoles extends MultiPaxos {
  protected override onMissing(): void {
    // What was lost will surely arrive one day.
  }
}

// Election.

class PersistentLeader extends MultiPaxos {
  protected override onQuorumTimeout(ctx: Ctx): void {
    ctx.setTimer("quorum", this.config.electionMs);
  }
}

class GoesOnWithoutAsking extends MultiPaxos {
  protected override onNack(): void {
    // Who has promised somebody else will come round.
  }
}

// Reads and transfer.

class ReadsBeforeReady extends MultiPaxos {
  protected override get isReady(): boolean {
    return this.role === "leader";
  }
}

class ReadsWithoutAsking extends MultiPaxos {
  protected override onRead(...[ctx, id, level]: Parameters<MultiPaxos["onRead"]>): void {
    if (this.isReady) ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    else super.onRead(ctx, id, level);
  }
}

class LongLease extends MultiPaxos {
  protected override onHeartbeatAck(ctx: Ctx, from: NodeId, m: Message<"heartbeatAck">): void {
    const before = this.reads.leaseUntil;
    super.onHeartbeatAck(ctx, from, m);
    // From when the answer came, and twice an election timeout: as long as the most patient voter waits.
    if (this.reads.leaseUntil > before)
      this.reads.leaseUntil = ctx.now + 2 * this.config.electionMs;
  }
}

class KeepsItsLease extends MultiPaxos {
  protected override forfeitLease(): void {
    // The successor may never hear of it.
  }
}

class HastyRestart extends MultiPaxos {
  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    this.heardAt = -Infinity;
  }
}

class ImpatientAcceptor extends MultiPaxos {
  protected override hearsLeader(): boolean {
    return this.role === "leader";
  }
}

/** What any break of agreement may be seen by first. */
const DISAGREEMENT = ["J1", "J5", "J9", "J10", "L2", "L3", "L4", "stops"];

export const paxosBugs: readonly Planted<MultiPaxosConfig, MultiPaxos>[] = [
  planted(
    "forgets-its-promise",
    "an acceptor remembers, even if it fails and restarts, the highest ballot it has promised (2001, §2.2)",
    [...DISAGREEMENT, "J2", "J3"],
    ["crash-unsynced", "disturbed-elections", "cut-new-leaders"],
    (config) => new ForgetsItsPromise(config),
    { electionMs: 60, heartbeatMs: 20 },
  ),
  planted(
    "promises-before-durable",
    "an acceptor records its promise in stable storage before sending it (2001, §2.5)",
    [...DISAGREEMENT, "J3"],
    ["cut-new-leaders"],
    (config) => new HastyPromise(config),
    { nodes: 3, accept: 0, electionMs: 60, heartbeatMs: 20 },
  ),
  planted(
    "first-told-wins",
    "the value proposed is that of the highest-numbered proposal among the responses (2001, P2c)",
    DISAGREEMENT,
    ["cut-new-leaders", "leader-and-friend"],
    (config) => new FirstToldWins(config),
  ),
  planted(
    "last-told-wins",
    "the highest-numbered proposal among the responses, not the last to arrive (2001, P2c)",
    DISAGREEMENT,
    ["cut-new-leaders", "leader-and-friend"],
    (config) => new LastToldWins(config),
  ),
  planted(
    "own-values-only",
    "a leader proposes what phase one tells of before values of its own (2001, §3)",
    DISAGREEMENT,
    ["swarm"],
    (config) => new OwnValuesOnly(config),
  ),
  planted(
    "counts-half-promises",
    "a promise counts when it has told everything (M3)",
    DISAGREEMENT,
    ["leader-and-friend", "cut-new-leaders", "swarm"],
    (config) => new CountsHalfPromises(config),
    { appendBytes: 1 },
  ),
  planted(
    "P1-merges-at-the-wrong-slot",
    "what an acceptor tells of a slot is about that slot (OCons #21)",
    DISAGREEMENT,
    ["swarm", "leader-and-friend", "cut-new-leaders"],
    (config) => new MergesAtTheWrongSlot(config),
  ),
  planted(
    "small-prepare-quorum",
    "every prepare quorum meets every accept quorum (Flexible Paxos, 2016)",
    DISAGREEMENT,
    ["partitions", "swarm"],
    (config) => new SmallPrepareQuorum(config),
    { nodes: 3 },
  ),
  planted(
    "tells-of-decided-only",
    "a promise tells of every value accepted, decided or not (2001, §2.2)",
    DISAGREEMENT,
    ["swarm", "leader-and-friend"],
    (config) => new TellsOfDecidedOnly(config),
  ),
  planted(
    "accepts-anything",
    "an acceptor accepts a proposal unless it has promised a higher ballot (2001, P1a)",
    [...DISAGREEMENT, "liveness"],
    ["partitions", "cut-new-leaders", "leader-and-friend", "swarm"],
    (config) => new AcceptsAnything(config),
  ),
  planted(
    "L7-accepts-before-durable",
    "an acceptor records what it accepts in stable storage before it says so (2001, §2.5)",
    DISAGREEMENT,
    ["crash-unsynced", "slow-disks"],
    (config) => new HastyAcceptor(config),
  ),
  planted(
    "L6-leader-counts-itself-first",
    "a leader counts itself once its disk has what it proposed (M6)",
    DISAGREEMENT,
    ["slow-disks", "swarm"],
    (config) => new CountsItselfFirst(config),
  ),
  planted(
    "L3-decides-what-it-holds",
    "a follower decides only what it accepted in the leader's ballot (M9)",
    DISAGREEMENT,
    ["leader-and-friend", "cut-new-leaders", "swarm"],
    (config) => new DecidesWhatItHolds(config),
  ),
  planted(
    "acks-over-holes",
    "every slot up to the one named is accepted (M6)",
    DISAGREEMENT,
    ["swarm"],
    (config) => new AcksOverHoles(config),
  ),
  planted(
    "forgets-the-ballot-of-values",
    "an acceptor remembers the ballot of what it has accepted (2001, §2.2)",
    DISAGREEMENT,
    ["crash-unsynced", "cut-new-leaders", "leader-and-friend"],
    (config) => new ForgetsWhatItAccepted(config),
  ),
  planted(
    "silent-about-holes",
    "what was lost is found out by the next heartbeat (M9)",
    ["liveness"],
    ["swarm"],
    (config) => new SilentAboutHoles(config),
  ),
  planted(
    "E12-persistent-leader",
    "a leader that reaches no accept quorum stops leading and falls silent (M13)",
    ["liveness"],
    ["partitions", "swarm"],
    (config) => new PersistentLeader(config),
  ),
  planted(
    "goes-on-without-asking",
    "a leader that learns of a higher ballot stops (2001, §2.5; M10)",
    ["liveness"],
    ["swarm", "partitions", "disturbed-elections"],
    (config) => new GoesOnWithoutAsking(config),
  ),
  planted(
    "R1-reads-before-ready",
    "a new leader reads after all that it inherited is decided (M16)",
    ["L3"],
    ["crash-unsynced", "cut-new-leaders"],
    (config) => new ReadsBeforeReady(config),
  ),
  planted(
    "reads-without-asking",
    "a leader asks an accept quorum before it answers a read (M16)",
    ["L3"],
    ["partitions", "pause-lease-holder"],
    (config) => new ReadsWithoutAsking(config),
  ),
  planted(
    "lease-too-long",
    "a lease ends before any acceptor's patience does (M17)",
    ["L3"],
    ["pause-lease-holder"],
    (config) => new LongLease(config),
    { leaseReads: 1 },
  ),
  planted(
    "R3-lease-kept-in-transfer",
    "who hands leadership over has no lease any more (M17, M18)",
    ["L3"],
    ["partitions"],
    (config) => new KeepsItsLease(config),
    { leaseReads: 1, nodes: 3, accept: 0, appendBytes: 1, inflightMessages: 1 },
  ),
  planted(
    "R3-hasty-restart",
    "a restart does not end the patience promised to a leader (M17)",
    ["L3"],
    ["leader-and-friend"],
    (config) => new HastyRestart(config),
    { leaseReads: 1, nodes: 3, accept: 0 },
  ),
  planted(
    "impatient-acceptor",
    "who hears a leader promises nobody else (M11, M17)",
    ["L3", "liveness"],
    ["pause-lease-holder", "partitions", "leader-and-friend"],
    (config) => new ImpatientAcceptor(config),
    { leaseReads: 1 },
  ),
];
