/**
 * The coordinator's half of two-phase commit. It asks everyone to prepare; one
 * refusal, or silence for too long, aborts. The commit record is the decision:
 * before it is durable nobody hears of a commit (K4), after it nothing can undo it.
 *
 * Presumed abort (Mohan, Lindsay & Obermarck 1986, §3): of an abort nothing is
 * written, and who asks about a transaction that nobody here remembers is told
 * that it was aborted. So a commit is remembered until every participant has
 * acknowledged it.
 */

import { type Context, invariant, type NodeId, type RequestId } from "@quorate/kernel";

import type { TxId } from "../atomic-commit.ts";
import { parseTxId, txId } from "../tx-id.ts";
import { checkConfig, type TwoPhaseConfig } from "./config.ts";
import type { Record, TwoPhaseWords } from "./messages.ts";

export type Ctx = Context<TwoPhaseWords>;

/** A transaction that collects votes. Lost in a crash, hence aborted. */
interface Ballot {
  readonly request: RequestId;
  readonly participants: readonly NodeId[];
  readonly waiting: Set<NodeId>;
}

export abstract class Coordinator {
  protected readonly config: TwoPhaseConfig;
  /** The present life; 0 before the first. */
  protected epoch = 0;
  private sequence = 0;
  /** Begun, and nobody was asked to prepare yet. */
  private readonly open: Set<TxId> = new Set();
  private readonly ballots: Map<TxId, Ballot> = new Map();
  /** Commits that some participants have yet to acknowledge (C4). */
  protected readonly unacknowledged: Map<TxId, Set<NodeId>> = new Map();

  constructor(config: TwoPhaseConfig) {
    checkConfig(config);
    this.config = Object.freeze(config);
  }

  /** Takes in the records that are a coordinator's. */
  protected recoverCoordinator(record: Record): void {
    if (record.type === "epoch") this.epoch = record.epoch;
    if (record.type === "ended") this.unacknowledged.delete(record.tx);
    if (record.type !== "committed") return;
    this.unacknowledged.set(record.tx, new Set(record.participants));
  }

  protected startCoordinator(ctx: Ctx): void {
    this.epoch++;
    this.write(ctx, { type: "epoch", epoch: this.epoch });
    for (const tx of this.unacknowledged.keys()) ctx.setTimer(`resend:${tx}`, 0);
  }

  protected onBegin(ctx: Ctx, id: RequestId): void {
    const { epoch } = this;
    const tx = txId({ coordinator: ctx.self, epoch, sequence: ++this.sequence });
    this.open.add(tx);
    // Waits until the epoch is durable, or a later life could give the name again (C1).
    ctx.reply(id, { type: "begun", tx });
  }

  protected onCommitRequest(
    ctx: Ctx,
    id: RequestId,
    tx: TxId,
    participants: readonly NodeId[],
  ): void {
    if (participants.length === 0) {
      return ctx.reply(id, { type: "rejected", reason: "noParticipants" });
    }
    if (!this.open.delete(tx)) return ctx.reply(id, { type: "rejected", reason: "unknown" });
    const all = [...new Set(participants)];
    this.ballots.set(tx, { request: id, participants: all, waiting: new Set(all) });
    ctx.setTimer(`votes:${tx}`, this.config.voteMs);
    this.askForVotes(ctx, tx, all);
  }

  protected onAbortRequest(ctx: Ctx, id: RequestId, tx: TxId): void {
    const known = this.open.delete(tx);
    ctx.reply(id, known ? { type: "noted" } : { type: "rejected", reason: "unknown" });
  }

  protected onVote(ctx: Ctx, from: NodeId, tx: TxId, yes: boolean): void {
    const ballot = this.ballots.get(tx);
    // Decided already, or begun in an earlier life: who voted yes will ask.
    if (ballot === undefined || !ballot.participants.includes(from)) return;
    if (!yes) return this.decide(ctx, tx, false);
    ballot.waiting.delete(from);
    if (ballot.waiting.size === 0) this.decide(ctx, tx, true);
  }

  /** Some votes did not come in time. */
  protected onVotesTimeout(ctx: Ctx, tx: TxId): void {
    this.decide(ctx, tx, false);
  }

  protected onResendTimeout(ctx: Ctx, tx: TxId): void {
    const ballot = this.ballots.get(tx);
    if (ballot !== undefined) return this.askForVotes(ctx, tx, ballot.waiting);
    const waiting = this.unacknowledged.get(tx);
    if (waiting === undefined) return;
    for (const node of waiting) ctx.send(node, { type: "decide", tx, commit: true });
    ctx.setTimer(`resend:${tx}`, this.config.retryMs, this.config.retryMs);
  }

  protected onAck(ctx: Ctx, from: NodeId, tx: TxId): void {
    const waiting = this.unacknowledged.get(tx);
    if (waiting === undefined || !waiting.delete(from) || waiting.size > 0) return;
    this.unacknowledged.delete(tx);
    ctx.cancelTimer(`resend:${tx}`);
    // Nothing waits for this record: without it the commit is only told once more.
    this.write(ctx, { type: "ended", tx });
    ctx.note({ type: "ended", tx });
  }

  protected onInquire(ctx: Ctx, from: NodeId, tx: TxId): void {
    if (this.ballots.has(tx)) return; // Undecided; the asker will ask again.
    // What is not remembered was aborted (C3).
    ctx.send(from, { type: "decide", tx, commit: this.unacknowledged.has(tx) });
  }

  private askForVotes(ctx: Ctx, tx: TxId, nodes: Iterable<NodeId>): void {
    const floor = this.floor;
    for (const node of nodes) ctx.send(node, { type: "prepare", tx, floor });
    ctx.setTimer(`resend:${tx}`, this.config.retryMs, this.config.retryMs);
  }

  /** The lowest sequence of this epoch that is not over. */
  private get floor(): number {
    let floor = this.sequence + 1;
    for (const transactions of [this.open, this.ballots.keys(), this.unacknowledged.keys()]) {
      for (const tx of transactions) {
        const { epoch, sequence } = parseTxId(tx)!;
        if (epoch === this.epoch) floor = Math.min(floor, sequence);
      }
    }
    return floor;
  }

  private decide(ctx: Ctx, tx: TxId, commit: boolean): void {
    const ballot = this.ballots.get(tx);
    invariant(ballot !== undefined, "C2: only what collects votes is decided, and once");
    const { participants, request, waiting } = ballot;
    invariant(!commit || waiting.size === 0, "AC3: a commit needs every vote");
    this.ballots.delete(tx);
    ctx.cancelTimer(`votes:${tx}`);
    ctx.cancelTimer(`resend:${tx}`);
    if (commit) {
      this.unacknowledged.set(tx, new Set(participants));
      this.write(ctx, { type: "committed", tx, participants });
      ctx.setTimer(`resend:${tx}`, this.config.retryMs, this.config.retryMs);
    }
    const outcome = commit ? "committed" : "aborted";
    ctx.note({ type: "decided", tx, outcome });
    ctx.reply(request, { type: "outcome", tx, outcome });
    for (const node of participants) ctx.send(node, { type: "decide", tx, commit });
  }

  /** Persists, and offers a checkpoint now and then. */
  protected abstract write(ctx: Ctx, record: Record): void;

  /** What a coordinator must remember. */
  protected coordinatorImage(): readonly Record[] {
    const records: Record[] = [{ type: "epoch", epoch: this.epoch }];
    for (const [tx, waiting] of this.unacknowledged) {
      // Those that have acknowledged are told again after a crash, and acknowledge again.
      records.push({ type: "committed", tx, participants: [...waiting] });
    }
    return records;
  }
}
