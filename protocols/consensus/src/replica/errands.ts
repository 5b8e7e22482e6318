/**
 * What only a leader can do for somebody on another node: changes of membership,
 * transfers of leadership, seals. The question travels to the leader and the
 * answer back; if either is lost, or the leader with it, the outcome is unknown.
 */

import type { Context, NodeId, RequestId } from "@quorate/kernel";

import type { LogResponse, LogWords } from "../ordered-log.ts";
import type { Replica } from "./replica.ts";
import type { Errand, ErrandAnswer, PlainMessage, ReplicaWords } from "./words.ts";

type Ctx<L extends LogWords, R> = Context<ReplicaWords<L, R>>;

/** Whose question the log was asked. */
type Asker =
  | { readonly type: "local"; readonly id: RequestId }
  | {
      readonly type: "peer";
      readonly node: NodeId;
      readonly epoch: number;
      readonly number: number;
    };

/** Questions of others on their way through this node's log; more are left unanswered. */
const MAX_ASKED = 1000;

export class Errands {
  /** By the number of the request to the log. */
  private readonly asked: Map<RequestId, Asker> = new Map();
  /** Sent to the leader, by number. */
  private readonly sent: Map<number, RequestId> = new Map();
  private numbers = 0;

  /** Somebody here asks. */
  ask<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    id: RequestId,
    request: Errand,
  ): void {
    const { leader, epoch } = replica;
    if (leader === undefined || leader === ctx.self) {
      return this.pass(ctx, replica, request, { type: "local", id });
    }
    const number = ++this.numbers;
    this.sent.set(number, id);
    ctx.sendEagerly(leader, { type: "errand", epoch, number, request });
  }

  /** Another node asks. */
  onErrand<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    node: NodeId,
    { epoch, number, request }: Extract<PlainMessage, { type: "errand" }>,
  ): void {
    if (this.asked.size >= MAX_ASKED) return;
    this.pass(ctx, replica, request, { type: "peer", node, epoch, number });
  }

  private pass<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    request: Errand,
    asker: Asker,
  ): void {
    const id = replica.nextRequest();
    this.asked.set(id, asker);
    replica.askLog(ctx, id, request);
  }

  /** The log answered. Returns whether that was to an errand. */
  settle<L extends LogWords, R>(ctx: Ctx<L, R>, id: RequestId, response: LogResponse): boolean {
    const asker = this.asked.get(id);
    if (asker === undefined) return false;
    this.asked.delete(id);
    // The log answers errands with nothing else.
    const answer = response as ErrandAnswer;
    if (asker.type === "local") ctx.reply(asker.id, answer);
    else {
      const { node, epoch, number } = asker;
      ctx.send(node, { type: "errandDone", epoch, number, answer });
    }
    return true;
  }

  /** The leader answered. */
  onErrandDone<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    { epoch, number, answer }: Extract<PlainMessage, { type: "errandDone" }>,
  ): void {
    const id = this.sent.get(number);
    if (id === undefined || epoch !== replica.epoch) return;
    this.sent.delete(number);
    ctx.reply(id, answer);
  }

  /** Another leads, or nobody: what was sent may have been done, or not. */
  abandon<L extends LogWords, R>(ctx: Ctx<L, R>, leader: NodeId | undefined): void {
    for (const id of this.sent.values()) {
      ctx.reply(id, { type: "rejected", reason: "lostLeadership", leader, definite: false });
    }
    this.sent.clear();
  }
}
