/**
 * One node's world on a bench: a test speaks for everybody else, and sees all
 * that the node says and writes. Its disk does nothing by itself.
 */

import assert from "node:assert/strict";

import type { Context, NodeId, Position, RequestId } from "@quorate/kernel";

import type { LogWords } from "./ordered-log.ts";

export interface Said<L extends LogWords> {
  readonly to: NodeId;
  readonly message: L["Message"] & { readonly type: string };
  readonly eager: boolean;
  /** How much had been persisted when it was said. */
  readonly after: Position;
}

export class Bench<L extends LogWords> implements Context<L> {
  readonly self: NodeId = "a";
  now = 0;
  said: Said<L>[] = [];
  records: L["Record"][] = [];
  answers: Map<RequestId, L["Response"]> = new Map();
  outputs: L["Output"][] = [];
  notes: L["Note"][] = [];
  timers: Map<L["Timer"], readonly [delayMs: number, jitterMs: number]> = new Map();
  protected position: Position = 0;

  get written(): Position {
    return this.position;
  }

  /** Forgets what was said and written until now. */
  clear(): void {
    this.said = [];
    this.records = [];
    this.outputs = [];
    this.notes = [];
  }

  committed(): readonly string[] {
    return this.outputs.flatMap((output) =>
      output.type === "committed" ? output.entries.map(({ kind, term }) => `${kind}@${term}`) : [],
    );
  }

  send(to: NodeId, message: L["Message"]): void {
    this.say(to, message, false);
  }
  sendEagerly(to: NodeId, message: L["Message"]): void {
    this.say(to, message, true);
  }
  private say(to: NodeId, message: L["Message"], eager: boolean): void {
    // Messages are unions on `type`.
    const typed = message as L["Message"] & { readonly type: string };
    this.said.push({ to, message: typed, eager, after: this.position });
  }
  persist(record: L["Record"]): Position {
    this.records.push(record);
    return ++this.position;
  }
  checkpoint(): void {
    assert.fail("a log offers no checkpoints of its own");
  }
  setTimer(timer: L["Timer"], delayMs: number, jitterMs: number = 0): void {
    this.timers.set(timer, [delayMs, jitterMs]);
  }
  cancelTimer(timer: L["Timer"]): void {
    this.timers.delete(timer);
  }
  reply(id: RequestId, response: L["Response"]): void {
    assert.ok(!this.answers.has(id), "a request is answered once");
    this.answers.set(id, response);
  }
  replyEagerly(id: RequestId, response: L["Response"]): void {
    this.reply(id, response);
  }
  output(value: L["Output"]): void {
    this.outputs.push(value);
  }
  outputEagerly(value: L["Output"]): void {
    this.outputs.push(value);
  }
  note(note: L["Note"]): void {
    this.notes.push(note);
  }
  choose(): number {
    return 0;
  }
}
