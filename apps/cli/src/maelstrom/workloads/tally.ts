/**
 * A counter that goes up and down (Shapiro et al. 2011, specification 7): each
 * node counts its own additions and subtractions, and learns those of the others
 * by taking the greater of two counts, so that nothing is counted twice.
 */

import type { Context, NodeId, Process, RequestId, Speaks } from "@quorate/kernel";

/** By node: how much it added and how much it took away. */
export type Counts = Readonly<Record<NodeId, readonly [up: number, down: number]>>;

export type TallyRequest =
  | { readonly type: "add"; readonly delta: number }
  | { readonly type: "read" };

export type TallyWords = Speaks<{
  Message: Counts;
  Timer: "gossip";
  Request: TallyRequest;
  Response: number;
}>;

type Ctx = Context<TallyWords>;

const GOSSIP_MS = 200;

export class Tally implements Process<TallyWords> {
  private readonly counts: Map<NodeId, readonly [up: number, down: number]> = new Map();
  private changed = false;
  private readonly peers: readonly NodeId[];

  constructor(peers: readonly NodeId[]) {
    this.peers = Object.freeze([...peers]);
  }

  onStart(ctx: Ctx): void {
    ctx.setTimer("gossip", GOSSIP_MS, GOSSIP_MS);
  }

  onRequest(ctx: Ctx, id: RequestId, request: TallyRequest): void {
    if (request.type === "add") {
      const [up, down] = this.counts.get(ctx.self) ?? [0, 0];
      const { delta } = request;
      this.counts.set(ctx.self, delta > 0 ? [up + delta, down] : [up, down - delta]);
      this.changed = true;
    }
    let total = 0;
    for (const [up, down] of this.counts.values()) total += up - down;
    ctx.reply(id, total);
  }

  onMessage(_ctx: Ctx, _from: NodeId, counts: Counts): void {
    for (const [node, [up, down]] of Object.entries(counts)) {
      const [knownUp, knownDown] = this.counts.get(node) ?? [0, 0];
      this.counts.set(node, [Math.max(up, knownUp), Math.max(down, knownDown)]);
    }
  }

  onTimer(ctx: Ctx): void {
    // Also what has not changed: an earlier message may have been lost.
    this.gossip(ctx);
    ctx.setTimer("gossip", GOSSIP_MS, GOSSIP_MS);
  }

  onIdle(ctx: Ctx): void {
    if (this.changed) this.gossip(ctx);
    this.changed = false;
  }

  private gossip(ctx: Ctx): void {
    const counts: Counts = Object.fromEntries(this.counts);
    for (const node of this.peers) ctx.send(node, counts);
  }
}
