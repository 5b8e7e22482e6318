/**
 * One node of a transcript: a disk that can be held back, timers that fire when
 * told, a clock of its own. Another driver of the kernel's contract, in which
 * nothing happens by itself.
 */

import {
  type Context,
  freeze,
  invariant,
  type NodeId,
  type Position,
  type Process,
  type RequestId,
  type Vocabulary,
} from "@quorate/kernel";

import type { Language } from "./language.ts";
import type { Trace } from "./trace.ts";

/** An effect that waits for the disk. */
interface Held {
  readonly position: Position;
  readonly text: string;
  readonly release: () => void;
}

/** What a node needs of the world around it. */
export interface Around<V extends Vocabulary, P extends Process<V>> {
  readonly language: Language<V, P>;
  readonly trace: Trace;
  transmit(from: NodeId, to: NodeId, message: V["Message"], mark: string): void;
}

/** How an effect reads that waits for the disk, and one that does not. */
const DURABLY = "->";
const EAGERLY = "~>";

export class TranscriptNode<V extends Vocabulary, P extends Process<V>> implements Context<V> {
  readonly self: NodeId;
  now = 0;
  process: P | undefined;

  /** Writes wait for `sync`; otherwise they complete at the end of each step. */
  holding = false;
  /** Inputs are followed by others at once: `onIdle` waits for `idle`. */
  busy = false;
  /** Checkpoints are never completed. */
  losing = false;
  /** What `choose` returns next; 0 when empty. */
  choices: number[] = [];

  private checkpointed: readonly V["Record"][] = [];
  private records: V["Record"][] = [];
  private base: Position = 0;
  private persisted: Position = 0;
  private durable: Position = 0;
  private held: Held[] = [];
  private readonly timers: Map<V["Timer"], number> = new Map();
  private readonly around: Around<V, P>;

  constructor(self: NodeId, around: Around<V, P>) {
    this.self = self;
    this.around = around;
  }

  // Life.

  start(process: P): void {
    const { trace, language } = this.around;
    for (const record of [...this.checkpointed, ...this.records]) {
      trace.effect(`reads ${language.record(record)}`);
      process.recover?.(record);
    }
    this.process = process;
    process.onStart(this);
    this.settle();
  }

  /** What the disk had not finished is gone, and so is everything that waited for it. */
  crash(): void {
    const { trace, language } = this.around;
    for (const record of this.records.slice(this.durable - this.base)) {
      trace.effect(`loses ${language.record(record)}`);
    }
    for (const { text } of this.held) trace.effect(`never says ${text}`);
    this.process = undefined;
    this.records.length = this.durable - this.base;
    this.persisted = this.durable;
    this.held = [];
    this.timers.clear();
  }

  wipe(): void {
    invariant(this.process === undefined, "only a stopped node is wiped");
    this.checkpointed = [];
    this.records = [];
    this.base = this.persisted = this.durable = 0;
  }

  /** Fires an armed timer, moving the clock on to when it is due. Returns false if it is not armed. */
  fire(timer: V["Timer"]): boolean {
    const due = this.timers.get(timer);
    if (due === undefined) return false;
    this.now = Math.max(this.now, due);
    this.timers.delete(timer);
    return true;
  }

  get armed(): readonly V["Timer"][] {
    return [...this.timers.keys()];
  }

  /** The end of a step: lets the process act on what it gathered, and the disk do its work. */
  settle(): void {
    if (!this.busy) this.process?.onIdle?.(this);
    while (!this.holding && this.durable < this.persisted) this.sync(Infinity);
  }

  get unsynced(): number {
    return this.persisted - this.durable;
  }

  /** The first `count` records of those that wait reach the disk. */
  sync(count: number): void {
    this.durable = Math.min(this.persisted, this.durable + count);
    let released = 0;
    while (released < this.held.length && this.held[released]!.position <= this.durable) released++;
    for (const { release } of this.held.splice(0, released)) release();
    this.process?.onDurable?.(this, this.durable);
    if (!this.busy) this.process?.onIdle?.(this);
  }

  // What the process may do.

  send(to: NodeId, message: V["Message"]): void {
    const release = () => this.around.transmit(this.self, to, freeze(message), DURABLY);
    if (!this.waits) return release();
    const text = this.around.language.message(message);
    if (this.holding) this.around.trace.send(`waits ${DURABLY}`, to, text);
    this.held.push({ position: this.persisted, text: `${DURABLY} ${to}: ${text}`, release });
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.around.transmit(this.self, to, freeze(message), EAGERLY);
  }

  persist(record: V["Record"]): Position {
    this.around.trace.effect(`disk ${this.around.language.record(record)}`);
    this.records.push(freeze(record));
    return ++this.persisted;
  }

  checkpoint(records: Iterable<V["Record"]>): void {
    const { trace, language } = this.around;
    const replacement = [...records].map((record) => freeze(record));
    for (const record of replacement) trace.effect(`checkpoint ${language.record(record)}`);
    if (this.losing) return trace.effect("the checkpoint is lost");
    const position = this.persisted;
    this.say("checkpoint done", () => {
      this.records.splice(0, position - this.base);
      this.base = position;
      this.checkpointed = replacement;
    });
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs: number = 0): void {
    this.timers.set(timer, this.now + delayMs);
    const range = jitterMs === 0 ? `${delayMs}` : `${delayMs}..${delayMs + jitterMs}`;
    this.around.trace.effect(`timer ${timer} in ${range}`);
  }

  cancelTimer(timer: V["Timer"]): void {
    if (this.timers.delete(timer)) this.around.trace.effect(`timer ${timer} off`);
  }

  reply(request: RequestId, response: V["Response"]): void {
    this.say(`reply ${request}: ${this.around.language.response(response)}`, () => {});
  }

  replyEagerly(request: RequestId, response: V["Response"]): void {
    this.around.trace.effect(`reply~ ${request}: ${this.around.language.response(response)}`);
  }

  output(value: V["Output"]): void {
    this.say(`out ${this.around.language.output(value)}`, () => {});
  }

  outputEagerly(value: V["Output"]): void {
    this.around.trace.effect(`out~ ${this.around.language.output(value)}`);
  }

  note(observation: V["Note"]): void {
    this.around.trace.effect(`note ${this.around.language.note(observation)}`);
  }

  choose(count: number): number {
    const choice = this.choices.shift() ?? 0;
    invariant(choice < count, "a script chooses among the choices there are");
    this.around.trace.effect(`choose ${choice} of ${count}`);
    return choice;
  }

  private get waits(): boolean {
    return this.durable < this.persisted;
  }

  /** Says `text` when it takes effect; a disk that is held back shows that it waits, too. */
  private say(text: string, release: () => void): void {
    const spoken = () => {
      this.around.trace.effect(text);
      release();
    };
    if (!this.waits) return spoken();
    if (this.holding) this.around.trace.effect(`waits ${text}`);
    this.held.push({ position: this.persisted, text, release: spoken });
  }
}
