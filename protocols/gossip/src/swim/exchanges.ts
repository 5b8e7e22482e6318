/**
 * Exchanges over streams: whole states (push/pull), by which nodes join and
 * repair what gossip lost, and pings when packets fail.
 */

import { type RequestId, unreachable } from "@quorate/kernel";

import { doublings } from "../logarithm.ts";
import type { Address, MemberRecord, Versions } from "../member.ts";
import type { PushPull, Source, StreamMessage, StreamPing } from "../messages.ts";
import type { JoinFailure } from "../words.ts";
import { Probing } from "./probing.ts";
import type { Ctx } from "./state.ts";

/** What this node opened a stream for. */
interface Exchange {
  readonly address: Address;
  readonly purpose: "ping" | "repair" | "join";
  /** The request to join that this is a part of. */
  readonly request: RequestId | undefined;
  readonly replay: boolean;
}

/** A request to join, through one address each. */
interface Joining {
  readonly waiting: number;
  readonly contacted: number;
  readonly failures: readonly JoinFailure[];
}

export abstract class Exchanges extends Probing {
  private exchange = 0;
  private readonly exchanges: Map<number, Exchange> = new Map();
  /** The earliest that the next stranger is called on. */
  private strangersFrom = 0;
  private readonly joinings: Map<RequestId, Joining> = new Map();

  protected awaitPushPull(ctx: Ctx): void {
    const { pushPullMs } = this.config;
    if (pushPullMs === 0) return;
    ctx.setTimer("pushPull", pushPullMs * pushPullScale(this.members.known));
  }

  protected startExchanges(ctx: Ctx): void {
    const { pushPullMs } = this.config;
    if (pushPullMs === 0) return;
    const scaledMs = pushPullMs * pushPullScale(this.members.known);
    ctx.setTimer("pushPull", 1 + ctx.choose(scaledMs), pushPullMs);
  }

  protected onPushPullTime(ctx: Ctx): void {
    this.awaitPushPull(ctx);
    const [partner] = this.pick(ctx, 1, (member) => member.state === "alive");
    if (partner !== undefined) this.pushPull(ctx, partner.address, "repair", undefined, false);
  }

  protected override onStranger(ctx: Ctx, stranger: Source): void {
    if (ctx.now < this.strangersFrom || this.phase === "left") return;
    // At this rate, lest pings with forged senders make this node call on the whole world.
    this.strangersFrom = ctx.now + this.config.probeIntervalMs;
    this.pushPull(ctx, stranger.address, "repair", undefined, false);
  }

  /** Joins through every address at once (G30). */
  protected onJoin(ctx: Ctx, id: RequestId, addresses: readonly Address[], replay: boolean): void {
    const others = addresses.filter((address) => address !== ctx.self);
    const contacted = addresses.length - others.length;
    if (others.length === 0) {
      return ctx.replyEagerly(id, { type: "joined", contacted, failures: [] });
    }
    if (!this.stays) this.comeBack(ctx);
    this.joinings.set(id, { waiting: others.length, contacted, failures: [] });
    for (const address of others) this.pushPull(ctx, address, "join", id, replay);
  }

  /** A node that has left may join again in the same life. */
  private comeBack(ctx: Ctx): void {
    this.phase = "staying";
    const before = this.me;
    this.assertMe(ctx, before.incarnation + 1, before.meta);
    this.onMember(ctx, "join", this.me, before);
  }

  /** Exchanges whole states with whoever is at an address. */
  protected pushPull(
    ctx: Ctx,
    to: Address,
    purpose: "repair" | "join",
    request: RequestId | undefined,
    replay: boolean,
  ): void {
    const exchange = this.begin(ctx, { address: to, purpose, request, replay });
    const join = purpose === "join";
    ctx.sendEagerly(to, this.wholeState(exchange, false, join));
  }

  protected override askByStream(
    ctx: Ctx,
    to: Address,
    ping: Pick<StreamPing, "seq" | "node" | "source">,
  ): void {
    const purpose = "ping";
    const exchange = this.begin(ctx, { address: to, purpose, request: undefined, replay: false });
    ctx.sendEagerly(to, { type: "streamPing", exchange, ...ping });
  }

  private begin(ctx: Ctx, exchange: Exchange): number {
    const number = ++this.exchange;
    this.exchanges.set(number, exchange);
    ctx.setTimer(`exchange:${number}`, this.config.streamTimeoutMs);
    return number;
  }

  private wholeState(exchange: number, reply: boolean, join: boolean): PushPull {
    const members = this.members.all();
    const state = this.localState();
    return { type: "pushPull", exchange, reply, join, members, state };
  }

  protected onStream(ctx: Ctx, from: Address, message: StreamMessage): void {
    switch (message.type) {
      case "streamPing":
        // Silence, not an error, tells the asker that nobody of that name is here.
        if (message.node !== "" && !this.isMe(message.node)) return;
        return ctx.sendEagerly(from, {
          type: "streamAck",
          exchange: message.exchange,
          seq: message.seq,
        });
      case "streamAck":
        if (this.close(ctx, message.exchange) !== undefined) this.onStreamAnswer(message.seq);
        return;
      case "streamError":
        return this.fail(ctx, message.exchange, message.text);
      case "pushPull":
        return message.reply ? this.onReply(ctx, message) : this.onQuestion(ctx, from, message);
      default:
        return unreachable(message);
    }
  }

  /** Answers before it judges what it was told: the other side decides for itself (G31). */
  private onQuestion(ctx: Ctx, from: Address, question: PushPull): void {
    ctx.sendEagerly(from, this.wholeState(question.exchange, true, question.join));
    const refusal = this.merge(ctx, question, false);
    if (refusal !== undefined) ctx.note({ type: "mergeRefused", reason: refusal });
  }

  private onReply(ctx: Ctx, reply: PushPull): void {
    const exchange = this.exchanges.get(reply.exchange);
    if (exchange === undefined) return;
    const { purpose, replay } = exchange;
    const refusal = this.merge(ctx, reply, purpose === "join" && !replay);
    if (refusal !== undefined) {
      ctx.note({ type: "mergeRefused", reason: refusal });
      return this.fail(ctx, reply.exchange, refusal);
    }
    this.close(ctx, reply.exchange);
    if (purpose === "join") this.onJoined(ctx);
    this.countJoin(ctx, exchange, undefined);
  }

  /** Takes over what another node knows, all of it or nothing. Returns why not. */
  private merge(ctx: Ctx, whole: PushPull, ignorePast: boolean): string | undefined {
    const refusal =
      incompatibility(this.members.all(), whole.members) ?? this.firstRefusal(whole.members);
    if (refusal !== undefined) return refusal;
    for (const record of whole.members) this.onRecord(ctx, record);
    if (whole.state !== undefined) this.mergeState(ctx, whole.state, ignorePast);
    return undefined;
  }

  private firstRefusal(records: readonly MemberRecord[]): string | undefined {
    for (const record of records) {
      if (record.state !== "alive" && record.state !== "suspect") continue;
      if (this.members.get(record.name) === record) continue;
      const refusal = this.refusal(record);
      if (refusal !== undefined) return `${record.name}: ${refusal}`;
    }
    return undefined;
  }

  /** Nothing came back, or nothing that could be taken. */
  protected fail(ctx: Ctx, number: number, reason: string): void {
    const exchange = this.close(ctx, number);
    if (exchange === undefined) return;
    const { address } = exchange;
    ctx.note({ type: "exchangeFailed", address, reason });
    this.countJoin(ctx, exchange, reason);
  }

  protected failAllTo(ctx: Ctx, address: Address, reason: string): void {
    for (const [number, exchange] of this.exchanges) {
      if (exchange.address === address) this.fail(ctx, number, reason);
    }
  }

  private close(ctx: Ctx, number: number): Exchange | undefined {
    const exchange = this.exchanges.get(number);
    if (exchange === undefined) return undefined;
    this.exchanges.delete(number);
    ctx.cancelTimer(`exchange:${number}`);
    return exchange;
  }

  private countJoin(ctx: Ctx, { request, address }: Exchange, reason: string | undefined): void {
    const joining = request === undefined ? undefined : this.joinings.get(request);
    if (request === undefined || joining === undefined) return;
    const waiting = joining.waiting - 1;
    const contacted = joining.contacted + Number(reason === undefined);
    const failures =
      reason === undefined ? joining.failures : [...joining.failures, { address, reason }];
    if (waiting > 0) {
      this.joinings.set(request, { waiting, contacted, failures });
      return;
    }
    this.joinings.delete(request);
    ctx.replyEagerly(request, { type: "joined", contacted, failures });
  }
}

/** How much rarer push/pulls get with size: ceil(log2 n - 5) + 1 above 32 members. */
export function pushPullScale(known: number): number {
  return known <= 32 ? 1 : doublings(known) - 5 + 1;
}

/**
 * Why nodes of two states could not all understand each other, if so: some
 * member speaks a version, of either layer, that another does not know.
 */
function incompatibility(
  mine: readonly MemberRecord[],
  theirs: readonly MemberRecord[],
): string | undefined {
  const spoken = new Set<Versions>();
  for (const { state, versions } of mine) if (state === "alive") spoken.add(versions);
  for (const { state, versions } of theirs) if (state === "alive") spoken.add(versions);
  // Members that did not say are no reason to refuse all others.
  const stated = [...spoken].filter((versions) => versions[1] > 0);
  for (const [least, most, current, layer] of LAYERS) {
    const floor = Math.max(...stated.map((versions) => versions[least]));
    const ceiling = Math.min(...stated.map((versions) => versions[most]));
    const odd = stated.find((versions) => versions[current] < floor || versions[current] > ceiling);
    if (odd !== undefined) return `${layer} version ${odd[current]} is not understood by all`;
  }
  return undefined;
}

const LAYERS = [
  [0, 1, 2, "protocol"],
  [3, 4, 5, "delegate protocol"],
] as const;
