/** Things that will happen at a node, unless called off. */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

import type { Host } from "./host.ts";
import { OUT, type Queued } from "./queue.ts";

export type Kind = "message" | "timer" | "sync" | "idle" | "request" | "unreachable";

export class Happening<V extends Vocabulary, P extends Process<V>> implements Queued<
  Happening<V, P>
> {
  at: number = OUT;
  previous: Happening<V, P> | undefined;
  next: Happening<V, P> | undefined;
  /** A paused node puts it off; a timer is set anew. */
  time: number;
  order: number;
  readonly kind: Kind;
  readonly host: Host<V, P>;
  /** Who sent the message, or who is unreachable. */
  readonly from: NodeId;
  readonly payload: unknown;
  /** A request's number; the position that a write makes durable; for a message, the number of its sender. */
  readonly number: number;
  /** The life of the node for which it is meant; 0 for messages, which find whatever life there is. */
  readonly life: number;
  /** The step that led to it. */
  cause: number;
  /** A message that takes up room on its link. */
  onLink = false;

  constructor(
    time: number,
    order: number,
    kind: Kind,
    host: Host<V, P>,
    from: NodeId,
    payload: unknown,
    number: number,
    life: number,
    cause: number,
  ) {
    this.time = time;
    this.order = order;
    this.kind = kind;
    this.host = host;
    this.from = from;
    this.payload = payload;
    this.number = number;
    this.life = life;
    this.cause = cause;
  }
}
