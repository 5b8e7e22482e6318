/**
 * The synod: Paxos for a single decision (Lamport, *The part-time parliament*,
 * 1998, §2; *Paxos made simple*, 2001, §2). Small enough to be read beside the
 * paper, and complete: every node is proposer, acceptor and learner, may crash at
 * any moment and come back with its disk.
 *
 * A value is chosen once a quorum has accepted one proposal. What keeps a second
 * value from being chosen is P2c: whoever proposes asks a quorum first, and if any
 * of it has accepted something, proposes the value of the highest such ballot.
 *
 * It decides once. A log of decisions, a leader that spares the first phase, and
 * changes of the acceptors are not its business.
 */

import {
  type Context,
  invariant,
  type NodeId,
  type Process,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { Ballot, Message, Proposal, Record, SynodWords } from "./messages.ts";

type Ctx = Context<SynodWords>;

export interface SynodConfig {
  /** Any majority of them is a quorum. */
  readonly acceptors: readonly NodeId[];
  /**
   * After this, plus up to as much again, a proposal that got nowhere is made anew under a higher
   * ballot; each time after twice as long as before, or proposers that outbid each other would never
   * end. About two round trips and two writes. Lower is sooner done after a crash.
   */
  readonly retryMs: number;
}

/** A proposal of this node's on its way. */
interface Attempt {
  readonly ballot: Ballot;
  /** By acceptor that promised: what it had accepted. */
  readonly promises: Map<NodeId, Proposal | undefined>;
  /** What is proposed, once a quorum has promised. */
  proposal: Proposal | undefined;
  readonly accepts: Set<NodeId>;
}

/** Waiting is not doubled more often than this. */
const MOST_DOUBLINGS = 6;

const BEFORE_ALL: Ballot = Object.freeze({ round: 0, node: "" });

export class Synod implements Process<SynodWords> {
  private readonly config: SynodConfig;

  // Acceptor. Durable: everything it tells others rests on these two.
  /** Nothing below is accepted any more. */
  private promised: Ballot = BEFORE_ALL;
  private accepted: Proposal | undefined;

  // Proposer. Lost in a crash, with the requests.
  private value: Uint8Array | undefined;
  private attempt: Attempt | undefined;
  private readonly asked: Set<RequestId> = new Set();
  /** How many proposals got nowhere in this life. */
  private failures = 0;
  /** The highest round heard of. */
  private round = 0;

  /** Learner: what was chosen, if this node knows. */
  chosen: Uint8Array | undefined;

  constructor(config: SynodConfig) {
    this.config = Object.freeze(config);
  }

  recover(record: Record): void {
    switch (record.type) {
      case "promised":
        this.promised = record.ballot;
        break;
      case "accepted":
        this.promised = record.proposal.ballot;
        this.accepted = record.proposal;
        break;
      default:
        unreachable(record);
    }
    this.round = Math.max(this.round, this.promised.round);
  }

  onStart(_ctx: Ctx): void {
    // Nobody is owed anything: who asked has to ask again.
  }

  onRequest(ctx: Ctx, id: RequestId, value: Uint8Array): void {
    if (this.chosen !== undefined) return ctx.reply(id, this.chosen);
    this.asked.add(id);
    this.value ??= value;
    if (this.attempt === undefined) this.propose(ctx);
  }

  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    switch (message.type) {
      case "prepare":
        return this.onPrepare(ctx, from, message.ballot);
      case "promise":
        return this.onPromise(ctx, from, message.ballot, message.accepted);
      case "accept":
        return this.onAccept(ctx, from, message.proposal);
      case "accepted":
        return this.onAccepted(ctx, from, message.ballot);
      case "refused":
        return this.onRefused(ctx, message.ballot, message.promised);
      case "chosen":
        return this.learn(ctx, message.value);
      default:
        return unreachable(message);
    }
  }

  onTimer(ctx: Ctx): void {
    if (this.chosen !== undefined || this.value === undefined) return;
    this.failures = Math.min(this.failures + 1, MOST_DOUBLINGS);
    this.propose(ctx);
  }

  /** Phase 1a, under a ballot that this node never used before, in whichever life. */
  private propose(ctx: Ctx): void {
    const ballot = { round: ++this.round, node: ctx.self };
    this.attempt = { ballot, promises: new Map(), proposal: undefined, accepts: new Set() };
    ctx.note({ type: "proposing", round: ballot.round });
    // Its own promise, made first and durably, keeps a later life from using the ballot again (B1).
    this.promise(ctx, ballot);
    for (const node of this.config.acceptors) ctx.send(node, { type: "prepare", ballot });
    const waitMs = this.config.retryMs * 2 ** this.failures;
    ctx.setTimer("retry", waitMs, waitMs);
  }

  /** Phase 1b. */
  private onPrepare(ctx: Ctx, from: NodeId, ballot: Ballot): void {
    if (this.isLate(ctx, from, ballot)) return;
    if (compare(ballot, this.promised) > 0) this.promise(ctx, ballot);
    ctx.send(from, { type: "promise", ballot, accepted: this.accepted });
  }

  private promise(ctx: Ctx, ballot: Ballot): void {
    invariant(compare(ballot, this.promised) > 0, "B2: promises only grow");
    this.promised = ballot;
    this.round = Math.max(this.round, ballot.round);
    ctx.persist({ type: "promised", ballot });
  }

  /** Phase 2a: with the promises of a quorum, propose the latest value accepted, or else one's own. */
  private onPromise(ctx: Ctx, from: NodeId, ballot: Ballot, accepted: Proposal | undefined): void {
    const { attempt } = this;
    if (attempt === undefined || !isSame(attempt.ballot, ballot)) return;
    if (attempt.proposal !== undefined) return; // A quorum has spoken; more change nothing.
    attempt.promises.set(from, accepted);
    if (!this.isQuorum(attempt.promises.size)) return;
    const latest = latestOf(attempt.promises.values());
    if (latest !== undefined) ctx.note({ type: "adopted", round: ballot.round });
    const value = latest?.value ?? this.value;
    invariant(value !== undefined, "a proposer has something to propose");
    attempt.proposal = { ballot, value };
    for (const node of this.config.acceptors) {
      ctx.send(node, { type: "accept", proposal: attempt.proposal });
    }
  }

  /** Phase 2b. */
  private onAccept(ctx: Ctx, from: NodeId, proposal: Proposal): void {
    const { ballot } = proposal;
    if (this.isLate(ctx, from, ballot)) return;
    const isNews = this.accepted === undefined || compare(ballot, this.accepted.ballot) > 0;
    if (isNews) {
      this.promised = ballot;
      this.accepted = proposal;
      this.round = Math.max(this.round, ballot.round);
      ctx.persist({ type: "accepted", proposal });
    }
    ctx.send(from, { type: "accepted", ballot });
  }

  /** Tells who is outbid, or already knows the outcome. */
  private isLate(ctx: Ctx, from: NodeId, ballot: Ballot): boolean {
    if (this.chosen !== undefined) {
      ctx.send(from, { type: "chosen", value: this.chosen });
      return true;
    }
    if (compare(ballot, this.promised) >= 0) return false;
    ctx.send(from, { type: "refused", ballot, promised: this.promised });
    return true;
  }

  private onAccepted(ctx: Ctx, from: NodeId, ballot: Ballot): void {
    const { attempt } = this;
    if (attempt?.proposal === undefined || !isSame(attempt.ballot, ballot)) return;
    attempt.accepts.add(from);
    if (!this.isQuorum(attempt.accepts.size)) return;
    const { value } = attempt.proposal;
    this.learn(ctx, value);
    for (const node of this.config.acceptors) {
      if (node !== ctx.self) ctx.send(node, { type: "chosen", value });
    }
  }

  private onRefused(ctx: Ctx, ballot: Ballot, promised: Ballot): void {
    this.round = Math.max(this.round, promised.round);
    if (this.attempt === undefined || !isSame(this.attempt.ballot, ballot)) return;
    // Not at once: the other proposal may be about to succeed.
    this.attempt = undefined;
    ctx.note({ type: "outbid", round: ballot.round });
  }

  private learn(ctx: Ctx, value: Uint8Array): void {
    if (this.chosen !== undefined) {
      invariant(isEqual(this.chosen, value), "B3: one value is chosen");
      return;
    }
    this.chosen = value;
    this.attempt = undefined;
    ctx.cancelTimer("retry");
    ctx.output(value);
    for (const id of this.asked) ctx.reply(id, value);
    this.asked.clear();
  }

  private isQuorum(count: number): boolean {
    return 2 * count > this.config.acceptors.length;
  }
}

function compare(a: Ballot, b: Ballot): number {
  return a.round - b.round || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0);
}

function isSame(a: Ballot, b: Ballot): boolean {
  return compare(a, b) === 0;
}

function latestOf(proposals: Iterable<Proposal | undefined>): Proposal | undefined {
  let latest: Proposal | undefined;
  for (const proposal of proposals) {
    if (proposal === undefined) continue;
    if (latest === undefined || compare(proposal.ballot, latest.ballot) > 0) latest = proposal;
  }
  return latest;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
