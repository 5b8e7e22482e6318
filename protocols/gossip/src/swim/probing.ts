/**
 * Finding out who is gone (SWIM §3.1, §4.3; Lifeguard's local health and buddy
 * system). One member is pinged at a time, all in turn; if it does not answer,
 * others ping it too, and a stream is tried, until the probe's time is up.
 */

import {
  type Address,
  type Incarnation,
  isPresent,
  type MemberRecord,
  type Name,
  UNDERSTANDS,
} from "../member.ts";
import type { Ack, IndirectPing, Nack, Part, Ping, Source, StreamPing } from "../messages.ts";
import { Rotation } from "./rotation.ts";
import { Rumours } from "./rumours.ts";
import type { Ctx } from "./state.ts";

interface Probe {
  readonly seq: number;
  readonly node: Name;
  readonly incarnation: Incarnation;
  readonly startedAt: number;
  /** When its time is up. */
  readonly endsAt: number;
  readonly nacksExpected: number;
  /** Helpers that said they are well and heard nothing either. */
  readonly nacks: number;
  /** Others were asked. */
  readonly indirect: boolean;
  readonly streamAnswered: boolean;
}

/** A ping made for another node. */
interface Errand {
  readonly seq: number;
  readonly asker: Address;
  readonly nack: boolean;
}

/** How many pings are made for others at once; more are not. */
const ERRANDS_MAX = 4096;

export abstract class Probing extends Rumours {
  protected readonly rotation: Rotation = new Rotation();
  protected probe: Probe | undefined;
  /** When the next probe is due. */
  private probeDue = 0;
  private readonly errands: Map<number, Errand> = new Map();

  protected startProbing(ctx: Ctx): void {
    const { probeIntervalMs } = this.config;
    this.probeDue = ctx.now + 1 + ctx.choose(probeIntervalMs);
    ctx.setTimer("probe", this.probeDue - ctx.now);
  }

  /** Probes the next member in turn, at most one at a time (G20). */
  protected onProbe(ctx: Ctx): void {
    const { probeIntervalMs } = this.config;
    // Ticks that were missed while the last probe ran are dropped.
    while (this.probeDue <= ctx.now) this.probeDue += probeIntervalMs;
    const target = this.nextTarget(ctx);
    if (target === undefined || this.phase === "left") return this.awaitTick(ctx);
    const { name: node, incarnation } = target;
    const seq = ++this.seq;
    const lastsMs = probeIntervalMs * (this.health + 1);
    this.probe = {
      seq,
      node,
      incarnation,
      startedAt: ctx.now,
      endsAt: ctx.now + lastsMs,
      nacksExpected: 0,
      nacks: 0,
      indirect: false,
      streamAnswered: false,
    };
    ctx.setTimer("probeTimeout", this.config.probeTimeoutMs);
    ctx.setTimer("probeEnd", lastsMs);
    const ping: Ping = { type: "ping", seq, node, source: this.source(ctx) };
    if (target.state === "alive" || !this.config.buddySystem) {
      return this.sendPart(ctx, target.address, ping);
    }
    // The suspect learns of it first from whoever still tries to reach it (G22).
    const { name: from } = this.config;
    const parts: Part[] = [ping, { type: "suspect", node, incarnation, from }];
    const checksum = understands(target, "checksum");
    ctx.sendEagerly(target.address, { type: "packet", parts, checksum });
  }

  private awaitTick(ctx: Ctx): void {
    ctx.setTimer("probe", Math.max(0, this.probeDue - ctx.now));
  }

  private nextTarget(ctx: Ctx): MemberRecord | undefined {
    for (let tried = 0; tried <= 2 * this.members.slots + 1; tried++) {
      const slot = this.rotation.draw(ctx, this.members.slots);
      if (slot === undefined) {
        this.forgetTheGone(ctx);
        this.rotation.restart();
        continue;
      }
      const member = this.members.at(slot);
      if (member !== undefined && isPresent(member) && !this.isMe(member.name)) return member;
    }
    return undefined;
  }

  /** Those long gone leave the table when a round of probes is over (G17). */
  private forgetTheGone(ctx: Ctx): void {
    const { gossipToTheDeadMs, deadMemoryMs } = this.config;
    const before = ctx.now - Math.max(gossipToTheDeadMs, deadMemoryMs);
    for (const name of this.members.goneBefore(before)) {
      if (!this.isMe(name)) this.members.forget(name);
    }
  }

  private source(ctx: Ctx): Source {
    return { name: this.config.name, address: ctx.self };
  }

  /** No direct answer in time: ask others, and try a stream (SWIM §3.1). */
  protected onProbeTimeout(ctx: Ctx): void {
    const { probe, config } = this;
    const target = probe === undefined ? undefined : this.members.get(probe.node);
    if (probe === undefined || target === undefined) return;
    const { seq, node } = probe;
    const source = this.source(ctx);
    let nacksExpected = 0;
    const helps = (member: MemberRecord) => member.state === "alive" && member.name !== node;
    for (const helper of this.pick(ctx, config.indirectChecks, helps)) {
      const nack = understands(helper, "nack");
      if (nack) nacksExpected++;
      const { address } = target;
      this.sendPart(ctx, helper.address, {
        type: "indirectPing",
        seq,
        node,
        target: address,
        nack,
        source,
      });
    }
    this.probe = { ...probe, nacksExpected, indirect: true };
    if (!config.streamPings || !understands(target, "streamPing")) return;
    this.askByStream(ctx, target.address, { seq, node, source });
  }

  protected onAck(ctx: Ctx, ack: Ack): void {
    const errand = this.errands.get(ack.seq);
    if (errand !== undefined) {
      this.errands.delete(ack.seq);
      ctx.cancelTimer(`relay:${ack.seq}`);
      return this.sendPart(ctx, errand.asker, {
        type: "ack",
        seq: errand.seq,
        coordinate: undefined,
      });
    }
    const { probe } = this;
    if (probe?.seq !== ack.seq) return;
    const target = this.members.get(probe.node);
    if (!probe.indirect && target !== undefined) {
      this.onRoundTrip(ctx, target, ctx.now - probe.startedAt, ack.coordinate);
    }
    this.endProbe(ctx, -1);
  }

  protected onNack(nack: Nack): void {
    const { probe } = this;
    if (probe?.seq !== nack.seq || probe.nacks >= probe.nacksExpected) return;
    this.probe = { ...probe, nacks: probe.nacks + 1 };
  }

  protected onStreamAnswer(seq: number): void {
    if (this.probe?.seq === seq) this.probe = { ...this.probe, streamAnswered: true };
  }

  /** The probe's time is up (G21): whose fault silence is, the helpers' nacks tell. */
  protected onProbeEnd(ctx: Ctx): void {
    const { probe } = this;
    if (probe === undefined) return;
    const { node, incarnation, streamAnswered, nacksExpected, nacks } = probe;
    if (streamAnswered) {
      ctx.note({ type: "onlyStreams", node });
      return this.endProbe(ctx, -1);
    }
    // This node slept: an answer may be among what waits to be heard.
    if (this.slept(ctx, probe.endsAt)) return this.endProbe(ctx, 1);
    this.endProbe(ctx, nacksExpected > 0 ? nacksExpected - nacks : 1);
    ctx.note({ type: "probeFailed", node });
    this.onSuspect(ctx, { type: "suspect", node, incarnation, from: this.config.name });
  }

  private endProbe(ctx: Ctx, healthDelta: number): void {
    this.probe = undefined;
    ctx.cancelTimer("probeTimeout");
    ctx.cancelTimer("probeEnd");
    this.adjustHealth(ctx, healthDelta);
    this.awaitTick(ctx);
  }

  protected onPing(ctx: Ctx, from: Address, ping: Ping): void {
    if (ping.node !== "" && !this.isMe(ping.node)) {
      return ctx.note({ type: "ignored", what: "ping", reason: `it is for ${ping.node}` });
    }
    const to = ping.source?.address ?? from;
    const ack: Ack = { type: "ack", seq: ping.seq, coordinate: this.ackCoordinate() };
    const asker = ping.source === undefined ? undefined : this.members.get(ping.source.name);
    if (!this.config.repairByPing || ping.source === undefined || this.isMe(ping.source.name)) {
      return this.sendPart(ctx, to, ack);
    }
    if (asker === undefined) this.onStranger(ctx, ping.source);
    if (asker === undefined || isPresent(asker) || asker.address !== ping.source.address) {
      return this.sendPart(ctx, to, ack);
    }
    // It does not know that it is taken for dead: let it refute (G26).
    const { name: node, incarnation } = asker;
    const dead: Part = { type: "dead", node, incarnation, from: this.config.name };
    ctx.sendEagerly(to, { type: "packet", parts: [ack, dead], checksum: false });
  }

  /** A member that this node never heard of: gossip about it got lost (G26). */
  protected abstract onStranger(ctx: Ctx, stranger: Source): void;

  /** Pings for another, and says what came of it. */
  protected onIndirectPing(ctx: Ctx, from: Address, request: IndirectPing): void {
    if (this.errands.size >= ERRANDS_MAX) return;
    const { node, target, nack } = request;
    const seq = ++this.seq;
    const asker = request.source?.address ?? from;
    this.errands.set(seq, { seq: request.seq, asker, nack });
    ctx.setTimer(`relay:${seq}`, this.config.probeTimeoutMs);
    this.sendPart(ctx, target, { type: "ping", seq, node, source: this.source(ctx) });
  }

  protected onErrandOver(ctx: Ctx, seq: number): void {
    const errand = this.errands.get(seq);
    this.errands.delete(seq);
    if (errand?.nack !== true) return;
    this.sendPart(ctx, errand.asker, { type: "nack", seq: errand.seq });
  }

  /** Up to `count` different members that `fits`, never this node. */
  protected pick(
    ctx: Ctx,
    count: number,
    fits: (member: MemberRecord) => boolean,
  ): readonly MemberRecord[] {
    const { slots } = this.members;
    const picked: MemberRecord[] = [];
    if (slots < 3 * count) {
      // Few members: go through all, lest chance miss the only ones that fit.
      const candidates = this.members
        .all()
        .filter((member) => !this.isMe(member.name) && fits(member));
      while (candidates.length > 0 && picked.length < count) {
        const [chosen] = candidates.splice(ctx.choose(candidates.length), 1);
        picked.push(chosen!);
      }
      return picked;
    }
    for (let tried = 0; tried < 3 * slots && picked.length < count; tried++) {
      const member = this.members.at(ctx.choose(slots));
      if (member === undefined || this.isMe(member.name) || picked.includes(member)) continue;
      if (fits(member)) picked.push(member);
    }
    return picked;
  }

  protected abstract askByStream(
    ctx: Ctx,
    to: Address,
    ping: Pick<StreamPing, "seq" | "node" | "source">,
  ): void;
}

export function understands(member: MemberRecord, feature: keyof typeof UNDERSTANDS): boolean {
  return member.versions[1] >= UNDERSTANDS[feature];
}
