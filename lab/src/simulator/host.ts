/** A node: its process, and the corner of the world that is lent to it as a context. */

import type { Context, NodeId, Position, Process, RequestId, Vocabulary } from "@quorate/kernel";

import type { Clock } from "./clock.ts";
import { Disk } from "./disk.ts";
import type { Happening } from "./happening.ts";
import { OUT } from "./queue.ts";
import type { Simulation } from "./simulation.ts";

/** An effect that waits for the disk. */
type Held<V extends Vocabulary> =
  | {
      readonly type: "send";
      readonly position: Position;
      readonly to: NodeId;
      readonly value: V["Message"];
    }
  | {
      readonly type: "reply";
      readonly position: Position;
      readonly id: RequestId;
      readonly value: V["Response"];
    }
  | { readonly type: "output"; readonly position: Position; readonly value: V["Output"] }
  | {
      readonly type: "checkpoint";
      readonly position: Position;
      readonly value: readonly V["Record"][];
    };

export class Host<V extends Vocabulary, P extends Process<V>> implements Context<V> {
  readonly self: NodeId;
  /** The node's place among the nodes. */
  readonly index: number;
  /** Local time, constant within a step. */
  now = 0;
  process: P | undefined;
  /** Counts the node's lives, from 1. */
  life = 0;
  /** The release of the software that the next life runs. */
  release = 0;
  paused = false;
  readonly disk: Disk<V["Record"]>;
  readonly clock: Clock;
  readonly timers: Map<V["Timer"], Happening<V, P>> = new Map();
  /** What came while the node was paused. */
  backlog: Happening<V, P>[] = [];

  private held: Held<V>[] = [];
  private readonly world: Simulation<V, P>;

  constructor(self: NodeId, index: number, clock: Clock, world: Simulation<V, P>) {
    this.self = self;
    this.index = index;
    this.clock = clock;
    this.world = world;
    this.disk = new Disk(world.options.substitute ?? (() => undefined));
  }

  // What the process may do.

  send(to: NodeId, message: V["Message"]): void {
    const { disk } = this;
    if (disk.durable === disk.persisted) this.world.transmit(this, to, message, false);
    else this.held.push({ type: "send", position: disk.persisted, to, value: message });
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.world.transmit(this, to, message, true);
  }

  persist(record: V["Record"]): Position {
    const frozen = this.world.frozen(record);
    const position = this.disk.append(frozen);
    this.world.observer?.persisted?.(this.self, frozen, position);
    return position;
  }

  checkpoint(records: Iterable<V["Record"]>): void {
    const value = [...records].map((record) => this.world.frozen(record));
    if (this.world.fates.losesCheckpoint(this.index)) return;
    this.hold({ type: "checkpoint", position: this.disk.persisted, value });
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs: number = 0): void {
    const jitter = jitterMs === 0 ? 0 : this.world.fates.jitter(this.index, timer, jitterMs);
    const delay = this.clock.lasts(delayMs + jitter);
    const armed = this.timers.get(timer);
    // Most timers are set anew before they are due: the same happening serves again.
    if (armed !== undefined && armed.at !== OUT) return this.world.reschedule(armed, delay);
    if (armed !== undefined) this.world.callOff(armed);
    this.timers.set(timer, this.world.schedule(delay, "timer", this, this.self, timer, 0));
  }

  cancelTimer(timer: V["Timer"]): void {
    const armed = this.timers.get(timer);
    if (armed === undefined) return;
    this.world.callOff(armed);
    this.timers.delete(timer);
  }

  reply(id: RequestId, response: V["Response"]): void {
    const { disk } = this;
    if (disk.durable === disk.persisted) this.world.answer(this.self, id, response);
    else this.held.push({ type: "reply", position: disk.persisted, id, value: response });
  }

  replyEagerly(id: RequestId, response: V["Response"]): void {
    this.world.answer(this.self, id, response);
  }

  output(value: V["Output"]): void {
    this.hold({ type: "output", position: this.disk.persisted, value });
  }

  outputEagerly(value: V["Output"]): void {
    this.world.observer?.said?.(this.self, value);
  }

  note(observation: V["Note"]): void {
    this.world.observer?.noted?.(this.self, observation);
  }

  choose(count: number): number {
    return this.world.fates.choice(this.index, count);
  }

  // What the world does with the node.

  /** Records up to `position` are durable: lets go of what waited for them. */
  onDurable(position: Position): void {
    this.disk.durable = position;
    const { held } = this;
    let released = 0;
    while (released < held.length && held[released]!.position <= position) released++;
    if (released === 0) return;
    this.held = held.slice(released);
    for (let i = 0; i < released; i++) this.let(held[i]!);
  }

  /** The process is gone, and with it all that waited. */
  clear(): void {
    this.process = undefined;
    this.held = [];
    for (const armed of this.timers.values()) this.world.callOff(armed);
    this.timers.clear();
    this.backlog = [];
    this.paused = false;
  }

  private hold(held: Held<V>): void {
    if (this.disk.durable === this.disk.persisted) this.let(held);
    else this.held.push(held);
  }

  private let(held: Held<V>): void {
    switch (held.type) {
      case "send":
        return this.world.transmit(this, held.to, held.value, false);
      case "reply":
        return this.world.answer(this.self, held.id, held.value);
      case "output":
        return this.world.observer?.said?.(this.self, held.value);
      case "checkpoint":
        this.disk.replace(held.value, held.position);
        return this.world.observer?.checkpointed?.(this.self, held.value);
    }
  }
}
