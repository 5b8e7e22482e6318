/**
 * Serf (HashiCorp) on SWIM: tags, intents, events, queries, coordinates, and a
 * snapshot of whom to come back to.
 *
 * This file is where its parts meet: what each message, timer and request leads
 * to, Serf's share of push/pulls, leaving, and what is written down.
 */

import { type RequestId, unreachable } from "@quorate/kernel";

import type { Coordinate } from "../coordinates/coordinate.ts";
import { estimateSeconds, isSound, Vivaldi } from "../coordinates/vivaldi.ts";
import type { Address, MemberRecord, Name } from "../member.ts";
import type { Ctx } from "../swim/state.ts";
import type { MemberChange, Record, Request, Timer } from "../words.ts";
import {
  type LeaveIntent,
  LTIME_MAX,
  type Member,
  type SerfMessage,
  type SerfState,
  type Tags,
} from "./messages.ts";
import { Queries } from "./queries.ts";

/** How often clocks are written down, if they moved. */
const SNAPSHOT_MS = 500;

export class Serf extends Queries {
  private readonly vivaldi: Vivaldi = new Vivaldi();
  /** Where others last said they are. */
  private readonly places: Map<Name, Coordinate> = new Map();

  /** Whom this node knew in an earlier life, by the records it left. */
  private readonly previous: Map<Name, Address> = new Map();
  private leftBefore = false;
  /** How often one of them was tried. */
  private rejoins = 0;
  private written: readonly [number, number, number] = [0, 0, 0];
  private recordsWritten = 0;

  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    this.awaitReaping(ctx);
    this.awaitReconnecting(ctx);
    if (!this.serf.snapshot) return;
    ctx.setTimer("snapshot", SNAPSHOT_MS);
    if (this.leftBefore && !this.serf.rejoinAfterLeave) this.previous.clear();
    if (this.previous.size > 0) ctx.setTimer("rejoin", 0);
  }

  /** Tags of this node. */
  get tags(): Tags {
    return this.tagsOf(this.me.meta);
  }

  get coordinate(): Coordinate {
    return this.vivaldi.coordinate;
  }

  /** Where a member is, this node included, as far as is known. */
  coordinateOf(name: Name): Coordinate | undefined {
    return this.isMe(name) ? this.coordinate : this.places.get(name);
  }

  /** The estimated round trip between two members, in seconds. */
  roundTripSeconds(a: Name, b: Name): number | undefined {
    const [from, to] = [this.coordinateOf(a), this.coordinateOf(b)];
    return from === undefined || to === undefined ? undefined : estimateSeconds(from, to);
  }

  // Messages, timers, requests.

  protected override onUser(ctx: Ctx, _from: Address, body: SerfMessage): void {
    switch (body.type) {
      case "leave":
        if (body.ltime < LTIME_MAX && this.onLeaveIntent(ctx, body)) {
          this.queue(ctx, this.intents, body.node, body);
        }
        return;
      case "join":
        if (body.ltime < LTIME_MAX && this.onJoinIntent(ctx, body)) {
          this.queue(ctx, this.intents, body.node, body);
        }
        return;
      case "userEvent":
        return this.onUserEvent(ctx, body);
      case "query":
        return this.onQuery(ctx, body);
      case "queryResponse":
        return this.onQueryResponse(ctx, body);
      case "relay":
        return this.sendUser(ctx, body.destination, body.body);
      default:
        return unreachable(body);
    }
  }

  override onTimer(ctx: Ctx, timer: Timer): void {
    switch (timer) {
      case "reap":
        return this.onReap(ctx);
      case "reconnect":
        return this.onReconnect(ctx);
      case "coalesce":
      case "quiet":
        return this.tellGathered(ctx);
      case "userCoalesce":
      case "userQuiet":
        return this.tellEvents(ctx);
      case "rejoin":
        return this.onRejoin(ctx);
      case "snapshot":
        return this.onSnapshot(ctx);
      case "intent":
        return this.onIntentTold(ctx, true);
      default:
        if (timer.startsWith("query:")) return this.onQueryOver(ctx, timer.slice("query:".length));
        super.onTimer(ctx, timer);
    }
  }

  override onRequest(ctx: Ctx, id: RequestId, request: Request): void {
    switch (request.type) {
      case "setTags":
        return this.onSetMeta(ctx, id, this.serf.wire.packTags(request.tags));
      case "userEvent":
        return this.onSendEvent(ctx, id, request);
      case "query":
        return this.onAsk(ctx, id, request);
      case "respond":
        return this.onRespond(ctx, id, request.ltime, request.id, request.payload);
      case "forceLeave":
        return this.onForceLeave(ctx, id, request.node, request.prune);
      case "key":
        return this.onKey(ctx, id, request.operation, request.key);
      case "keyDone":
        return this.onKeyDone(ctx, id, request.ltime, request.id, request.answer);
      case "join":
      case "leave":
      case "setMeta":
      case "lagged":
        return super.onRequest(ctx, id, request);
      default:
        return unreachable(request);
    }
  }

  // Push/pulls.

  protected override localState(): SerfState {
    const left: Name[] = [];
    for (const [name, { status }] of this.roll) if (status === "left") left.push(name);
    const events = this.recentEvents.all().map(({ ltime, items }) => ({ ltime, events: items }));
    return {
      ltime: this.clock.time,
      statusLTimes: this.statusLTimes(),
      left,
      eventLTime: this.eventClock.time,
      events,
      queryLTime: this.queryClock.time,
    };
  }

  protected override mergeState(ctx: Ctx, state: SerfState, ignorePast: boolean): void {
    // Nothing was sent yet with the times that the other side would use next.
    this.clock.witness(state.ltime - 1);
    this.eventClock.witness(state.eventLTime - 1);
    this.queryClock.witness(state.queryLTime - 1);
    const left = new Set(state.left);
    for (const [node, ltime] of state.statusLTimes) {
      if (ltime < LTIME_MAX) this.onStatusLTime(ctx, node, ltime, left.has(node));
    }
    const { recentEvents } = this;
    if (ignorePast) recentEvents.floor = Math.max(recentEvents.floor, state.eventLTime);
    for (const { ltime, events } of state.events) {
      for (const { name, payload } of events) {
        this.deliver(ctx, { type: "userEvent", ltime, name, payload, coalesce: false });
      }
    }
  }

  protected override refusal(member: MemberRecord): string | undefined {
    const { admission, membersMax } = this.serf;
    if (this.roll.size >= membersMax && !this.roll.has(member.name)) return "too many members";
    switch (admission.type) {
      case "anyone":
        return undefined;
      case "named":
        return admission.names.includes(member.name) ? undefined : "its name is not on the list";
      case "tagged": {
        const tags = this.tagsOf(member.meta);
        const missing = Object.entries(admission.tags).find(([tag, value]) => tags[tag] !== value);
        return missing === undefined ? undefined : `it has no tag ${missing.join("=")}`;
      }
      default:
        return unreachable(admission);
    }
  }

  protected override onJoined(ctx: Ctx): void {
    this.announceJoin(ctx);
  }

  // Leaving: first the intent, then the farewell, with time for each to spread (G43).

  protected override prepareToLeave(ctx: Ctx): void {
    const node = this.config.name;
    this.phase = "announcing";
    const intent: LeaveIntent = { type: "leave", ltime: this.clock.take(), node, prune: false };
    this.onLeaveIntent(ctx, intent);
    if (this.serf.snapshot) this.write(ctx, { type: "leave" });
    if (this.members.present <= 1) return this.depart(ctx);
    this.queue(ctx, this.intents, node, intent);
    ctx.setTimer("intent", this.serf.leaveBroadcastMs);
  }

  protected override onGossip(ctx: Ctx): void {
    super.onGossip(ctx);
    if (this.phase === "announcing") this.onIntentTold(ctx, false);
  }

  /** The intent has used up its packets, or its time. */
  private onIntentTold(ctx: Ctx, late: boolean): void {
    if (this.phase !== "announcing") return;
    if (this.intents.has(this.config.name) && !late) return;
    ctx.cancelTimer("intent");
    this.depart(ctx);
  }

  // Coordinates.

  protected override ackCoordinate(): Coordinate | undefined {
    return this.serf.coordinates ? this.vivaldi.coordinate : undefined;
  }

  protected override onRoundTrip(
    ctx: Ctx,
    member: MemberRecord,
    rttMs: number,
    coordinate: Coordinate | undefined,
  ): void {
    if (!this.serf.coordinates || coordinate === undefined || !isSound(coordinate)) return;
    this.vivaldi.update(ctx, member.name, coordinate, rttMs / 1000);
    this.places.set(member.name, coordinate);
  }

  protected override onErased(name: Name): void {
    this.vivaldi.forget(name);
    this.places.delete(name);
  }

  // What is written down (decision 0030).

  recover(record: Record): void {
    switch (record.type) {
      case "alive":
        this.leftBefore = false;
        this.previous.set(record.name, record.address);
        return;
      case "notAlive":
        this.previous.delete(record.name);
        return;
      case "clock":
        return this.clock.witness(record.ltime);
      case "eventClock":
        this.eventClock.witness(record.ltime);
        this.recentEvents.floor = record.ltime + 1;
        return;
      case "queryClock":
        this.queryClock.witness(record.ltime);
        this.recentQueries.floor = record.ltime + 1;
        return;
      case "leave":
        this.leftBefore = true;
        return;
      default:
        return unreachable(record);
    }
  }

  /** Tries one after the other of those known before, again and again, until there is company. */
  private onRejoin(ctx: Ctx): void {
    if (this.members.present > 1 || this.phase !== "staying") return this.previous.clear();
    for (const [name, address] of this.previous) {
      // Whoever was tried goes to the end of the line.
      this.previous.delete(name);
      if (this.isMe(name) || address === ctx.self) continue;
      this.previous.set(name, address);
      this.pushPull(ctx, address, "join", undefined, false);
      const round = ++this.rejoins % this.previous.size === 0;
      return ctx.setTimer("rejoin", round ? this.serf.reconnectMs : SNAPSHOT_MS, SNAPSHOT_MS);
    }
  }

  protected override onTold(ctx: Ctx, change: MemberChange, { name, address }: Member): void {
    if (!this.serf.snapshot) return;
    if (change === "join") this.write(ctx, { type: "alive", name, address });
    if (change === "leave" || change === "failed") this.write(ctx, { type: "notAlive", name });
  }

  private onSnapshot(ctx: Ctx): void {
    ctx.setTimer("snapshot", SNAPSHOT_MS);
    const times = [
      this.clock.time - 1,
      this.eventClock.time - 1,
      this.queryClock.time - 1,
    ] as const;
    for (const [i, type] of CLOCK_RECORDS.entries()) {
      const ltime = times[i]!;
      if (ltime !== this.written[i]) this.write(ctx, { type, ltime });
    }
    this.written = times;
  }

  private write(ctx: Ctx, record: Record): void {
    ctx.persist(record);
    this.recordsWritten++;
    // A rewrite pays once most of what was written is outdated.
    if (this.recordsWritten < 1024 + 4 * this.roll.size) return;
    this.recordsWritten = 0;
    ctx.checkpoint(this.snapshot());
  }

  private snapshot(): readonly Record[] {
    const records: Record[] = [];
    for (const { record, status } of this.roll.values()) {
      const { name, address } = record;
      if (status === "alive" || status === "leaving")
        records.push({ type: "alive", name, address });
    }
    const times = [this.clock.time - 1, this.eventClock.time - 1, this.queryClock.time - 1];
    for (const [i, type] of CLOCK_RECORDS.entries()) records.push({ type, ltime: times[i]! });
    if (this.hasLeft) records.push({ type: "leave" });
    return records;
  }
}

const CLOCK_RECORDS = ["clock", "eventClock", "queryClock"] as const;
