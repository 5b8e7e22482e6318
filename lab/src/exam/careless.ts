/**
 * A context that passes everything on. Planted bugs extend it and change one
 * word: what is sent before it is durable, say.
 */

import type { Context, NodeId, Position, RequestId, Vocabulary } from "@quorate/kernel";

export class Careless<V extends Vocabulary> implements Context<V> {
  protected readonly ctx: Context<V>;

  constructor(ctx: Context<V>) {
    this.ctx = ctx;
  }

  get self(): NodeId {
    return this.ctx.self;
  }

  get now(): number {
    return this.ctx.now;
  }

  send(to: NodeId, message: V["Message"]): void {
    this.ctx.send(to, message);
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
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

/** Sends without waiting for the disk what should have waited for it: the messages named, or all. */
export class Hasty<V extends Vocabulary> extends Careless<V> {
  private readonly kinds: readonly string[];

  constructor(ctx: Context<V>, ...kinds: readonly string[]) {
    super(ctx);
    this.kinds = kinds;
  }

  override send(to: NodeId, message: V["Message"]): void {
    const { type } = message as { readonly type?: string }; // Messages are unions on `type`, if anything.
    if (this.kinds.length > 0 && !this.kinds.includes(type ?? "")) this.ctx.send(to, message);
    else this.ctx.sendEagerly(to, message);
  }
}
