/**
 * SWIM (Das, Gupta, Motivala 2002) with Lifeguard (Dadgar, Phillips, Currey
 * 2017), as HashiCorp's memberlist does it: who is in the cluster.
 *
 * This file is where its parts meet: what each message, timer and request leads
 * to, gossip, and leaving.
 */

import { type Process, type RequestId, unreachable } from "@quorate/kernel";

import type { FailureDetector } from "../detector.ts";
import { type Address, isPresent, type MemberRecord, META_BYTES, type Name } from "../member.ts";
import type { Message, Part } from "../messages.ts";
import type { GossipWords, Request, Timer } from "../words.ts";
import { Exchanges } from "./exchanges.ts";
import { understands } from "./probing.ts";
import type { Ctx } from "./state.ts";

export class Swim extends Exchanges implements Process<GossipWords>, FailureDetector {
  /** Requests to leave that wait until the farewell has spread. */
  private leavers: RequestId[] = [];
  /** By when the farewell must have been told, whether it was or not. */
  private leaveBy = Infinity;

  onStart(ctx: Ctx): void {
    this.startState(ctx);
    this.startProbing(ctx);
    this.startExchanges(ctx);
  }

  onMessage(ctx: Ctx, from: Address, message: Message): void {
    if (message.type !== "packet") return this.onStream(ctx, from, message);
    for (const part of message.parts) this.onPart(ctx, from, part);
  }

  private onPart(ctx: Ctx, from: Address, part: Part): void {
    switch (part.type) {
      case "ping":
        return this.onPing(ctx, from, part);
      case "indirectPing":
        return this.onIndirectPing(ctx, from, part);
      case "ack":
        return this.onAck(ctx, part);
      case "nack":
        return this.onNack(part);
      case "suspect":
        return this.onSuspect(ctx, part);
      case "alive":
        return this.onAlive(ctx, part);
      case "dead":
        return this.onDead(ctx, part);
      case "user":
        return this.onUser(ctx, from, part.body);
      default:
        return unreachable(part);
    }
  }

  onTimer(ctx: Ctx, timer: Timer): void {
    switch (timer) {
      case "probe":
        return this.onProbe(ctx);
      case "probeTimeout":
        return this.onProbeTimeout(ctx);
      case "probeEnd":
        return this.onProbeEnd(ctx);
      case "gossip":
        return this.onGossip(ctx);
      case "pushPull":
        return this.onPushPullTime(ctx);
      case "leave":
        return this.onFarewellOver(ctx);
      default:
        return this.onNamedTimer(ctx, timer);
    }
  }

  private onNamedTimer(ctx: Ctx, timer: string): void {
    const colon = timer.indexOf(":");
    const key = timer.slice(colon + 1);
    if (timer.startsWith("suspicion:")) return this.onSuspicionOver(ctx, key);
    if (timer.startsWith("relay:")) return this.onErrandOver(ctx, Number(key));
    if (timer.startsWith("exchange:")) return this.fail(ctx, Number(key), "no answer in time");
  }

  /** The driver could not open a stream to an address, or it broke: what was asked there has failed. */
  onUnreachable(ctx: Ctx, address: Address): void {
    this.failAllTo(ctx, address, "unreachable");
  }

  onRequest(ctx: Ctx, id: RequestId, request: Request): void {
    switch (request.type) {
      case "join":
        return this.onJoin(ctx, id, request.addresses, request.replay);
      case "leave":
        return this.onLeave(ctx, id);
      case "setMeta":
        return this.onSetMeta(ctx, id, request.meta);
      case "lagged":
        this.adjustHealth(ctx, 1);
        return ctx.replyEagerly(id, { type: "done" });
      default:
        return ctx.replyEagerly(id, {
          type: "refused",
          reason: `membership alone does not know ${request.type}`,
        });
    }
  }

  /** Tells a few members what is new, each with a packet of its own (G23). */
  protected onGossip(ctx: Ctx): void {
    this.disarmGossip();
    const horizon = ctx.now - this.config.gossipToTheDeadMs;
    const hears = (member: MemberRecord) =>
      isPresent(member) ||
      (member.state === "dead" && this.members.sinceOf(member.name) >= horizon);
    for (const member of this.pick(ctx, this.config.gossipNodes, hears)) {
      if (!this.hasNews) break;
      const parts: Part[] = [];
      this.addNews(parts, 0);
      if (parts.length === 0) break;
      const checksum = understands(member, "checksum");
      ctx.sendEagerly(member.address, { type: "packet", parts, checksum });
    }
    if (this.hasNews) this.armGossip(ctx);
    if (this.phase === "leaving") this.onFarewellTold(ctx);
  }

  /** Publishes other meta, as a later word about itself. */
  protected onSetMeta(ctx: Ctx, id: RequestId, meta: Uint8Array): void {
    if (meta.length > META_BYTES) {
      const reason = `${meta.length} bytes of meta are more than ${META_BYTES}`;
      return ctx.replyEagerly(id, { type: "refused", reason });
    }
    const before = this.me;
    this.assertMe(ctx, before.incarnation + 1, meta);
    this.onMember(ctx, "update", this.me, before);
    ctx.replyEagerly(id, { type: "done" });
  }

  /** Says farewell, and answers once it has been told as often as anything is (G18). */
  protected onLeave(ctx: Ctx, id: RequestId): void {
    if (this.phase === "left") return ctx.replyEagerly(id, { type: "left" });
    this.leavers.push(id);
    if (this.phase === "staying") this.prepareToLeave(ctx);
  }

  /** Where a layer above has its own word first. */
  protected prepareToLeave(ctx: Ctx): void {
    this.depart(ctx);
  }

  protected depart(ctx: Ctx): void {
    const { name } = this.config;
    this.phase = "leaving";
    this.onDead(ctx, { type: "dead", node: name, incarnation: this.me.incarnation, from: name });
    this.leaveBy = ctx.now + this.config.streamTimeoutMs;
    this.onFarewellTold(ctx);
  }

  /** The farewell has used up its packets, or there is nobody to tell. */
  private onFarewellTold(ctx: Ctx): void {
    const told = !this.rumours.has(this.config.name) || this.members.present === 0;
    if (!told) return ctx.setTimer("leave", Math.max(0, this.leaveBy - ctx.now));
    this.phase = "left";
    const pause = this.members.present === 0 ? 0 : this.config.leavePropagationMs;
    ctx.setTimer("leave", pause);
  }

  protected onFarewellOver(ctx: Ctx): void {
    if (this.stays) return;
    this.phase = "left";
    for (const id of this.leavers) ctx.replyEagerly(id, { type: "left" });
    this.leavers = [];
  }

  /** Whether this node has said farewell. */
  get hasLeft(): boolean {
    return !this.stays;
  }

  opinionOf(name: Name): "present" | "gone" | "unknown" {
    const known = this.members.get(name);
    if (known === undefined) return "unknown";
    return isPresent(known) ? "present" : "gone";
  }

  /** A member by name, whatever its state. */
  member(name: Name): MemberRecord | undefined {
    return this.members.get(name);
  }
}
