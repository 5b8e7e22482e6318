/**
 * Serf's queries: a question to all members that its filters name, answered
 * straight to the asker, and those that the library asks and answers itself.
 */

import { type RequestId, utf8 } from "@quorate/kernel";

import { type Address, type MemberRecord, type Name, sameBytes } from "../member.ts";
import { digits } from "../logarithm.ts";
import type { Ctx } from "../swim/state.ts";
import { userPart } from "../swim/state.ts";
import type { KeyOutcome, QueryRequest } from "../words.ts";
import type { SerfConfig } from "./config.ts";
import { Events } from "./events.ts";
import { isMeant } from "./filter.ts";
import { LamportClock } from "./lamport.ts";
import {
  type KeyAnswer,
  type KeyOperation,
  type LTime,
  LTIME_MAX,
  type Query,
  type QueryResponse,
} from "./messages.ts";
import { Recent } from "./recent.ts";

/** Names that begin so are the library's own. */
const INTERNAL = "_serf_";

/** The least version of the protocol whose speakers relay. */
const RELAYS_FROM = 5;

/** A query of this node's that may still be answered. */
interface Open {
  readonly purpose:
    | { readonly type: "user" }
    | { readonly type: "conflict" }
    | { readonly type: "key"; readonly request: RequestId };
  readonly acks: Set<Name>;
  readonly responses: Map<Name, Uint8Array>;
}

/** A query of another's that this node may still answer. */
interface Asked {
  readonly query: Query;
  readonly until: number;
}

export abstract class Queries extends Events {
  readonly queryClock: LamportClock = new LamportClock();
  protected readonly recentQueries: Recent<number>;
  private readonly open: Map<string, Open> = new Map();
  private readonly asked: Map<string, Asked> = new Map();
  private contesting = false;

  constructor(config: SerfConfig) {
    super(config);
    this.recentQueries = new Recent(config.queryBuffer);
  }

  /** gossip interval * queryTimeoutMult * ceil(log10(n + 1)). */
  get queryTimeoutMs(): number {
    const { gossipIntervalMs, queryTimeoutMult } = this.serf;
    return gossipIntervalMs * queryTimeoutMult * digits(this.members.known);
  }

  // Asking.

  protected onAsk(ctx: Ctx, id: RequestId, request: QueryRequest): void {
    if (request.name.startsWith(INTERNAL) && request.name !== `${INTERNAL}ping`) {
      return refuse(ctx, id, `names that begin with ${INTERNAL} are taken`);
    }
    const asked = this.ask(ctx, request, { type: "user" });
    if (typeof asked === "string") return refuse(ctx, id, asked);
    const { ltime, id: queryId, timeoutMs } = asked;
    ctx.replyEagerly(id, { type: "asked", ltime, id: queryId, timeoutMs });
  }

  protected onKey(ctx: Ctx, id: RequestId, operation: KeyOperation, key: Uint8Array): void {
    const name = `${INTERNAL}${operation === "list" ? "list-keys" : `${operation}-key`}`;
    const payload = this.serf.wire.packKey(key);
    const asked = this.ask(ctx, { ...INTERNAL_QUERY, name, payload }, { type: "key", request: id });
    if (typeof asked === "string") refuse(ctx, id, asked);
  }

  /** Asks all members. Returns the query, or why it cannot be asked. */
  private ask(ctx: Ctx, request: QueryRequest, purpose: Open["purpose"]): Query | string {
    if (this.open.size >= this.serf.queriesMax) return "too many queries are open";
    const { name, payload, filters, ack, relayFactor } = request;
    const query: Query = {
      type: "query",
      ltime: this.queryClock.time,
      id: ctx.choose(0x1_0000_0000),
      source: ctx.self,
      sourceNode: this.config.name,
      filters,
      ack,
      noBroadcast: false,
      relayFactor,
      timeoutMs: request.timeoutMs ?? this.queryTimeoutMs,
      name,
      payload,
    };
    const bytes = this.serf.wire.partBytes(userPart(query));
    if (bytes > this.serf.queryBytes) {
      return `a query has at most ${this.serf.queryBytes} bytes, this one has ${bytes}`;
    }
    this.queryClock.take();
    const key = queryKey(query.ltime, query.id);
    this.open.set(key, { purpose, acks: new Set(), responses: new Map() });
    ctx.setTimer(`query:${key}`, query.timeoutMs);
    this.onQuery(ctx, query);
    return query;
  }

  /** An answer, perhaps a second time by another way (G53). */
  protected onQueryResponse(ctx: Ctx, response: QueryResponse): void {
    const { ltime, id, from, payload } = response;
    const open = this.open.get(queryKey(ltime, id));
    // As many as could be asked, twice over, against answers under made-up names.
    if (open === undefined || open.responses.size + open.acks.size > 4 * this.roll.size) return;
    const user = open.purpose.type === "user";
    if (response.ack) {
      if (open.acks.has(from)) return;
      open.acks.add(from);
      if (user) ctx.outputEagerly({ type: "queryAck", ltime, id, from });
      return;
    }
    if (open.responses.has(from)) return;
    open.responses.set(from, user ? NOTHING : payload);
    if (user) ctx.outputEagerly({ type: "queryResponse", ltime, id, from, payload });
    // An operator waits for it: nobody is left to answer, as in Serf's key manager.
    if (open.purpose.type !== "key" || open.responses.size < this.members.present) return;
    ctx.cancelTimer(`query:${queryKey(ltime, id)}`);
    this.onQueryOver(ctx, queryKey(ltime, id));
  }

  protected onQueryOver(ctx: Ctx, key: string): void {
    const open = this.open.get(key);
    if (open === undefined) return;
    this.open.delete(key);
    const { purpose, responses } = open;
    switch (purpose.type) {
      case "user": {
        const [ltime = 0, id = 0] = key.split("/").map(Number);
        return ctx.outputEagerly({ type: "queryDone", ltime, id });
      }
      case "conflict":
        return this.settleConflict(ctx, [...responses.values()]);
      case "key":
        return ctx.replyEagerly(purpose.request, {
          type: "keys",
          outcome: this.keyOutcome(responses),
        });
    }
  }

  private keyOutcome(responses: ReadonlyMap<Name, Uint8Array>): KeyOutcome {
    const messages: [Name, string][] = [];
    const keys = new Map<string, number>();
    const primaryKeys = new Map<string, number>();
    let errors = 0;
    for (const [node, payload] of responses) {
      const answer = this.serf.wire.unpackKeyAnswer(payload);
      if (answer?.result !== true) errors++;
      if (answer === undefined) messages.push([node, "an answer that cannot be read"]);
      else if (answer.message !== "") messages.push([node, answer.message]);
      for (const key of answer?.keys ?? []) keys.set(key, (keys.get(key) ?? 0) + 1);
      const primary = answer?.primaryKey ?? "";
      if (primary !== "") primaryKeys.set(primary, (primaryKeys.get(primary) ?? 0) + 1);
    }
    const nodes = this.count("alive");
    return {
      nodes,
      responses: responses.size,
      errors,
      messages,
      keys: [...keys],
      primaryKeys: [...primaryKeys],
    };
  }

  // Answering.

  protected onQuery(ctx: Ctx, query: Query): void {
    const { ltime, id } = query;
    if (ltime >= LTIME_MAX) return;
    this.queryClock.witness(ltime);
    if (!this.recentQueries.note(this.queryClock, ltime, id, (a, b) => a === b)) return;
    if (!query.noBroadcast) this.queue(ctx, this.queries, queryKey(ltime, id), query);
    if (!isMeant(query.filters, this.config.name, this.tagsOf(this.me.meta))) return;
    if (query.ack) this.answer(ctx, query, true, NOTHING);
    if (query.name.startsWith(INTERNAL)) return this.onInternal(ctx, query);
    this.remember(ctx, query);
    ctx.outputEagerly({ type: "query", query });
  }

  /** Until a query's time is over it may be answered; of too many, the oldest may not. */
  private remember(ctx: Ctx, query: Query): void {
    if (this.asked.size >= this.serf.queriesMax) {
      for (const [key, { until }] of this.asked) if (until < ctx.now) this.asked.delete(key);
      for (const oldest of this.asked.keys()) {
        if (this.asked.size < this.serf.queriesMax) break;
        this.asked.delete(oldest);
        ctx.note({ type: "dropped", what: "query", count: 1 });
      }
    }
    this.asked.set(queryKey(query.ltime, query.id), { query, until: ctx.now + query.timeoutMs });
  }

  protected onRespond(
    ctx: Ctx,
    request: RequestId,
    ltime: LTime,
    id: number,
    payload: Uint8Array,
  ): void {
    const asked = this.asked.get(queryKey(ltime, id));
    if (asked === undefined) return refuse(ctx, request, "no such query, or it was answered");
    if (ctx.now > asked.until) return refuse(ctx, request, "the query's time is over");
    const limit = this.serf.responseBytes;
    if (payload.length > limit) return refuse(ctx, request, `an answer has at most ${limit} bytes`);
    this.asked.delete(queryKey(ltime, id));
    this.answer(ctx, asked.query, false, payload);
    ctx.replyEagerly(request, { type: "done" });
  }

  /** Straight to the asker, and through others against loss (G54). */
  private answer(ctx: Ctx, query: Query, ack: boolean, payload: Uint8Array): void {
    const { ltime, id, source, sourceNode, relayFactor } = query;
    const from = this.config.name;
    const response: QueryResponse = { type: "queryResponse", ltime, id, from, ack, payload };
    this.sendUser(ctx, source, response);
    if (relayFactor === 0 || this.roll.size < relayFactor + 1) return;
    const relays = (member: MemberRecord) =>
      member.state === "alive" && member.versions[1] >= RELAYS_FROM && member.address !== source;
    for (const member of this.pick(ctx, Math.min(relayFactor, 255), relays)) {
      this.sendUser(ctx, member.address, {
        type: "relay",
        destination: source,
        destinationName: sourceNode,
        body: response,
      });
    }
  }

  private onInternal(ctx: Ctx, query: Query): void {
    switch (query.name.slice(INTERNAL.length)) {
      case "ping":
        return; // The acknowledgement is the answer.
      case "conflict":
        return this.answerConflict(ctx, query);
      case "install-key":
        return this.onKeyQuery(ctx, query, "install");
      case "use-key":
        return this.onKeyQuery(ctx, query, "use");
      case "remove-key":
        return this.onKeyQuery(ctx, query, "remove");
      case "list-keys":
        return this.onKeyQuery(ctx, query, "list");
      default:
        ctx.note({ type: "ignored", what: query.name, reason: "unknown" });
    }
  }

  private onKeyQuery(ctx: Ctx, query: Query, operation: KeyOperation): void {
    const key = this.serf.wire.unpackKey(query.payload) ?? NOTHING;
    this.remember(ctx, query);
    const { ltime, id } = query;
    ctx.outputEagerly({ type: "keyRequest", ltime, id, operation, key });
  }

  protected onKeyDone(
    ctx: Ctx,
    request: RequestId,
    ltime: LTime,
    id: number,
    answer: KeyAnswer,
  ): void {
    const total = answer.keys.length;
    let keys = answer.keys;
    let { message } = answer;
    for (;;) {
      const payload = this.serf.wire.packKeyAnswer({ ...answer, keys, message });
      if (payload.length <= this.serf.responseBytes || keys.length === 0) {
        return this.onRespond(ctx, request, ltime, id, payload);
      }
      keys = keys.slice(0, -1);
      message = `truncated key list response, showing first ${keys.length} of ${total} keys`;
    }
  }

  // Name conflicts (G55).

  /** Another address claims a name. If it is this node's, ask around whose it is. */
  protected override onConflict(ctx: Ctx, known: MemberRecord, _claimed: Address): void {
    if (!this.isMe(known.name) || !this.serf.resolveConflicts || this.contesting) return;
    const payload = utf8(this.config.name);
    const request = { ...INTERNAL_QUERY, name: `${INTERNAL}conflict`, payload };
    this.contesting = typeof this.ask(ctx, request, { type: "conflict" }) !== "string";
  }

  private answerConflict(ctx: Ctx, query: Query): void {
    for (const [name, entry] of this.roll) {
      if (this.isMe(name) || !sameBytes(utf8(name), query.payload)) continue;
      return this.answer(ctx, query, false, this.serf.wire.packConflict(this.memberOf(entry)));
    }
  }

  private settleConflict(ctx: Ctx, payloads: readonly Uint8Array[]): void {
    this.contesting = false;
    const answers = payloads.flatMap((payload) => this.serf.wire.unpackConflict(payload) ?? []);
    const mine = answers.filter(({ address }) => address === ctx.self).length;
    if (mine >= Math.floor(answers.length / 2) + 1) return;
    const other = answers.find(({ address }) => address !== ctx.self);
    ctx.outputEagerly({ type: "nameTaken", by: other?.address ?? ctx.self });
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

const INTERNAL_QUERY = {
  type: "query",
  filters: [],
  ack: false,
  relayFactor: 0,
  timeoutMs: undefined,
} as const;

function queryKey(ltime: LTime, id: number): `${LTime}/${number}` {
  return `${ltime}/${id}`;
}

function refuse(ctx: Ctx, id: RequestId, reason: string): void {
  ctx.replyEagerly(id, { type: "refused", reason });
}
