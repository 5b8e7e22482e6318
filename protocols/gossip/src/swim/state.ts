/**
 * The state of a SWIM node and what every part of the protocol does with it.
 *
 * The class is written in layers, each a file for one concern, each extending
 * the one before: state ← {@link ./rumours.ts rumours} ← {@link ./probing.ts
 * probing} ← {@link ./exchanges.ts exchanges} ← {@link ./swim.ts Swim}. Serf
 * extends it by the methods marked as words to the layer above. Rule numbers
 * (G1 …) are those of PROTOCOL.md.
 */

import { type Context, invariant } from "@quorate/kernel";

import { checkConfig, type SwimConfig } from "../config.ts";
import type { Coordinate } from "../coordinates/coordinate.ts";
import { digits } from "../logarithm.ts";
import type { Address, Incarnation, MemberRecord, Name } from "../member.ts";
import { type Part, PACKET_PARTS, type User } from "../messages.ts";
import type { SerfMessage, SerfState } from "../serf/messages.ts";
import type { GossipWords } from "../words.ts";
import { BroadcastQueue, PART_OVERHEAD } from "./broadcasts.ts";
import { MemberTable } from "./members.ts";

export type Ctx = Context<GossipWords>;

/** Bytes of a compound packet besides its parts. */
const PACKET_OVERHEAD = 2;

/** Of a packet's bytes, how much rumours about members leave to the layer above if it has something to say. */
const USER_SHARE = 4;

export abstract class SwimState {
  protected readonly config: SwimConfig;

  readonly members: MemberTable;
  readonly rumours: BroadcastQueue = new BroadcastQueue();

  /** Lifeguard's local health: 0 is well. */
  health = 0;
  /** Numbers pings; answers to earlier ones are told apart by it. */
  protected seq = 0;

  /** `staying` until asked to leave, `leaving` from its farewell on, `left` once that has spread. */
  protected phase: "staying" | "announcing" | "leaving" | "left" = "staying";

  /** When within its interval this node gossips, so that not all do at once. */
  private gossipPhase = 0;
  private gossipArmed = false;

  constructor(config: SwimConfig) {
    checkConfig(config);
    this.config = Object.freeze(config);
    this.members = new MemberTable(config.roster);
  }

  /** This node's own record. It exists from `onStart` on. */
  get me(): MemberRecord {
    const record = this.members.get(this.config.name);
    invariant(record !== undefined, "a node that has started knows itself");
    return record;
  }

  get name(): Name {
    return this.config.name;
  }

  /** Has not said farewell: what is said against it is refuted. */
  protected get stays(): boolean {
    return this.phase === "staying" || this.phase === "announcing";
  }

  protected isMe(name: Name): boolean {
    return name === this.config.name;
  }

  protected startState(ctx: Ctx): void {
    const { name, meta, versions, gossipIntervalMs } = this.config;
    this.gossipPhase = ctx.choose(gossipIntervalMs);
    const known = this.members.get(name);
    if (known?.address === ctx.self && known.state === "alive") return; // Everybody knows, by the roster.
    const incarnation = (known?.incarnation ?? 0) + 1;
    const address = ctx.self;
    const record: MemberRecord = { name, address, incarnation, meta, versions, state: "alive" };
    this.members.put(record, ctx.now);
    this.spread(ctx, aliveOf(record));
    this.onMember(ctx, "join", record, undefined);
  }

  /** Moves the health score, within its bounds (G21). */
  protected adjustHealth(ctx: Ctx, delta: number): void {
    const score = Math.min(this.config.awarenessMax - 1, Math.max(0, this.health + delta));
    if (score === this.health) return;
    this.health = score;
    ctx.note({ type: "health", score });
  }

  /** How many packets a broadcast is put into (G24). */
  protected get transmitLimit(): number {
    return this.config.retransmitMult * digits(this.members.known);
  }

  /** Whether a timer that was due at `dueAt` comes so late that this node must have slept. */
  protected slept(ctx: Ctx, dueAt: number): boolean {
    return this.config.noticesSleep && ctx.now - dueAt > this.config.probeIntervalMs;
  }

  /** Queues a rumour about a member in place of any earlier one (G25). */
  protected spread(ctx: Ctx, part: Part & { readonly node: Name }): void {
    this.rumours.put(part.node, part, this.config.wire.partBytes(part));
    const count = this.rumours.prune(this.config.broadcastsMax);
    if (count > 0) ctx.note({ type: "dropped", what: "broadcast", count });
    this.armGossip(ctx);
  }

  /** Gossip ticks only while there is something to say. */
  protected armGossip(ctx: Ctx): void {
    if (this.gossipArmed) return;
    const { gossipIntervalMs } = this.config;
    const into =
      (((ctx.now - this.gossipPhase) % gossipIntervalMs) + gossipIntervalMs) % gossipIntervalMs;
    this.gossipArmed = true;
    ctx.setTimer("gossip", gossipIntervalMs - into);
  }

  protected disarmGossip(): void {
    this.gossipArmed = false;
  }

  /** Sends one part, and what waits to be gossiped in the room that is left (G23). */
  protected sendPart(ctx: Ctx, to: Address, part: Part): void {
    const parts = [part];
    if (this.hasNews) this.addNews(parts, this.config.wire.partBytes(part) + PART_OVERHEAD);
    ctx.sendEagerly(to, { type: "packet", parts, checksum: false });
  }

  protected get hasNews(): boolean {
    return this.rumours.size > 0 || this.userBytes > 0;
  }

  /** Adds waiting parts to `parts`, which take `used` bytes already. */
  protected addNews(parts: Part[], used: number): void {
    const room = this.config.packetBytes - PACKET_OVERHEAD - used;
    const limit = this.transmitLimit;
    // Each queue is asked once, lest a part be in one packet twice.
    const reserved = Math.min(Math.floor(room / USER_SHARE), this.userBytes);
    const left = this.rumours.take(parts, room - reserved, limit, PACKET_PARTS) + reserved;
    this.takeUser(parts, left, limit);
  }

  // Words to the layer above. Each does what memberlist does without one.

  /** A member came, changed or went. */
  protected onMember(
    ctx: Ctx,
    change: "join" | "update" | "leave",
    member: MemberRecord,
    _before: MemberRecord | undefined,
  ): void {
    ctx.outputEagerly({ type: "member", change, member });
  }

  protected onUser(ctx: Ctx, _from: Address, body: SerfMessage): void {
    ctx.note({ type: "ignored", what: body.type, reason: "nobody above listens" });
  }

  /** How much room in packets the layer above asks for. */
  protected get userBytes(): number {
    return 0;
  }

  /** Adds what the layer above has to gossip. */
  protected takeUser(_into: Part[], _budget: number, _limit: number): void {}

  protected localState(): SerfState | undefined {
    return undefined;
  }

  /** `ignorePast`: events from before this exchange are of no interest. */
  protected mergeState(_ctx: Ctx, _state: SerfState, _ignorePast: boolean): void {}

  /** An exchange by which this node joined was a success. */
  protected onJoined(_ctx: Ctx): void {}

  protected ackCoordinate(): Coordinate | undefined {
    return undefined;
  }

  protected onRoundTrip(
    _ctx: Ctx,
    _member: MemberRecord,
    _rttMs: number,
    _coordinate: Coordinate | undefined,
  ): void {}

  /** Why a member may not be one, if so. */
  protected refusal(_member: MemberRecord): string | undefined {
    return undefined;
  }

  protected onConflict(_ctx: Ctx, _known: MemberRecord, _claimed: Address): void {}
}

export function aliveOf(record: MemberRecord): Part & { readonly type: "alive" } {
  const { name: node, address, incarnation, meta, versions } = record;
  return { type: "alive", node, address, incarnation, meta, versions };
}

export function userPart(body: SerfMessage): User {
  return { type: "user", body };
}

/** The highest incarnation that is believed: a peer must not be able to end the counting. */
export const INCARNATION_MAX: Incarnation = 0xffff_fff0;
