/** Lets a process be built out of smaller ones. */

import type { Context, NodeId, Position, RequestId, Vocabulary } from "./process.ts";

/**
 * How the words of a part become words of the whole. The whole implements it
 * with methods: a closure in a field would still mean the original after a copy.
 */
export interface Embedding<Whole extends Vocabulary, Part extends Vocabulary> {
  message(message: Part["Message"]): Whole["Message"];
  timer(timer: Part["Timer"]): Whole["Timer"];
  record(record: Part["Record"]): Whole["Record"];
  /** The part's outputs and replies go to the whole, at once: no disk lies between. */
  output(ctx: Context<Whole>, value: Part["Output"]): void;
  reply(ctx: Context<Whole>, id: RequestId, response: Part["Response"]): void;
  note(observation: Part["Note"]): Whole["Note"];
  /** Completes a part's checkpoint with the records of the rest of the whole. */
  checkpoint(ctx: Context<Whole>, records: Iterable<Part["Record"]>): void;
}

/** A context for a part, good for as long as the one it is made from. */
export class Embedded<Whole extends Vocabulary, Part extends Vocabulary> implements Context<Part> {
  private readonly ctx: Context<Whole>;
  private readonly how: Embedding<Whole, Part>;

  constructor(ctx: Context<Whole>, how: Embedding<Whole, Part>) {
    this.ctx = ctx;
    this.how = how;
  }

  get self(): NodeId {
    return this.ctx.self;
  }

  get now(): number {
    return this.ctx.now;
  }

  send(to: NodeId, message: Part["Message"]): void {
    this.ctx.send(to, this.how.message(message));
  }

  sendEagerly(to: NodeId, message: Part["Message"]): void {
    this.ctx.sendEagerly(to, this.how.message(message));
  }

  persist(record: Part["Record"]): Position {
    return this.ctx.persist(this.how.record(record));
  }

  setTimer(timer: Part["Timer"], delayMs: number, jitterMs?: number): void {
    this.ctx.setTimer(this.how.timer(timer), delayMs, jitterMs);
  }

  cancelTimer(timer: Part["Timer"]): void {
    this.ctx.cancelTimer(this.how.timer(timer));
  }

  checkpoint(records: Iterable<Part["Record"]>): void {
    this.how.checkpoint(this.ctx, records);
  }

  reply(id: RequestId, response: Part["Response"]): void {
    this.how.reply(this.ctx, id, response);
  }

  /** Between part and whole lies no disk, so the two forms are one (K8). */
  replyEagerly(id: RequestId, response: Part["Response"]): void {
    this.how.reply(this.ctx, id, response);
  }

  output(value: Part["Output"]): void {
    this.how.output(this.ctx, value);
  }

  outputEagerly(value: Part["Output"]): void {
    this.how.output(this.ctx, value);
  }

  note(observation: Part["Note"]): void {
    this.ctx.note(this.how.note(observation));
  }

  choose(count: number): number {
    return this.ctx.choose(count);
  }
}
