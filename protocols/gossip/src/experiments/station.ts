/**
 * A gossiping node under observation: counts what it sends, and can be made
 * slow the way the Lifeguard paper (§5) does it. While a slow spell lasts, every
 * send blocks before it is sent and whatever is received waits until the end.
 * What a blocked loop would do next waits too; timers that no loop waits for,
 * those of suspicions among them, run on.
 */

import type { Context, NodeId, Position, Process, RequestId, Vocabulary } from "@quorate/kernel";

/** The words of the node observed, and two timers. */
export interface StationWords<V extends Vocabulary> extends Vocabulary {
  Message: V["Message"];
  Timer: V["Timer"] | "slow" | "well";
  Record: V["Record"];
  Request: V["Request"];
  Response: V["Response"];
  Output: V["Output"];
  Note: V["Note"];
}

/** What is sent: over a stream, or in a packet of so many bytes. */
export type SizeOf<V extends Vocabulary> = (message: V["Message"]) => number | "stream";

/** Slow for `slowMs`, then well for `wellMs`, again and again in a window of time. */
export interface Spells {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly slowMs: number;
  readonly wellMs: number;
}

/** Loops of a node that a blocked send stops: the timer that begins a turn, and those within one. */
export type Loops = { readonly [timer: string]: readonly string[] };

export class Station<V extends Vocabulary, P extends Process<V>>
  implements Process<StationWords<V>>, Context<V>
{
  readonly node: P;
  packets = 0;
  packetBytes = 0;
  streams = 0;

  private readonly sizeOf: SizeOf<V>;
  private readonly loops: Loops;
  private readonly spells: Spells | undefined;
  private slow = false;
  private outbox: (readonly [to: NodeId, message: V["Message"]])[] = [];
  private inbox: (readonly [from: NodeId, message: V["Message"]])[] = [];
  private stopped: V["Timer"][] = [];
  /** Loops that wait for a blocked send. */
  private readonly blocked: Set<string> = new Set();
  /** The loop whose handler runs, and what was lent for this step. */
  private loop = "";
  private lent: Context<StationWords<V>> | undefined;

  constructor(node: P, sizeOf: SizeOf<V>, loops: Loops = {}, spells?: Spells) {
    this.node = node;
    this.sizeOf = sizeOf;
    this.loops = loops;
    this.spells = spells;
  }

  onStart(ctx: Context<StationWords<V>>): void {
    this.lent = ctx;
    if (this.spells !== undefined) ctx.setTimer("slow", this.spells.fromMs - ctx.now);
    this.node.onStart(this);
  }

  onMessage(ctx: Context<StationWords<V>>, from: NodeId, message: V["Message"]): void {
    this.lent = ctx;
    if (this.slow) this.inbox.push([from, message]);
    else this.node.onMessage(this, from, message);
  }

  onRequest(ctx: Context<StationWords<V>>, id: RequestId, request: V["Request"]): void {
    this.lent = ctx;
    this.node.onRequest?.(this, id, request);
  }

  onTimer(ctx: Context<StationWords<V>>, timer: StationWords<V>["Timer"]): void {
    this.lent = ctx;
    if (timer === "slow") return this.onSlow(ctx);
    if (timer === "well") return this.onWell(ctx);
    const loop = this.loopOf(timer);
    if (this.slow && this.blocked.has(loop)) {
      this.stopped.push(timer);
      return;
    }
    this.loop = loop;
    this.node.onTimer?.(this, timer);
    this.loop = "";
  }

  /** The loop that a timer belongs to; `""` for one that runs on. */
  private loopOf(timer: string): string {
    if (this.loops[timer] !== undefined) return timer;
    for (const loop in this.loops) if (this.loops[loop]!.includes(timer)) return loop;
    return "";
  }

  private onSlow(ctx: Context<StationWords<V>>): void {
    const { spells } = this;
    if (spells === undefined || ctx.now >= spells.untilMs) return;
    this.slow = true;
    ctx.setTimer("well", spells.slowMs);
  }

  private onWell(ctx: Context<StationWords<V>>): void {
    const { outbox, stopped, inbox } = this;
    this.slow = false;
    this.blocked.clear();
    this.outbox = [];
    this.stopped = [];
    this.inbox = [];
    for (const [to, message] of outbox) this.sendEagerly(to, message);
    // Loops and the receiver are let go at once and race.
    let [timers, messages] = [0, 0];
    while (timers < stopped.length || messages < inbox.length) {
      const left = stopped.length - timers + (inbox.length - messages);
      if (ctx.choose(left) < stopped.length - timers) {
        this.node.onTimer?.(this, stopped[timers++]!);
      } else {
        const [from, message] = inbox[messages++]!;
        this.node.onMessage(this, from, message);
      }
    }
    ctx.setTimer("slow", this.spells?.wellMs ?? 0);
  }

  private get ctx(): Context<StationWords<V>> {
    return this.lent!; // Set at the begin of each step.
  }

  // The context that the node is lent.

  get self(): NodeId {
    return this.ctx.self;
  }

  get now(): number {
    return this.ctx.now;
  }

  send(to: NodeId, message: V["Message"]): void {
    this.sendEagerly(to, message);
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    if (this.slow) {
      if (this.loop !== "") this.blocked.add(this.loop);
      this.outbox.push([to, message]);
      return;
    }
    const size = this.sizeOf(message);
    if (size === "stream") this.streams++;
    else {
      this.packets++;
      this.packetBytes += size;
    }
    this.ctx.sendEagerly(to, message);
  }

  persist(record: V["Record"]): Position {
    return this.ctx.persist(record);
  }

  checkpoint(records: Iterable<V["Record"]>): void {
    this.ctx.checkpoint(records);
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs?: number): void {
    this.ctx.setTimer(timer, delayMs, jitterMs);
  }

  cancelTimer(timer: V["Timer"]): void {
    this.ctx.cancelTimer(timer);
  }

  reply(request: RequestId, response: V["Response"]): void {
    this.ctx.reply(request, response);
  }

  replyEagerly(request: RequestId, response: V["Response"]): void {
    this.ctx.replyEagerly(request, response);
  }

  output(value: V["Output"]): void {
    this.ctx.output(value);
  }

  outputEagerly(value: V["Output"]): void {
    this.ctx.outputEagerly(value);
  }

  note(observation: V["Note"]): void {
    this.ctx.note(observation);
  }

  choose(count: number): number {
    return this.ctx.choose(count);
  }
}
