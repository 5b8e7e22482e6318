/**
 * Serf's roll of members: what they are called upwards (alive, leaving, left,
 * failed), their intents, and for how long those who went are remembered.
 */

import { invariant, type RequestId } from "@quorate/kernel";

import type { Address, MemberRecord, Name } from "../member.ts";
import { PACKET_PARTS, type Part } from "../messages.ts";
import { BroadcastQueue } from "../swim/broadcasts.ts";
import { type Ctx, userPart } from "../swim/state.ts";
import { Swim } from "../swim/swim.ts";
import type { MemberChange } from "../words.ts";
import { Coalescer } from "./coalescer.ts";
import type { SerfConfig } from "./config.ts";
import { LamportClock } from "./lamport.ts";
import type {
  JoinIntent,
  LeaveIntent,
  LTime,
  Member,
  MemberStatus,
  SerfMessage,
  Tags,
} from "./messages.ts";

/** One who is or was a member. */
interface Entry {
  readonly record: MemberRecord;
  readonly status: MemberStatus;
  /** The time of the last intent about it. */
  readonly statusLTime: LTime;
  /** The time of its leave, of one that leaves or has left; joins heard since do not move it. */
  readonly leaveLTime: LTime;
  /** When it went. */
  readonly goneAt: number;
  /** To be forgotten as soon as it is gone. */
  readonly prune: boolean;
}

/** An intent about somebody not heard of yet. */
interface EarlyIntent {
  readonly leaves: boolean;
  readonly ltime: LTime;
  readonly heardAt: number;
}

export abstract class Roll extends Swim {
  protected readonly serf: SerfConfig;
  /** The time of intents. */
  readonly clock: LamportClock = new LamportClock();
  protected readonly roll: Map<Name, Entry> = new Map();
  private readonly early: Map<Name, EarlyIntent> = new Map();

  protected readonly intents: BroadcastQueue = new BroadcastQueue();
  protected readonly queries: BroadcastQueue = new BroadcastQueue();
  protected readonly events: BroadcastQueue = new BroadcastQueue();

  private readonly changes: Coalescer<readonly [MemberChange, Member]> = new Coalescer();
  /** What was last put out about a member, so that a flap within a window is no news. */
  private readonly told: Map<Name, MemberChange> = new Map();

  constructor(config: SerfConfig) {
    super({ ...config, meta: config.wire.packTags(config.tags) });
    invariant(config.roster === undefined, "a roster is for membership alone: it enters no roll");
    this.serf = Object.freeze({ ...config, meta: this.config.meta });
  }

  /** Everybody on the roll, by name. */
  memberList(): readonly Member[] {
    return [...this.roll.values()].map((entry) => this.memberOf(entry));
  }

  /** How many broadcasts of each kind wait to be told. */
  get queueDepths(): {
    readonly intents: number;
    readonly events: number;
    readonly queries: number;
  } {
    return { intents: this.intents.size, events: this.events.size, queries: this.queries.size };
  }

  protected memberOf({ record, status }: Entry): Member {
    const { name, address, meta, versions } = record;
    return { name, address, tags: this.tagsOf(meta), status, versions };
  }

  protected tagsOf(meta: Uint8Array): Tags {
    return this.serf.wire.unpackTags(meta);
  }

  protected count(status: MemberStatus): number {
    let count = 0;
    for (const entry of this.roll.values()) if (entry.status === status) count++;
    return count;
  }

  // What the membership below says.

  protected override onMember(
    ctx: Ctx,
    change: "join" | "update" | "leave",
    record: MemberRecord,
  ): void {
    const { name } = record;
    const entry = this.roll.get(name);
    switch (change) {
      case "join":
        return this.enter(ctx, record, entry);
      case "update":
        if (entry === undefined) return;
        return this.set(ctx, { ...entry, record }, "update");
      case "leave":
        if (entry !== undefined) this.go(ctx, record, entry);
    }
  }

  private enter(ctx: Ctx, record: MemberRecord, entry: Entry | undefined): void {
    const { name } = record;
    const early = this.early.get(name);
    this.early.delete(name);
    const status = entry === undefined && early?.leaves === true ? "leaving" : "alive";
    const statusLTime = entry?.statusLTime ?? early?.ltime ?? 0;
    const times = { statusLTime, leaveLTime: statusLTime, goneAt: Infinity };
    this.set(ctx, { record, status, ...times, prune: false }, "join");
  }

  /** Left, if it said so in either way; else failed (G41). */
  private go(ctx: Ctx, record: MemberRecord, entry: Entry): void {
    if (entry.status !== "alive" && entry.status !== "leaving") return;
    const left = entry.status === "leaving" || record.state === "left";
    const status = left ? "left" : "failed";
    // A farewell without an intent came after whatever was said before it.
    const leaveLTime = entry.status === "leaving" ? entry.leaveLTime : entry.statusLTime + 1;
    const gone: Entry = { ...entry, record, status, leaveLTime, goneAt: ctx.now };
    this.set(ctx, gone, left ? "leave" : "failed");
    if (entry.prune) this.prune(ctx, record.name, entry.statusLTime);
  }

  private set(ctx: Ctx, entry: Entry, change: MemberChange): void {
    this.roll.set(entry.record.name, entry);
    this.tell(ctx, change, this.memberOf(entry));
  }

  /** Takes a member off the roll. */
  protected erase(ctx: Ctx, name: Name): void {
    const entry = this.roll.get(name);
    if (entry === undefined) return;
    this.roll.delete(name);
    this.onErased(name);
    ctx.note({ type: "reaped", node: name });
    this.tell(ctx, "reap", this.memberOf(entry));
  }

  protected onErased(_name: Name): void {}

  /** Takes off whom an intent wants forgotten. The intent has had its effect, and is no news when it comes again. */
  private prune(ctx: Ctx, name: Name, ltime: LTime): void {
    this.erase(ctx, name);
    this.keepEarly(ctx, name, false, ltime);
  }

  // Telling upwards, gathered if so configured (G47).

  private tell(ctx: Ctx, change: MemberChange, member: Member): void {
    this.onTold(ctx, change, member);
    const { coalesceMs, quietMs } = this.serf;
    if (coalesceMs === 0) {
      return ctx.outputEagerly({ type: "members", change, members: [member] });
    }
    if (this.changes.empty) ctx.setTimer("coalesce", coalesceMs);
    ctx.setTimer("quiet", quietMs);
    this.changes.put(member.name, [change, member]);
  }

  /** For what is written down of members. */
  protected onTold(_ctx: Ctx, _change: MemberChange, _member: Member): void {}

  protected tellGathered(ctx: Ctx): void {
    ctx.cancelTimer("coalesce");
    ctx.cancelTimer("quiet");
    const byChange = new Map<MemberChange, Member[]>();
    for (const [name, [change, member]] of this.changes.flush()) {
      if (this.told.get(name) === change && change !== "update") continue;
      if (change === "reap") this.told.delete(name);
      else this.told.set(name, change);
      byChange.set(change, [...(byChange.get(change) ?? []), member]);
    }
    for (const [change, members] of byChange)
      ctx.outputEagerly({ type: "members", change, members });
  }

  // Intents.

  /** Returns whether it is news, to be told on (G42). */
  protected onLeaveIntent(ctx: Ctx, intent: LeaveIntent): boolean {
    const { node, ltime, prune } = intent;
    this.clock.witness(ltime);
    const entry = this.roll.get(node);
    if (entry === undefined) return this.keepEarly(ctx, node, true, ltime);
    if (ltime <= entry.statusLTime) return false;
    if (this.isMe(node) && this.phase === "staying") {
      this.announceJoin(ctx);
      return false;
    }
    const times = { statusLTime: ltime, leaveLTime: ltime };
    const changed = { ...entry, ...times, prune: prune || entry.prune };
    switch (entry.status) {
      case "alive":
        this.roll.set(node, { ...changed, status: "leaving" });
        return true;
      case "failed":
        this.set(ctx, { ...changed, status: "left" }, "leave");
        break;
      case "leaving":
      case "left":
        this.roll.set(node, changed);
    }
    if (prune && entry.status !== "leaving") this.prune(ctx, node, ltime);
    return true;
  }

  protected onJoinIntent(ctx: Ctx, { node, ltime }: JoinIntent): boolean {
    this.clock.witness(ltime);
    const entry = this.roll.get(node);
    if (entry === undefined) return this.keepEarly(ctx, node, false, ltime);
    if (ltime <= entry.statusLTime) return false;
    // Who stays is not to be forgotten either.
    const stays: Partial<Entry> =
      entry.status === "leaving" ? { status: "alive", prune: false } : {};
    this.roll.set(node, { ...entry, ...stays, statusLTime: ltime });
    return true;
  }

  /**
   * What a push/pull tells of an intent about each member (G44). Whoever reads it takes one that left
   * to have done so one later, as Serf does. So a leave is told as one earlier, lest it grow later
   * with every exchange, and in the end later than words that came after it.
   */
  protected statusLTimes(): readonly (readonly [Name, LTime])[] {
    return [...this.roll].map(([name, { status, statusLTime, leaveLTime }]) => [
      name,
      status === "leaving" || status === "left" ? leaveLTime - 1 : statusLTime,
    ]);
  }

  /** What a push/pull told, after its records of members were taken over (G44). */
  protected onStatusLTime(ctx: Ctx, node: Name, ltime: LTime, left: boolean): void {
    const me = this.isMe(node);
    if (left) {
      // Of those that are here, or were never, the other knows less: it may have missed a return.
      if (!me && this.roll.get(node)?.status !== "failed") return;
      this.onLeaveIntent(ctx, { type: "leave", ltime: ltime + 1, node, prune: false });
      return;
    }
    // By their records, too, it is gone. They missed its leave, and must hear of it as the later word.
    const entry = this.roll.get(node);
    if (entry?.status === "left" && ltime >= entry.leaveLTime) {
      this.roll.set(node, { ...entry, leaveLTime: ltime + 1 });
    }
    const later = this.onJoinIntent(ctx, { type: "join", ltime, node });
    // Somebody heard of this node what it never said, and may show it as leaving.
    if (me && later && this.phase === "staying") this.announceJoin(ctx);
  }

  /** One intent for each stranger, the latest; of strangers, the latest so many. */
  private keepEarly(ctx: Ctx, node: Name, leaves: boolean, ltime: LTime): boolean {
    const known = this.early.get(node);
    if (known !== undefined && ltime <= known.ltime) return false;
    this.early.delete(node);
    this.early.set(node, { leaves, ltime, heardAt: ctx.now });
    if (this.early.size > this.serf.intentsMax) {
      for (const oldest of this.early.keys()) {
        this.early.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** This node is here to stay. */
  protected announceJoin(ctx: Ctx): void {
    const intent: JoinIntent = { type: "join", ltime: this.clock.time, node: this.config.name };
    this.onJoinIntent(ctx, intent);
    this.queue(ctx, this.intents, intent.node, intent);
  }

  protected onForceLeave(ctx: Ctx, id: RequestId, node: Name, prune: boolean): void {
    // Whom this node has forgotten others may still hold, and who asks may see it there.
    if (!this.roll.has(node) && !this.early.has(node)) {
      return ctx.replyEagerly(id, { type: "refused", reason: `no member is called ${node}` });
    }
    const intent: LeaveIntent = { type: "leave", ltime: this.clock.take(), node, prune };
    this.onLeaveIntent(ctx, intent);
    this.queue(ctx, this.intents, node, intent);
    ctx.replyEagerly(id, { type: "done" });
  }

  // Time passes.

  protected awaitReaping(ctx: Ctx): void {
    ctx.setTimer("reap", this.serf.reapMs);
  }

  /** Forgets those who have been gone for long (G45). */
  protected onReap(ctx: Ctx): void {
    this.awaitReaping(ctx);
    const { reconnectTimeoutMs, tombstoneMs, intentMs } = this.serf;
    for (const [name, { status, goneAt }] of this.roll) {
      const limit = status === "failed" ? reconnectTimeoutMs : tombstoneMs;
      if (status !== "failed" && status !== "left") continue;
      if (ctx.now - goneAt > limit) this.erase(ctx, name);
    }
    for (const [name, { heardAt }] of this.early) {
      if (ctx.now - heardAt > intentMs) this.early.delete(name);
    }
  }

  protected awaitReconnecting(ctx: Ctx): void {
    ctx.setTimer("reconnect", this.serf.reconnectMs);
  }

  /** Tries a failed member again, so that all together try each about once per interval (G46). */
  protected onReconnect(ctx: Ctx): void {
    this.awaitReconnecting(ctx);
    if (this.phase !== "staying") return;
    const failed = [...this.roll.values()].filter(({ status }) => status === "failed");
    const alive = Math.max(1, this.roll.size - failed.length - this.count("left"));
    if (failed.length === 0 || ctx.choose(alive) >= failed.length) return;
    const { record } = failed[ctx.choose(failed.length)]!;
    this.pushPull(ctx, record.address, "join", undefined, true);
  }

  // Gossip.

  protected queue(ctx: Ctx, queue: BroadcastQueue, key: string, body: SerfMessage): void {
    const part = userPart(body);
    queue.put(key, part, this.config.wire.partBytes(part));
    const count = queue.prune(this.config.broadcastsMax);
    if (count > 0) ctx.note({ type: "dropped", what: "broadcast", count });
    this.armGossip(ctx);
  }

  protected override get userBytes(): number {
    return this.intents.bytes + this.queries.bytes + this.events.bytes;
  }

  protected override takeUser(into: Part[], budget: number, limit: number): void {
    let left = this.intents.take(into, budget, limit, PACKET_PARTS);
    const times = limit + this.serf.retransmitExtra;
    left = this.queries.take(into, left, times, PACKET_PARTS);
    this.events.take(into, left, times, PACKET_PARTS);
  }

  protected sendUser(ctx: Ctx, to: Address, body: SerfMessage): void {
    // Alone, as Serf does: whoever asked has heard what is being told, and each packet it is in counts.
    ctx.sendEagerly(to, { type: "packet", parts: [userPart(body)], checksum: false });
  }
}
