/**
 * Runs a cluster of processes in virtual time, from one seed: latency, loss,
 * duplication, clogs, partitions; disks that stall, fill up and lose what was
 * not synced; clocks that drift; crashes, pauses and restarts.
 *
 * The first of the lab's drivers of the kernel's contract. The same seed gives
 * the same run on every engine: time is a whole number of milliseconds, dice are
 * integers, and what is due together comes in the order of scheduling.
 */

import {
  freeze,
  invariant,
  type NodeId,
  type Process,
  Random,
  type RequestId,
  type Vocabulary,
} from "@quorate/kernel";

import { Clock } from "./clock.ts";
import type { Disk } from "./disk.ts";
import { Dice, type Fates, LOST } from "./fates.ts";
import { Happening, type Kind } from "./happening.ts";
import { Host } from "./host.ts";
import { Network, type Way } from "./network.ts";
import { type Observer, observerOf } from "./observer.ts";
import type { SimulationOptions } from "./options.ts";
import { EventQueue, OUT } from "./queue.ts";
import { CALM } from "./weather.ts";

const NO_DELAYS: readonly number[] = [];

export class Simulation<V extends Vocabulary, P extends Process<V>> {
  now = 0;
  steps = 0;
  /** For the test around the simulation; nothing inside draws from it. */
  readonly random: Random;
  readonly options: SimulationOptions<V, P>;
  readonly observer: Observer<V, P> | undefined;
  readonly fates: Fates;
  readonly nodes: readonly NodeId[];
  /** The node whose handler threw, if one did: its life is over (K18). */
  failed: NodeId | undefined;

  private readonly hosts: Map<NodeId, Host<V, P>> = new Map();
  private readonly queue: EventQueue<Happening<V, P>> = new EventQueue();
  private readonly asked: Map<RequestId, (response: V["Response"]) => void> = new Map();
  private readonly network: Network;
  private readonly capacity: number;
  private order = 0;
  private requests = 0;

  constructor(options: SimulationOptions<V, P>) {
    this.options = options;
    this.nodes = options.nodes;
    this.random = new Random(options.seed).fork(0);
    this.fates = options.fates ?? new Dice(options.seed, { ...CALM, ...options });
    this.capacity = options.capacity ?? 0;
    this.network = new Network(options.nodes.length);
    this.observer = observerOf(options);
    for (const [index, id] of options.nodes.entries()) {
      const clock = new Clock(0, this.fates.offset(index), this.fates.rate(index));
      this.hosts.set(id, new Host<V, P>(id, index, clock, this));
    }
    if (options.down !== true) for (const id of options.nodes) this.start(id);
  }

  // Looking on.

  /** The process on a node, or `undefined` while it is down. */
  process(id: NodeId): P | undefined {
    return this.host(id).process;
  }

  /** The processes that are up. */
  get processes(): readonly P[] {
    return [...this.hosts.values()].flatMap((host) => host.process ?? []);
  }

  isUp(id: NodeId): boolean {
    return this.host(id).process !== undefined;
  }

  isPaused(id: NodeId): boolean {
    return this.host(id).paused;
  }

  /** How many records a node has persisted that its disk has not reported durable. */
  unsynced(id: NodeId): number {
    return this.host(id).disk.unsynced;
  }

  disk(id: NodeId): Disk<V["Record"]> {
    return this.host(id).disk;
  }

  // Users.

  /** Asks a node. Returns the request's number, by which observers know the answer, too. */
  request(
    id: NodeId,
    request: V["Request"],
    onResponse?: (response: V["Response"]) => void,
  ): RequestId {
    const number = ++this.requests;
    const host = this.host(id);
    if (host.process === undefined) return number; // Nobody is there to hear it (K16).
    if (onResponse !== undefined) this.asked.set(number, onResponse);
    this.schedule(0, "request", host, id, this.frozen(request), number);
    return number;
  }

  // Faults of processes.

  /** Stops a node at once: what its disk had not synced is gone. */
  crash(id: NodeId): void {
    const host = this.host(id);
    if (host.process === undefined) return;
    this.end(host);
    for (const other of this.hosts.values()) {
      if (other.process === undefined) continue;
      const delay = this.fates.hint(other.index, host.index);
      if (delay !== LOST) this.schedule(delay, "unreachable", other, id, undefined, 0);
    }
  }

  /** Starts a node on what its disk holds. A node whose disk is damaged stays down (K14). */
  start(id: NodeId): void {
    const host = this.host(id);
    invariant(host.process === undefined, "a node starts once");
    if (host.disk.damaged) return;
    const process = this.options.create(id, host.release);
    host.process = process;
    host.life++;
    host.now = host.clock.at(this.now);
    this.steps++;
    this.observer?.steps?.(id, "start", id, undefined, this.steps);
    try {
      for (const record of host.disk.recovery()) process.recover?.(record);
      this.observer?.started?.(id, process);
      process.onStart(host);
      process.onIdle?.(host);
    } catch (error) {
      this.fail(host);
      throw error;
    }
    this.conclude(host, process, true);
  }

  private conclude(host: Host<V, P>, process: P, drained: boolean): void {
    this.observer?.stepped?.(host.self, process);
    const records = drained ? this.options.checkpoint?.(host.self, process) : undefined;
    if (records !== undefined) host.checkpoint(records);
    this.flush(host);
  }

  /** Stops a node's process for a while, as a long garbage collection would: input waits, timers are late. */
  pause(id: NodeId): void {
    const host = this.host(id);
    if (host.process !== undefined) host.paused = true;
  }

  resume(id: NodeId): void {
    const host = this.host(id);
    if (!host.paused) return;
    host.paused = false;
    const { backlog } = host;
    host.backlog = [];
    for (const happening of backlog) {
      happening.time = this.now;
      this.queue.push(happening);
    }
  }

  /** The node's next life runs the next release of the software. */
  upgrade(id: NodeId): void {
    this.host(id).release++;
  }

  /** Lets a node's clock jump forward: its timers are due that much earlier. */
  jump(id: NodeId, ms: number): void {
    const host = this.host(id);
    host.clock.jump(this.now, ms);
    const sooner = host.clock.lasts(ms);
    for (const armed of host.timers.values()) {
      if (armed.at === OUT) continue;
      this.queue.remove(armed);
      armed.time = Math.max(this.now, armed.time - sooner);
      this.queue.push(armed);
    }
  }

  // Faults of disks.

  /** Replaces a node's disk by an empty one, while it is down. */
  wipe(id: NodeId): void {
    const host = this.host(id);
    invariant(host.process === undefined, "only a stopped node is wiped");
    host.disk.wipe();
    this.observer?.wiped?.(id);
  }

  /** No write of a node completes until {@link release}. */
  stall(id: NodeId): void {
    this.host(id).disk.stalled = true;
  }

  /** Ends a stall. */
  release(id: NodeId): void {
    const host = this.host(id);
    const { disk } = host;
    disk.stalled = false;
    const { overdue } = disk;
    disk.overdue = undefined;
    if (overdue !== undefined && host.process !== undefined) {
      this.schedule(0, "sync", host, host.self, undefined, overdue);
    } else this.flush(host);
  }

  /** A node's next write fails, and so does its process, until {@link free}. */
  fill(id: NodeId): void {
    this.host(id).disk.full = true;
  }

  free(id: NodeId): void {
    this.host(id).disk.full = false;
  }

  /** Damages what a node's disk had reported durable: it does not start again unless wiped. */
  damage(id: NodeId): void {
    this.host(id).disk.damaged = true;
  }

  // Faults of the network.

  /** Stops messages from one node to another. */
  sever(from: NodeId, to: NodeId): void {
    this.network.sever(this.host(from).index, this.host(to).index);
  }

  /** Takes {@link sever} back. */
  mend(from: NodeId, to: NodeId): void {
    this.network.mend(this.host(from).index, this.host(to).index);
  }

  /** Stops messages between `side` and everyone else: both ways, only into the side, or only out of it. */
  partition(side: readonly NodeId[], way: Way = "both"): void {
    this.network.partition(
      side.map((id) => this.host(id).index),
      way,
    );
  }

  /** Ends all cuts and partitions. */
  heal(): void {
    this.network.heal();
  }

  /** What is sent to or from a node in the next `ms` arrives no earlier than then. */
  clog(id: NodeId, ms: number): void {
    this.network.clog(this.host(id).index, this.now + ms);
  }

  unclog(): void {
    this.network.unclog();
  }

  // Time.

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

  /** Lets time pass to a moment before which nothing happens. */
  passTo(time: number): void {
    invariant(time >= this.now && time <= this.nextTime, "time does not skip what happens");
    this.now = time;
  }

  /** When the next thing happens; `Infinity` if nothing will. */
  get nextTime(): number {
    return this.queue.peek()?.time ?? Infinity;
  }

  /**
   * Lets the next thing happen. Returns whether there was one.
   * @throws whatever a handler throws; the node is down then, and {@link failed} names it.
   */
  step(): boolean {
    const happening = this.queue.pop();
    if (happening === undefined) return false;
    this.now = happening.time;
    const { host, kind, life } = happening;
    if (happening.onLink) {
      happening.onLink = false;
      this.network.arrives(happening.number, host.index);
    }
    const { process } = host;
    if (process === undefined || (life !== 0 && life !== host.life)) return true;
    if (host.paused) {
      host.backlog.push(happening);
      return true;
    }
    if (kind === "sync" && host.disk.stalled) {
      host.disk.overdue = happening.number;
      return true;
    }
    this.steps++;
    host.now = host.clock.at(this.now);
    this.observer?.steps?.(host.self, kind, happening.from, happening.payload, happening.cause);
    let drained = true;
    try {
      this.happen(host, process, happening);
      if (kind !== "idle") drained = this.idle(host, process);
    } catch (error) {
      this.fail(host);
      throw error;
    }
    this.conclude(host, process, drained);
    return true;
  }

  /**
   * Half of the time in which more is due, the node acts as if its input were not drained: both ways
   * of batching are tried. Returns whether it is drained.
   */
  private idle(host: Host<V, P>, process: P): boolean {
    const busy = this.queue.peek()?.time === this.now && this.fates.busy(host.index);
    if (busy) this.schedule(0, "idle", host, host.self, undefined, 0);
    else process.onIdle?.(host);
    return !busy;
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
        host.disk.writing = false;
        this.observer?.durable?.(host.self, number);
        host.onDurable(number);
        return process.onDurable?.(host, number);
      case "idle":
        return process.onIdle?.(host);
      case "request":
        return process.onRequest?.(host, number, payload);
      case "unreachable":
        return process.onUnreachable?.(host, from);
    }
  }

  /** Ends a life. */
  private end(host: Host<V, P>): void {
    const kept = this.fates.kept(host.index, host.disk.unsynced);
    host.clear();
    host.disk.crash(kept);
    this.observer?.stopped?.(host.self, kept);
  }

  private fail(host: Host<V, P>): void {
    this.failed = host.self;
    this.end(host);
  }

  // For the nodes.

  transmit(from: Host<V, P>, to: NodeId, message: V["Message"], eager: boolean): void {
    const host = this.hosts.get(to);
    const { network } = this;
    if (host === undefined || network.blocks(from.index, host.index)) {
      this.observer?.sent?.(from.self, to, message, eager, NO_DELAYS);
      return;
    }
    const { capacity, now, fates } = this;
    const crowded = capacity > 0 && network.isFull(from.index, host.index, capacity);
    const first = fates.message(from.index, host.index, crowded, now);
    const second = first === LOST ? LOST : fates.copy(from.index, host.index);
    const payload = this.frozen(message);
    if (first !== LOST) this.post(from, host, payload, first);
    if (second !== LOST) this.post(from, host, payload, second);
    this.observer?.sent?.(
      from.self,
      to,
      payload,
      eager,
      first === LOST ? NO_DELAYS : second === LOST ? [first] : [first, second],
    );
  }

  private post(from: Host<V, P>, to: Host<V, P>, payload: V["Message"], delay: number): void {
    const { index, self } = from;
    const time = Math.max(this.now + delay, this.network.opensAt(index, to.index));
    const order = this.order++;
    const cause = this.steps;
    const happening = new Happening(time, order, "message", to, self, payload, index, 0, cause);
    if (this.capacity > 0) {
      happening.onLink = true;
      this.network.departs(index, to.index);
    }
    this.queue.push(happening);
  }

  /** Starts writing what the last step persisted, unless the disk is still busy. */
  private flush(host: Host<V, P>): void {
    const { disk } = host;
    if (disk.writing || disk.stalled || disk.durable === disk.persisted) return;
    if (disk.full) return this.crash(host.self);
    disk.writing = true;
    const delay = this.fates.write(host.index);
    this.schedule(delay, "sync", host, host.self, undefined, disk.persisted);
  }

  answer(node: NodeId, request: RequestId, response: V["Response"]): void {
    this.observer?.answered?.(node, request, response);
    const onResponse = this.asked.get(request);
    if (onResponse === undefined) return;
    this.asked.delete(request);
    onResponse(response);
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
    const order = this.order++;
    const { life } = host;
    const cause = this.steps;
    const happening = new Happening(time, order, kind, host, from, payload, number, life, cause);
    this.queue.push(happening);
    return happening;
  }

  /** Puts off, or moves forward, what is in the queue, as if it were scheduled now. */
  reschedule(happening: Happening<V, P>, delay: number): void {
    this.queue.remove(happening);
    happening.time = this.now + delay;
    happening.order = this.order++;
    happening.cause = this.steps;
    this.queue.push(happening);
  }

  callOff(happening: Happening<V, P>): void {
    if (happening.at !== OUT) this.queue.remove(happening);
    else {
      const { backlog } = happening.host;
      const at = backlog.indexOf(happening);
      if (at >= 0) backlog.splice(at, 1);
    }
  }

  private host(id: NodeId): Host<V, P> {
    const host = this.hosts.get(id);
    // The text is made where it is needed: a template would be built at every call.
    if (host === undefined) invariant(false, `no node ${id}`);
    return host;
  }
}
