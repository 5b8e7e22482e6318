/**
 * Runs a cluster of processes in virtual time, from one seed: latency, loss,
 * duplication, partitions, disks that lose what was not synced, crashes.
 *
 * The first of the lab's drivers of the kernel's contract. The same seed gives
 * the same run on every engine: integer time, one generator, ties broken by
 * order of scheduling.
 */

import {
  type Context,
  freeze,
  invariant,
  type NodeId,
  type Position,
  type Process,
  Random,
  type RequestId,
  type Vocabulary,
} from "@quorate/kernel";

import { EventQueue, type Queued } from "./simulator/queue.ts";

export interface SimulationOptions<V extends Vocabulary, P extends Process<V>> {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  readonly create: (id: NodeId) => P;
  /** Message delay, uniform in `[min, max]` milliseconds. */
  readonly latencyMs?: readonly [min: number, max: number];
  /** Of 1,000 messages, how many are lost. */
  readonly lossPermille?: number;
  /** Of 1,000 messages, how many arrive twice. */
  readonly duplicatePermille?: number;
  /** Disk flush time, uniform in `[min, max]` milliseconds. */
  readonly syncMs?: readonly [min: number, max: number];
  /** Of 1,000 checkpoints, how many are never completed. */
  readonly lostCheckpointPermille?: number;
  /** Tell the other nodes, now and then, that a crashed one is unreachable. */
  readonly hints?: boolean;
  /** Deep-freeze messages and records, to catch protocols that mutate them. */
  readonly freeze?: boolean;
  readonly onNote?: (node: NodeId, note: V["Note"]) => void;
  readonly onOutput?: (node: NodeId, output: V["Output"]) => void;
}

type Kind = "message" | "timer" | "sync" | "request" | "unreachable";

/** Something that will happen at a node, unless called off. */
class Happening<V extends Vocabulary, P extends Process<V>> implements Queued {
  at = -1;
  readonly time: number;
  readonly order: number;
  readonly kind: Kind;
  readonly host: Host<V, P>;
  readonly from: NodeId;
  readonly payload: unknown;
  readonly number: number;

  constructor(
    time: number,
    order: number,
    kind: Kind,
    host: Host<V, P>,
    from: NodeId,
    payload: unknown,
    number: number,
  ) {
    this.time = time;
    this.order = order;
    this.kind = kind;
    this.host = host;
    this.from = from;
    this.payload = payload;
    this.number = number;
  }
}

/** A node and its corner of the world: its disk, its timers, its clock. */
class Host<V extends Vocabulary, P extends Process<V>> implements Context<V> {
  readonly self: NodeId;
  now = 0;
  process: P | undefined;

  /** The disk: a checkpoint's records, and those after it. Records past `durable` vanish in a crash. */
  checkpointed: readonly V["Record"][] = [];
  records: V["Record"][] = [];
  /** Position of the last record that the checkpoint replaces. */
  base: Position = 0;
  persisted: Position = 0;
  durable: Position = 0;
  syncing = false;

  /** Effects waiting for the disk, oldest first. */
  held: { readonly position: Position; readonly release: () => void }[] = [];
  timers: Map<V["Timer"], Happening<V, P>> = new Map();

  private readonly world: Simulation<V, P>;

  constructor(self: NodeId, world: Simulation<V, P>) {
    this.self = self;
    this.world = world;
  }

  send(to: NodeId, message: V["Message"]): void {
    this.hold(() => this.world.transmit(this.self, to, message));
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.world.transmit(this.self, to, message);
  }

  persist(record: V["Record"]): Position {
    this.records.push(this.world.frozen(record));
    return ++this.persisted;
  }

  /**
   * Completed once everything persisted so far is durable, unless a crash or
   * chance prevents it: recovery must not care.
   */
  checkpoint(records: Iterable<V["Record"]>): void {
    const replacement = [...records].map((record) => this.world.frozen(record));
    const position = this.persisted;
    if (this.world.losesCheckpoint()) return;
    this.hold(() => {
      this.records.splice(0, position - this.base);
      this.base = position;
      this.checkpointed = replacement;
    });
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs: number = 0): void {
    this.cancelTimer(timer);
    const delay = jitterMs === 0 ? delayMs : delayMs + this.world.random.below(jitterMs + 1);
    this.timers.set(timer, this.world.schedule(delay, "timer", this, this.self, timer, 0));
  }

  cancelTimer(timer: V["Timer"]): void {
    const armed = this.timers.get(timer);
    if (armed === undefined) return;
    this.world.callOff(armed);
    this.timers.delete(timer);
  }

  reply(request: RequestId, response: V["Response"]): void {
    this.hold(() => this.world.answer(request, response));
  }

  replyEagerly(request: RequestId, response: V["Response"]): void {
    this.world.answer(request, response);
  }

  output(value: V["Output"]): void {
    this.hold(() => this.world.options.onOutput?.(this.self, value));
  }

  outputEagerly(value: V["Output"]): void {
    this.world.options.onOutput?.(this.self, value);
  }

  note(observation: V["Note"]): void {
    this.world.options.onNote?.(this.self, observation);
  }

  choose(count: number): number {
    return this.world.random.below(count);
  }

  private hold(release: () => void): void {
    if (this.durable === this.persisted) release();
    else this.held.push({ position: this.persisted, release });
  }
}

export class Simulation<V extends Vocabulary, P extends Process<V>> {
  now = 0;
  steps = 0;
  readonly random: Random;
  readonly options: SimulationOptions<V, P>;

  private readonly hosts = new Map<NodeId, Host<V, P>>();
  private readonly queue = new EventQueue<Happening<V, P>>();
  private readonly asked = new Map<RequestId, (response: V["Response"]) => void>();
  private readonly cut = new Set<string>();
  private order = 0;
  private requests = 0;

  constructor(options: SimulationOptions<V, P>) {
    this.options = options;
    this.random = new Random(options.seed);
    for (const id of options.nodes) this.hosts.set(id, new Host<V, P>(id, this));
    for (const id of options.nodes) this.start(id);
  }

  /** The process on a node, or `undefined` while it is down. */
  process(id: NodeId): P | undefined {
    return this.host(id).process;
  }

  /** The processes that are up. */
  get processes(): readonly P[] {
    return [...this.hosts.values()].flatMap((host) => host.process ?? []);
  }

  request(id: NodeId, request: V["Request"], onResponse: (response: V["Response"]) => void): void {
    const number = ++this.requests;
    this.asked.set(number, onResponse);
    this.schedule(0, "request", this.host(id), id, this.frozen(request), number);
  }

  /** Stops a node at once: what its disk had not synced is gone. */
  crash(id: NodeId): void {
    const host = this.host(id);
    host.process = undefined;
    host.records.length = host.durable - host.base;
    host.persisted = host.durable;
    host.syncing = false;
    host.held = [];
    for (const armed of host.timers.values()) this.queue.remove(armed);
    host.timers.clear();
    if (this.options.hints !== true) return;
    for (const [other, { process }] of this.hosts) {
      if (process === undefined || this.random.chance(1, 2)) continue;
      this.schedule(
        this.between(this.latency()),
        "unreachable",
        this.host(other),
        id,
        undefined,
        0,
      );
    }
  }

  /** Starts a node on what its disk holds. */
  start(id: NodeId): void {
    const host = this.host(id);
    invariant(host.process === undefined, "a node starts once");
    const process = this.options.create(id);
    for (const record of host.checkpointed) process.recover?.(record);
    for (const record of host.records) process.recover?.(record);
    host.process = process;
    host.now = this.now;
    process.onStart(host);
    process.onIdle?.(host);
    this.flush(host);
  }

  /** Replaces a node's disk by an empty one, while it is down. */
  wipe(id: NodeId): void {
    const host = this.host(id);
    invariant(host.process === undefined, "only a stopped node is wiped");
    host.checkpointed = [];
    host.records = [];
    host.base = host.persisted = host.durable = 0;
  }

  /** Stops messages from one node to another. */
  sever(from: NodeId, to: NodeId): void {
    this.cut.add(`${from}>${to}`);
  }

  /** Stops messages between `side` and everyone else, both ways. */
  partition(side: readonly NodeId[]): void {
    for (const a of this.options.nodes) {
      for (const b of this.options.nodes) {
        if (side.includes(a) !== side.includes(b)) this.sever(a, b);
      }
    }
  }

  heal(): void {
    this.cut.clear();
  }

  /** Runs until nothing is left to happen before `time`. */
  runUntil(time: number): void {
    for (;;) {
      const next = this.queue.peek();
      if (next === undefined || next.time > time) break;
      this.step();
    }
    this.now = time;
  }

  runFor(durationMs: number): void {
    this.runUntil(this.now + durationMs);
  }

  /** Lets the next thing happen. Returns whether there was one. */
  step(): boolean {
    const happening = this.queue.pop();
    if (happening === undefined) return false;
    this.now = happening.time;
    const { host } = happening;
    const { process } = host;
    if (process === undefined) return true;
    if (happening.kind === "sync" && happening.payload !== process) return true; // Begun before a crash.
    this.steps++;
    host.now = happening.time;
    this.happen(host, process, happening);
    // Half of the time more input is waiting, so that both ways of batching are tried.
    if (this.queue.peek()?.time !== this.now || this.random.chance(1, 2)) process.onIdle?.(host);
    else this.schedule(0, "sync", host, host.self, process, -1);
    this.flush(host);
    return true;
  }

  private happen(host: Host<V, P>, process: P, happening: Happening<V, P>): void {
    const { kind, from, payload, number } = happening;
    switch (kind) {
      case "message":
        return process.onMessage(host, from, payload);
      case "timer":
        host.timers.delete(payload as V["Timer"]);
        return process.onTimer?.(host, payload as V["Timer"]);
      case "sync":
        return number < 0 ? process.onIdle?.(host) : this.onSync(host, process, number);
      case "request":
        return process.onRequest?.(host, number, payload);
      case "unreachable":
        return process.onUnreachable?.(host, from);
    }
  }

  transmit(from: NodeId, to: NodeId, message: V["Message"]): void {
    const { lossPermille = 0, duplicatePermille = 0 } = this.options;
    if (this.cut.size > 0 && this.cut.has(`${from}>${to}`)) return;
    if (lossPermille > 0 && this.random.chance(lossPermille, 1000)) return;
    const host = this.hosts.get(to);
    if (host === undefined) return;
    const payload = this.frozen(message);
    this.schedule(this.between(this.latency()), "message", host, from, payload, 0);
    if (duplicatePermille > 0 && this.random.chance(duplicatePermille, 1000)) {
      this.schedule(this.between(this.latency()), "message", host, from, payload, 0);
    }
  }

  /** Starts writing what the last step persisted, unless the disk is still busy. */
  private flush(host: Host<V, P>): void {
    if (host.syncing || host.durable === host.persisted) return;
    host.syncing = true;
    const delay = this.between(this.options.syncMs ?? [0, 0]);
    this.schedule(delay, "sync", host, host.self, host.process, host.persisted);
  }

  private onSync(host: Host<V, P>, process: P, position: Position): void {
    host.syncing = false;
    host.durable = position;
    let released = 0;
    while (released < host.held.length && host.held[released]!.position <= position) released++;
    for (const { release } of host.held.splice(0, released)) release();
    process.onDurable?.(host, position);
  }

  answer(request: RequestId, response: V["Response"]): void {
    const onResponse = this.asked.get(request);
    this.asked.delete(request);
    onResponse?.(response);
  }

  losesCheckpoint(): boolean {
    const { lostCheckpointPermille = 0 } = this.options;
    return lostCheckpointPermille > 0 && this.random.chance(lostCheckpointPermille, 1000);
  }

  frozen<T>(value: T): T {
    return this.options.freeze === true ? freeze(value) : value;
  }

  schedule(
    delay: number,
    kind: Kind,
    host: Host<V, P>,
    from: NodeId,
    payload: unknown,
    number: number,
  ): Happening<V, P> {
    const time = this.now + delay;
    const happening = new Happening(time, this.order++, kind, host, from, payload, number);
    this.queue.push(happening);
    return happening;
  }

  callOff(happening: Happening<V, P>): void {
    if (happening.at >= 0) this.queue.remove(happening);
  }

  private latency(): readonly [number, number] {
    return this.options.latencyMs ?? [1, 1];
  }

  private between([min, max]: readonly [min: number, max: number]): number {
    return min === max ? min : min + this.random.below(max - min + 1);
  }

  private host(id: NodeId): Host<V, P> {
    const host = this.hosts.get(id);
    invariant(host !== undefined, `no node ${id}`);
    return host;
  }
}
