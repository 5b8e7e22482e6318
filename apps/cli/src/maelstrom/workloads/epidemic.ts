/**
 * A set that only grows, spread as a rumour (Demers et al. 1987): what is new is
 * sent to every neighbour, again and again until it says that it has it. Carries
 * the workloads `broadcast` and `g-set`.
 */

import type { Context, NodeId, Process, RequestId, Speaks } from "@quorate/kernel";

/** Elements as JSON texts, which compare. */
export type EpidemicMessage =
  | { readonly type: "rumour"; readonly elements: readonly string[] }
  /** The sender has these. */
  | { readonly type: "known"; readonly elements: readonly string[] };

export type EpidemicRequest =
  | { readonly type: "add"; readonly element: string }
  | { readonly type: "read" };

export type EpidemicWords = Speaks<{
  Message: EpidemicMessage;
  Timer: "again";
  Request: EpidemicRequest;
  Response: readonly string[];
}>;

type Ctx = Context<EpidemicWords>;

const AGAIN_MS = 200;
/** Elements in one message. */
const MOST = 1_000;

export class Epidemic implements Process<EpidemicWords> {
  private readonly elements: Set<string> = new Set();
  /** By neighbour: what it may not have yet. */
  private readonly missing: Map<NodeId, Set<string>> = new Map();
  /** By neighbour: what it has not been sent a first time. */
  private readonly fresh: Map<NodeId, Set<string>> = new Map();
  private readonly neighbours: readonly NodeId[];

  constructor(neighbours: readonly NodeId[]) {
    this.neighbours = Object.freeze([...neighbours]);
    for (const node of neighbours) {
      this.missing.set(node, new Set());
      this.fresh.set(node, new Set());
    }
  }

  onStart(ctx: Ctx): void {
    ctx.setTimer("again", AGAIN_MS, AGAIN_MS);
  }

  onRequest(ctx: Ctx, id: RequestId, request: EpidemicRequest): void {
    if (request.type === "add") this.learn(request.element, undefined);
    ctx.reply(id, request.type === "add" ? [] : [...this.elements]);
  }

  onMessage(ctx: Ctx, from: NodeId, { type, elements }: EpidemicMessage): void {
    const missing = this.missing.get(from);
    for (const element of elements) {
      missing?.delete(element);
      if (type === "rumour") this.learn(element, from);
    }
    if (type === "rumour") ctx.send(from, { type: "known", elements });
  }

  onTimer(ctx: Ctx): void {
    for (const node of this.neighbours) tell(ctx, node, this.missing.get(node)!);
    ctx.setTimer("again", AGAIN_MS, AGAIN_MS);
  }

  onIdle(ctx: Ctx): void {
    for (const node of this.neighbours) {
      const fresh = this.fresh.get(node)!;
      tell(ctx, node, fresh);
      fresh.clear();
    }
  }

  private learn(element: string, from: NodeId | undefined): void {
    if (this.elements.has(element)) return;
    this.elements.add(element);
    for (const node of this.neighbours) {
      if (node === from) continue;
      this.missing.get(node)!.add(element);
      this.fresh.get(node)!.add(element);
    }
  }
}

function tell(ctx: Ctx, node: NodeId, elements: ReadonlySet<string>): void {
  const all = [...elements];
  for (let at = 0; at < all.length; at += MOST) {
    ctx.send(node, { type: "rumour", elements: all.slice(at, at + MOST) });
  }
}
