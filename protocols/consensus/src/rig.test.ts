/** One node of a log on a bench: what the world does to it, and what it was heard to say. */

import assert from "node:assert/strict";

import type { NodeId, Position, RequestId } from "@quorate/kernel";

import { Bench } from "./bench.test.ts";
import type { LogRequest, LogWords, OrderedLog } from "./ordered-log.ts";

type Node<L extends LogWords> = OrderedLog<L> &
  Required<Pick<OrderedLog<L>, "recover" | "onTimer" | "onRequest" | "onDurable" | "onIdle">>;

export class LogRig<
  L extends LogWords & { Message: { readonly type: string } },
  P extends Node<L>,
> extends Bench<L> {
  protected readonly node: P;
  private requests: RequestId = 0;

  constructor(node: P, records: readonly L["Record"][]) {
    super();
    this.node = node;
    for (const record of records) node.recover(record);
    node.onStart(this);
    node.onIdle(this);
  }

  // What the world does.

  hear(from: NodeId, message: L["Message"]): void {
    this.node.onMessage(this, from, message);
    this.node.onIdle(this);
  }

  fire(timer: L["Timer"]): void {
    assert.ok(this.timers.has(timer), `${timer} is armed`);
    this.timers.delete(timer);
    this.node.onTimer(this, timer);
    this.node.onIdle(this);
  }

  ask(request: LogRequest): RequestId {
    const id = ++this.requests;
    this.node.onRequest(this, id, request);
    this.node.onIdle(this);
    return id;
  }

  propose(text: string): RequestId {
    return this.ask({ type: "propose", data: new TextEncoder().encode(text) });
  }

  /** Everything written so far, or up to `position`, is on the disk. */
  sync(position: Position = this.position): void {
    this.node.onDurable(this, position);
    this.node.onIdle(this);
  }

  // What the node said.

  lastTo<T extends L["Message"]["type"]>(to: NodeId, type: T): Extract<L["Message"], { type: T }> {
    const found = this.allTo(to, type).at(-1);
    assert.ok(found !== undefined, `${type} was sent to ${to}`);
    return found;
  }

  allTo<T extends L["Message"]["type"]>(
    to: NodeId,
    type: T,
  ): readonly Extract<L["Message"], { type: T }>[] {
    // The filter leaves only messages of that type.
    return this.said
      .filter((one) => one.to === to && one.message.type === type)
      .map(({ message }) => message as Extract<L["Message"], { type: T }>);
  }
}
