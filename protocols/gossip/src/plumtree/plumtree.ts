/**
 * Plumtree (Leitão, Pereira, Rodrigues, SRDS 2007) over HyParView: a spanning
 * tree that carries payloads, and gossip of their names beside it that mends
 * the tree where it breaks.
 *
 * Payloads go along links that were fast before (eager); names go along the
 * others (lazy). A payload that comes twice turns a link lazy; a name whose
 * payload does not come turns a link eager. So in the steady state every node
 * gets every payload about once.
 */

import {
  type Context,
  Embedded,
  type Embedding,
  invariant,
  type NodeId,
  type Process,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import { HyParView } from "../hyparview/hyparview.ts";
import {
  VIEW_DEFAULTS,
  type ViewConfig,
  type ViewMessage,
  type ViewTimer,
  type ViewWords,
} from "../hyparview/messages.ts";
import type {
  BroadcastId,
  BroadcastMessage,
  BroadcastRequest,
  BroadcastWords,
  TreeMessage,
} from "./messages.ts";

export interface PlumtreeConfig {
  readonly view: ViewConfig;
  /** Names gather for so long before they are told on lazy links. Longer saves packets and mends later. */
  readonly lazyMs: number;
  /** How long a payload may stay away once its name was heard. Above the tree's depth times a hop. */
  readonly graftMs: number;
  /** How long the next one that has it is given after a graft was of no use. About a round trip. */
  readonly regraftMs: number;
  /** A lazy link so many hops shorter than the tree's replaces it. */
  readonly shortcutHops: number;
  /** How many names are remembered, to know repetitions by. */
  readonly seenMax: number;
  /** How many bytes of payloads are kept for those who missed them. */
  readonly keptBytes: number;
  /** The longest payload. */
  readonly payloadBytes: number;
  /** How many messages whose payload is missing are waited for at once. */
  readonly missingMax: number;
}

export const PLUMTREE_DEFAULTS: PlumtreeConfig = Object.freeze({
  view: VIEW_DEFAULTS,
  lazyMs: 100,
  graftMs: 500,
  regraftMs: 250,
  shortcutHops: 7,
  seenMax: 65_536,
  keptBytes: 16 << 20,
  payloadBytes: 1 << 20,
  missingMax: 4096,
});

type Ctx = Context<BroadcastWords>;

/** A message that this node has or had. */
interface Seen {
  readonly hops: number;
  /** Until there is no room for it. */
  readonly payload: Uint8Array | undefined;
}

/** The most names in one message. */
const NAMES_MAX = 512;
/** Of those who have a missing payload, how many are kept. */
const HOLDERS_MAX = 16;

export class Plumtree implements Process<BroadcastWords>, Embedding<BroadcastWords, ViewWords> {
  private readonly config: PlumtreeConfig;
  readonly view: HyParView;
  /** Neighbours by how payloads go to them. Together they are the active view. */
  readonly eager: Set<NodeId> = new Set();
  readonly lazy: Set<NodeId> = new Set();

  private readonly seen: Map<BroadcastId, Seen> = new Map();
  /** Those of `seen` with a payload, oldest first. */
  private readonly kept: Set<BroadcastId> = new Set();
  private bytesKept = 0;
  /** Names whose payload did not come yet, and who has them, first heard first. */
  private readonly missing: Map<
    BroadcastId,
    readonly { readonly node: NodeId; readonly hops: number }[]
  > = new Map();
  /** Names to be told on lazy links, with whom each came from. */
  private untold: { readonly id: BroadcastId; readonly hops: number; readonly from: NodeId }[] = [];

  constructor(config: PlumtreeConfig = PLUMTREE_DEFAULTS) {
    this.config = Object.freeze({ ...config });
    this.view = new HyParView(config.view);
  }

  onStart(ctx: Ctx): void {
    this.view.onStart(new Embedded(ctx, this));
  }

  onRequest(ctx: Ctx, id: RequestId, request: BroadcastRequest): void {
    switch (request.type) {
      case "join":
        return this.view.onRequest(new Embedded(ctx, this), id, request);
      case "broadcast":
        return this.onBroadcast(ctx, id, request.id, request.payload);
      default:
        return unreachable(request);
    }
  }

  onMessage(ctx: Ctx, from: NodeId, message: BroadcastMessage): void {
    if (message.type === "view") {
      return this.view.onMessage(new Embedded(ctx, this), from, message.message);
    }
    this.onTreeMessage(ctx, from, message);
  }

  onTimer(ctx: Ctx, timer: BroadcastWords["Timer"]): void {
    if (timer === "iHave") return this.tell(ctx);
    const colon = timer.indexOf(":");
    const key = timer.slice(colon + 1);
    if (timer.startsWith("missing:")) return this.graftNext(ctx, key);
    // What is left are the view's own names.
    this.view.onTimer(new Embedded(ctx, this), key as ViewTimer);
  }

  onUnreachable(ctx: Ctx, node: NodeId): void {
    this.view.onUnreachable(new Embedded(ctx, this), node);
  }

  /** What is kept for those who missed it. */
  get holdings(): { readonly names: number; readonly payloads: number; readonly bytes: number } {
    return { names: this.seen.size, payloads: this.kept.size, bytes: this.bytesKept };
  }

  private onTreeMessage(ctx: Ctx, from: NodeId, message: TreeMessage): void {
    switch (message.type) {
      case "gossip":
        return this.onGossip(ctx, from, message);
      case "iHave":
        for (const { id, hops } of message.messages.slice(0, NAMES_MAX))
          this.onName(ctx, from, id, hops);
        return;
      case "graft":
        return this.onGraft(ctx, from, message.id);
      case "prune":
        return this.turnLazy(from);
      default:
        return unreachable(message);
    }
  }

  private onBroadcast(ctx: Ctx, request: RequestId, id: BroadcastId, payload: Uint8Array): void {
    const limit = this.config.payloadBytes;
    if (payload.length > limit) {
      const reason = `a payload has at most ${limit} bytes`;
      return ctx.replyEagerly(request, { type: "refused", reason });
    }
    if (!this.seen.has(id)) this.deliver(ctx, id, payload, 0, ctx.self);
    ctx.replyEagerly(request, { type: "done" });
  }

  /** P1: the first copy is delivered and passed on; a further one makes its link lazy. */
  private onGossip(ctx: Ctx, from: NodeId, message: TreeMessage & { type: "gossip" }): void {
    const { id, payload, hops } = message;
    if (payload.length > this.config.payloadBytes) return;
    if (this.seen.has(id)) {
      ctx.note({ type: "redundant", id });
      this.turnLazy(from);
      return ctx.sendEagerly(from, { type: "prune" });
    }
    const shorter = this.missing
      .get(id)
      ?.find((holder) => holder.hops + this.config.shortcutHops < hops);
    if (this.missing.delete(id)) ctx.cancelTimer(`missing:${id}`);
    this.deliver(ctx, id, payload, hops, from);
    this.turnEager(from);
    if (shorter === undefined || shorter.node === from) return;
    // §3.8: the tree makes a detour that a lazy link would save.
    this.turnEager(shorter.node);
    ctx.sendEagerly(shorter.node, { type: "graft", id: undefined });
    this.turnLazy(from);
    ctx.sendEagerly(from, { type: "prune" });
  }

  private deliver(
    ctx: Ctx,
    id: BroadcastId,
    payload: Uint8Array,
    hops: number,
    from: NodeId,
  ): void {
    this.keep(id, payload, hops);
    ctx.outputEagerly({ type: "delivered", id, payload, hops });
    for (const node of this.eager) {
      if (node !== from) ctx.sendEagerly(node, { type: "gossip", id, payload, hops: hops + 1 });
    }
    if (this.lazy.size === 0) return;
    if (this.untold.length === 0) ctx.setTimer("iHave", this.config.lazyMs);
    this.untold.push({ id, hops: hops + 1, from });
    if (this.untold.length >= NAMES_MAX) this.tell(ctx);
  }

  private keep(id: BroadcastId, payload: Uint8Array, hops: number): void {
    this.seen.set(id, { hops, payload });
    this.kept.add(id);
    this.bytesKept += payload.length;
    for (const oldest of this.kept) {
      if (this.bytesKept <= this.config.keptBytes) break;
      const entry = this.seen.get(oldest);
      invariant(entry?.payload !== undefined, "what is kept was seen");
      this.seen.set(oldest, { hops: entry.hops, payload: undefined });
      this.kept.delete(oldest);
      this.bytesKept -= entry.payload.length;
    }
    if (this.seen.size <= this.config.seenMax) return;
    for (const [oldest, entry] of this.seen) {
      if (this.kept.delete(oldest)) this.bytesKept -= entry.payload?.length ?? 0;
      this.seen.delete(oldest);
      break;
    }
  }

  private tell(ctx: Ctx): void {
    ctx.cancelTimer("iHave");
    const { untold } = this;
    this.untold = [];
    for (const node of this.lazy) {
      const messages = untold
        .filter(({ from }) => from !== node)
        .map(({ id, hops }) => ({ id, hops }));
      if (messages.length > 0) ctx.sendEagerly(node, { type: "iHave", messages });
    }
  }

  /** P2: a name whose payload does not come in time is asked for. */
  private onName(ctx: Ctx, from: NodeId, id: BroadcastId, hops: number): void {
    if (this.seen.has(id)) return;
    const holders = this.missing.get(id);
    if (holders === undefined) {
      if (this.missing.size >= this.config.missingMax) return;
      ctx.setTimer(`missing:${id}`, this.config.graftMs);
    }
    if (holders !== undefined && holders.length >= HOLDERS_MAX) return;
    this.missing.set(id, [...(holders ?? []), { node: from, hops }]);
  }

  private graftNext(ctx: Ctx, id: BroadcastId): void {
    const [holder, ...others] = this.missing.get(id) ?? [];
    if (holder === undefined) {
      this.missing.delete(id);
      return;
    }
    this.missing.set(id, others);
    ctx.setTimer(`missing:${id}`, this.config.regraftMs);
    ctx.note({ type: "grafted", id });
    this.turnEager(holder.node);
    ctx.sendEagerly(holder.node, { type: "graft", id });
  }

  private onGraft(ctx: Ctx, from: NodeId, id: BroadcastId | undefined): void {
    this.turnEager(from);
    const entry = id === undefined ? undefined : this.seen.get(id);
    if (id === undefined || entry?.payload === undefined) return;
    const { payload, hops } = entry;
    ctx.sendEagerly(from, { type: "gossip", id, payload, hops: hops + 1 });
  }

  /** Only neighbours have links. */
  private turnEager(node: NodeId): void {
    if (!this.view.active.has(node)) return;
    this.lazy.delete(node);
    this.eager.add(node);
  }

  private turnLazy(node: NodeId): void {
    if (!this.view.active.has(node)) return;
    this.eager.delete(node);
    this.lazy.add(node);
  }

  // How the view's words become this protocol's (K8).

  message(message: ViewMessage): BroadcastMessage {
    return { type: "view", message };
  }

  timer(timer: ViewTimer): BroadcastWords["Timer"] {
    return `view:${timer}`;
  }

  record(record: never): never {
    return record;
  }

  note(note: never): never {
    return note;
  }

  checkpoint(): void {}

  reply(ctx: Ctx, id: RequestId, response: ViewWords["Response"]): void {
    ctx.replyEagerly(id, response);
  }

  /** New links are part of the tree until they prove one too many. */
  output(_ctx: Ctx, change: ViewWords["Output"]): void {
    if (change.type === "neighbourUp") {
      this.eager.add(change.node);
      return;
    }
    this.eager.delete(change.node);
    this.lazy.delete(change.node);
  }
}
