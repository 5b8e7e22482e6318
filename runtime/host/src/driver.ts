/**
 * Runs one process for real: a driver of the kernel's contract over the node's
 * shared log, transport and clock. One step at a time; effects that must wait
 * for the disk are held in order and released by the sync that covers them.
 */

import {
  type Codec,
  type Context,
  type NodeId,
  type Position,
  type Process,
  type RequestId,
  type Vocabulary,
  Writer,
} from "@quorate/kernel";

import { Timers } from "./timers.ts";
import type { Turn } from "./turn.ts";

/** The part of a write-ahead log that a driver needs. */
export interface SharedLog {
  /**
   * Copies a record into the next batch, and what is recovered instead if the disk loses it; an empty
   * one stands for none. Returns its place in the order of all groups' records.
   */
  append(group: number, record: Uint8Array, standIn?: Uint8Array): number;
  /** Writes the batch, unless one is being written. */
  flush(): void;
  /** Replaces the records of a group so far. */
  checkpoint(group: number, records: Iterable<Uint8Array>): void;
}

/** The part of a transport that a driver needs. */
export interface SharedTransport {
  send<M>(to: NodeId, group: number, codec: Codec<M>, message: M): void;
}

export interface DriverOptions<V extends Vocabulary> {
  readonly self: NodeId;
  /** Tells processes of one node apart, in the log and on the wire. */
  readonly group: number;
  readonly process: Process<V>;
  readonly messages: Codec<V["Message"]>;
  readonly records: Codec<V["Record"]>;
  /** What is recovered in the place of a record that the disk has lost. Left out: it is missed. */
  readonly standIn?: (record: V["Record"]) => V["Record"] | undefined;
  readonly log: SharedLog;
  readonly transport: SharedTransport;
  readonly turn: Turn;
  readonly onOutput: (value: V["Output"]) => void;
  readonly onNote: (note: V["Note"]) => void;
  /** The process broke a promise to itself: the node must stop rather than lie. */
  readonly onFatal: (error: unknown) => void;
  /** What those are told whose request will never be answered: the outcome is unknown. */
  readonly stopped: V["Response"];
}

/** An effect that waits for the disk. */
interface Held<V extends Vocabulary> {
  readonly position: Position;
  readonly kind: "send" | "reply" | "output";
  readonly to: NodeId;
  readonly request: RequestId;
  readonly value: V["Message"] | V["Response"] | V["Output"];
}

export class Driver<V extends Vocabulary> implements Context<V> {
  readonly self: NodeId;
  now = 0;

  private readonly options: DriverOptions<V>;
  private readonly timers: Timers<V["Timer"]>;
  private readonly writer = new Writer();
  private readonly aside = new Writer();
  private readonly asked = new Map<RequestId, (response: V["Response"]) => void>();
  private requests: RequestId = 0;
  private persisted: Position = 0;
  private durable: Position = 0;
  /** Places in the shared log of the records that are not durable yet. */
  private places: number[] = [];
  private held: Held<V>[] = [];
  private idleDue = false;
  private running = false;
  /** A step or a release is under way: what its effects ask for must wait until it is over (K1, K4). */
  private busy = false;
  private draining = false;
  private readonly waiting: { readonly id: RequestId; readonly request: V["Request"] }[] = [];
  private stopped = false;
  private readonly idle = (): void => this.onIdle();

  constructor(options: DriverOptions<V>) {
    this.options = options;
    this.self = options.self;
    this.timers = new Timers((timer) => this.step((process) => process.onTimer?.(this, timer)));
  }

  /** Rebuilds the process from one record of the log. Before {@link start}. */
  recover(record: V["Record"]): void {
    this.options.process.recover?.(record);
  }

  start(): void {
    this.running = true;
    this.step((process) => process.onStart(this));
  }

  /** Like {@link stop}, but nobody hears of it: what a crash does. */
  abandon(): void {
    this.running = false;
    this.stopped = true;
    this.timers.clear();
    this.held = [];
    this.waiting.length = 0;
  }

  /** No step is taken, no effect released and no timer fires from now on. */
  stop(): void {
    this.abandon();
    for (const id of this.asked.keys()) this.answer(id, this.options.stopped);
  }

  /** Asks the process; `onResponse` is called once. */
  request(request: V["Request"], onResponse: (response: V["Response"]) => void): void {
    if (!this.running) return onResponse(this.options.stopped);
    const id = ++this.requests;
    this.asked.set(id, onResponse);
    if (this.busy) this.waiting.push({ id, request });
    else this.ask(id, request);
  }

  private ask(id: RequestId, request: V["Request"]): void {
    this.begin();
    try {
      this.options.process.onRequest?.(this, id, request);
    } catch (error) {
      this.fail(error);
    }
    this.end();
  }

  receive(from: NodeId, message: V["Message"]): void {
    if (!this.running) return;
    this.begin();
    try {
      this.options.process.onMessage(this, from, message);
    } catch (error) {
      this.fail(error);
    }
    this.end();
  }

  unreachable(peer: NodeId): void {
    this.step((process) => process.onUnreachable?.(this, peer));
  }

  /** The shared log is durable up to and including `place`. */
  onDurable(place: number): void {
    const { places } = this;
    let count = 0;
    while (count < places.length && places[count]! <= place) count++;
    if (count === 0 || this.stopped) return;
    places.splice(0, count);
    this.durable += count;
    this.busy = true;
    this.release();
    this.end();
    this.step((process) => process.onDurable?.(this, this.durable));
  }

  send(to: NodeId, message: V["Message"]): void {
    if (this.durable === this.persisted) this.transmit(to, message);
    else this.hold("send", to, 0, message);
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.transmit(to, message);
  }

  persist(record: V["Record"]): Position {
    const { writer, aside, options } = this;
    writer.length = 0;
    aside.length = 0;
    options.records.write(writer, record);
    const standIn = options.standIn?.(record);
    if (standIn !== undefined) options.records.write(aside, standIn);
    this.places.push(options.log.append(options.group, writer.view(), aside.view()));
    return ++this.persisted;
  }

  checkpoint(records: Iterable<V["Record"]>): void {
    this.options.log.checkpoint(
      this.options.group,
      new EncodedRecords(this.options.records, records),
    );
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs: number = 0): void {
    this.timers.set(timer, jitterMs === 0 ? delayMs : delayMs + Math.random() * jitterMs);
  }

  cancelTimer(timer: V["Timer"]): void {
    this.timers.cancel(timer);
  }

  reply(request: RequestId, response: V["Response"]): void {
    if (this.durable === this.persisted) this.answer(request, response);
    else this.hold("reply", "", request, response);
  }

  replyEagerly(request: RequestId, response: V["Response"]): void {
    this.answer(request, response);
  }

  output(value: V["Output"]): void {
    if (this.durable === this.persisted) this.options.onOutput(value);
    else this.hold("output", "", 0, value);
  }

  outputEagerly(value: V["Output"]): void {
    this.options.onOutput(value);
  }

  note(observation: V["Note"]): void {
    this.options.onNote(observation);
  }

  choose(count: number): number {
    return Math.floor(Math.random() * count);
  }

  private step(run: (process: Process<V>) => void): void {
    if (!this.running) return;
    this.begin();
    try {
      run(this.options.process);
    } catch (error) {
      this.fail(error);
    }
    this.end();
  }

  private begin(): void {
    this.busy = true;
    this.now = performance.now();
    if (this.idleDue) return;
    this.idleDue = true;
    this.options.turn.whenDrained(this.idle);
  }

  /** A step is over: now come the requests that its effects led to. */
  private end(): void {
    this.busy = false;
    const { waiting } = this;
    if (waiting.length === 0 || this.draining) return;
    this.draining = true;
    // Each may lead to more, which join the queue.
    for (let i = 0; i < waiting.length && this.running; i++) {
      this.ask(waiting[i]!.id, waiting[i]!.request);
    }
    waiting.length = 0;
    this.draining = false;
  }

  private onIdle(): void {
    this.idleDue = false;
    if (!this.running) return;
    this.busy = true;
    this.now = performance.now();
    try {
      this.options.process.onIdle?.(this);
    } catch (error) {
      this.fail(error);
    }
    if (this.places.length > 0) this.options.log.flush();
    this.end();
  }

  private fail(error: unknown): void {
    this.stop();
    this.options.onFatal(error);
  }

  private hold(
    kind: Held<V>["kind"],
    to: NodeId,
    request: RequestId,
    value: Held<V>["value"],
  ): void {
    this.held.push({ position: this.persisted, kind, to, request, value });
  }

  private release(): void {
    const { held, durable } = this;
    let count = 0;
    while (count < held.length && held[count]!.position <= durable) count++;
    // Taken out first: an effect may lead to another step, which may hold more.
    for (const effect of held.splice(0, count)) {
      if (effect.kind === "send") this.transmit(effect.to, effect.value);
      else if (effect.kind === "reply") this.answer(effect.request, effect.value);
      else this.options.onOutput(effect.value);
    }
  }

  private transmit(to: NodeId, message: V["Message"]): void {
    if (this.stopped) return;
    if (to === this.self) setImmediate(() => this.receive(to, message));
    else this.options.transport.send(to, this.options.group, this.options.messages, message);
  }

  private answer(request: RequestId, response: V["Response"]): void {
    const onResponse = this.asked.get(request);
    if (onResponse === undefined) return;
    this.asked.delete(request);
    onResponse(response);
  }
}

/** Records in their encoding, made when they are asked for. What is yielded is valid until the next. */
class EncodedRecords<T> implements IterableIterator<Uint8Array> {
  private readonly codec: Codec<T>;
  private readonly records: Iterator<T>;
  private readonly writer = new Writer();

  constructor(codec: Codec<T>, records: Iterable<T>) {
    this.codec = codec;
    this.records = records[Symbol.iterator]();
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Uint8Array> {
    const { done, value } = this.records.next();
    if (done === true) return { done: true, value: undefined };
    this.writer.length = 0;
    this.codec.write(this.writer, value);
    return { done: false, value: this.writer.view() };
  }

  /** Passed on even if nothing was ever asked for, so that what the records hold on to is given back. */
  return(): IteratorResult<Uint8Array> {
    this.records.return?.();
    return { done: true, value: undefined };
  }
}
