/**
 * HyParView (Leitão, Pereira, Rodrigues, DSN 2007): each node knows a few
 * neighbours, all links both ways, and a larger sample of others to replace
 * them from. No node knows all, and yet the whole stays connected when most of
 * it fails.
 *
 * The paper notices failures by broken TCP connections. Here neighbours say now
 * and then that they are there; a driver's hint only makes it faster (K3).
 */

import {
  type Context,
  type NodeId,
  type Process,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { ViewConfig, ViewMessage, ViewTimer, ViewWords } from "./messages.ts";

type Ctx = Context<ViewWords>;

/** Silent for so many intervals is gone. */
const SILENT_INTERVALS = 3;
/** No list in a message is read further: strangers send them. */
const LIST_MAX = 64;

export class HyParView implements Process<ViewWords> {
  private readonly config: ViewConfig;
  /** Neighbours, and when each was last heard. */
  readonly active: Map<NodeId, number> = new Map();
  readonly passive: Set<NodeId> = new Set();
  /** Who was asked to be a neighbour and has not answered, and when. */
  private courted: { readonly node: NodeId; readonly at: number } | undefined;
  /** What went out with the last shuffle: the first to make room for its answer. */
  private shuffled: readonly NodeId[] = [];

  constructor(config: ViewConfig) {
    this.config = Object.freeze({ ...config });
  }

  onStart(ctx: Ctx): void {
    const { shuffleMs, keepAliveMs } = this.config;
    ctx.setTimer("shuffle", shuffleMs, shuffleMs);
    ctx.setTimer("keepAlive", keepAliveMs, keepAliveMs);
  }

  /** Joins through any member. */
  onRequest(ctx: Ctx, id: RequestId, { contact }: ViewWords["Request"]): void {
    if (contact !== ctx.self) {
      this.admit(ctx, contact);
      ctx.sendEagerly(contact, { type: "join" });
    }
    ctx.replyEagerly(id, { type: "done" });
  }

  onMessage(ctx: Ctx, from: NodeId, message: ViewMessage): void {
    if (this.active.has(from)) this.active.set(from, ctx.now);
    switch (message.type) {
      case "join":
        return this.onJoin(ctx, from);
      case "forwardJoin":
        return this.onForwardJoin(
          ctx,
          from,
          message.node,
          Math.min(message.ttl, this.config.activeWalk),
        );
      case "neighbour":
        return this.onNeighbour(ctx, from, message.urgent);
      case "neighbourAnswer":
        return this.onNeighbourAnswer(ctx, from, message.accepted);
      case "disconnect":
        if (this.drop(ctx, from)) this.remember(ctx, from);
        return this.refill(ctx);
      case "shuffle":
        return this.onShuffle(ctx, from, message);
      case "shuffleAnswer":
        for (const node of message.nodes.slice(0, LIST_MAX)) this.remember(ctx, node);
        return;
      case "keepAlive":
        // One side thinks they are neighbours and the other does not.
        if (!this.active.has(from)) ctx.sendEagerly(from, { type: "disconnect" });
        return;
      default:
        return unreachable(message);
    }
  }

  onTimer(ctx: Ctx, timer: ViewTimer): void {
    switch (timer) {
      case "shuffle":
        return this.shuffle(ctx);
      case "keepAlive":
        return this.onKeepAlive(ctx);
      case "refill":
        return this.refill(ctx);
      default:
        return unreachable(timer);
    }
  }

  /** Neighbours that seem gone are tried no longer; if alive, they come back by a shuffle. */
  onUnreachable(ctx: Ctx, node: NodeId): void {
    if (this.courted?.node === node) this.courted = undefined;
    this.passive.delete(node);
    this.drop(ctx, node);
    this.refill(ctx);
  }

  private onJoin(ctx: Ctx, newcomer: NodeId): void {
    this.admit(ctx, newcomer);
    for (const neighbour of this.active.keys()) {
      if (neighbour === newcomer) continue;
      const ttl = this.config.activeWalk;
      ctx.sendEagerly(neighbour, { type: "forwardJoin", node: newcomer, ttl });
    }
  }

  private onForwardJoin(ctx: Ctx, from: NodeId, newcomer: NodeId, ttl: number): void {
    if (newcomer === ctx.self) return;
    if (ttl <= 0 || this.active.size <= 1) {
      // The newcomer must hold the link too.
      if (!this.active.has(newcomer))
        ctx.sendEagerly(newcomer, { type: "neighbour", urgent: true });
      return this.admit(ctx, newcomer);
    }
    if (ttl === this.config.passiveWalk) this.remember(ctx, newcomer);
    const next = this.someNeighbour(ctx, from, newcomer);
    if (next === undefined) return this.admit(ctx, newcomer);
    ctx.sendEagerly(next, { type: "forwardJoin", node: newcomer, ttl: ttl - 1 });
  }

  private onNeighbour(ctx: Ctx, from: NodeId, urgent: boolean): void {
    const accepted = urgent || this.active.size < this.config.activeMax || this.active.has(from);
    if (accepted) this.admit(ctx, from);
    ctx.sendEagerly(from, { type: "neighbourAnswer", accepted });
  }

  private onNeighbourAnswer(ctx: Ctx, from: NodeId, accepted: boolean): void {
    if (this.courted?.node === from) this.courted = undefined;
    if (accepted) return this.admit(ctx, from);
    this.refill(ctx);
  }

  private onShuffle(ctx: Ctx, from: NodeId, message: ViewMessage & { type: "shuffle" }): void {
    const { origin, nodes } = message;
    const ttl = Math.min(message.ttl, this.config.activeWalk) - 1;
    const next =
      ttl > 0 && this.active.size > 1 ? this.someNeighbour(ctx, from, origin) : undefined;
    if (next !== undefined) return ctx.sendEagerly(next, { ...message, ttl });
    const answer = sample(ctx, [...this.passive], nodes.length);
    if (origin !== ctx.self) ctx.sendEagerly(origin, { type: "shuffleAnswer", nodes: answer });
    for (const node of [...nodes.slice(0, LIST_MAX), origin]) this.remember(ctx, node);
  }

  private shuffle(ctx: Ctx): void {
    const { shuffleMs, shuffleActive, shufflePassive, activeWalk } = this.config;
    ctx.setTimer("shuffle", shuffleMs, shuffleMs / 10);
    const partner = this.someNeighbour(ctx);
    if (partner === undefined) return;
    const nodes = [
      ...sample(ctx, [...this.active.keys()], shuffleActive),
      ...sample(ctx, [...this.passive], shufflePassive),
    ];
    this.shuffled = nodes;
    ctx.sendEagerly(partner, { type: "shuffle", origin: ctx.self, nodes, ttl: activeWalk });
  }

  private onKeepAlive(ctx: Ctx): void {
    const { keepAliveMs } = this.config;
    ctx.setTimer("keepAlive", keepAliveMs);
    const horizon = ctx.now - SILENT_INTERVALS * keepAliveMs;
    if (this.courted !== undefined && this.courted.at < horizon) {
      this.passive.delete(this.courted.node);
      this.courted = undefined;
    }
    for (const [node, heardAt] of this.active) {
      if (heardAt < horizon) this.drop(ctx, node);
      else ctx.sendEagerly(node, { type: "keepAlive" });
    }
    this.refill(ctx);
  }

  /** Asks one from the passive view to become a neighbour, if there is room. */
  private refill(ctx: Ctx): void {
    if (this.courted !== undefined || this.active.size >= this.config.activeMax) return;
    const candidates = [...this.passive].filter((node) => !this.active.has(node));
    if (candidates.length === 0) return;
    const node = candidates[ctx.choose(candidates.length)]!;
    this.courted = { node, at: ctx.now };
    ctx.sendEagerly(node, { type: "neighbour", urgent: this.active.size === 0 });
  }

  /** Makes a node a neighbour; another gives way if there are too many. */
  private admit(ctx: Ctx, node: NodeId): void {
    if (node === ctx.self || this.active.has(node)) return;
    if (this.active.size >= this.config.activeMax) {
      const loser = this.someNeighbour(ctx);
      if (loser !== undefined) {
        this.drop(ctx, loser);
        ctx.sendEagerly(loser, { type: "disconnect" });
        this.remember(ctx, loser);
      }
    }
    this.passive.delete(node);
    this.active.set(node, ctx.now);
    ctx.outputEagerly({ type: "neighbourUp", node });
  }

  private drop(ctx: Ctx, node: NodeId): boolean {
    if (!this.active.delete(node)) return false;
    ctx.outputEagerly({ type: "neighbourDown", node });
    return true;
  }

  /** Puts a node into the passive view; those just sent away give way first, then anyone. */
  private remember(ctx: Ctx, node: NodeId): void {
    if (node === ctx.self || this.active.has(node) || this.passive.has(node)) return;
    if (this.passive.size >= this.config.passiveMax) {
      const known = [...this.passive];
      const sent = this.shuffled.find((candidate) => this.passive.has(candidate));
      this.passive.delete(sent ?? known[ctx.choose(known.length)]!);
    }
    this.passive.add(node);
  }

  private someNeighbour(ctx: Ctx, ...except: readonly NodeId[]): NodeId | undefined {
    const candidates = [...this.active.keys()].filter((node) => !except.includes(node));
    return candidates.length === 0 ? undefined : candidates[ctx.choose(candidates.length)];
  }
}

/** Up to `count` different items. */
function sample<T>(ctx: Ctx, items: T[], count: number): readonly T[] {
  const chosen: T[] = [];
  while (items.length > 0 && chosen.length < count) {
    chosen.push(...items.splice(ctx.choose(items.length), 1));
  }
  return chosen;
}
