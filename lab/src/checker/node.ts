/**
 * One node of a model between steps, and what one step makes of it: the
 * kernel's contract, as far as one node can keep it. Every effect is data.
 *
 * A disk is what recovery from it would give: {@link NodeState.image} is the
 * process after `recover` of every durable record. Two disks that recover alike
 * are one, however they came about (K13, K19).
 */

import {
  type Context,
  copy,
  freeze,
  invariant,
  InvariantViolation,
  type NodeId,
  type Position,
  type Process,
  type RequestId,
  unreachable,
  type Vocabulary,
} from "@quorate/kernel";

import { isSame } from "./interning.ts";
import type { Disk, Envelope } from "./model.ts";

/** What comes out of a node for those around it, in the order in which it comes. */
type Told<V extends Vocabulary> =
  | { readonly type: "request"; readonly id: RequestId; readonly request: V["Request"] }
  | { readonly type: "reply"; readonly id: RequestId; readonly response: V["Response"] }
  | { readonly type: "output"; readonly value: V["Output"] }
  | { readonly type: "note"; readonly note: V["Note"] };

type Effect<V extends Vocabulary> =
  | { readonly type: "send"; readonly envelope: Envelope<V> }
  | Extract<Told<V>, { readonly type: "reply" | "output" }>;

/** An effect that waits for the disk (K4). */
export interface Held<V extends Vocabulary> {
  /** How many of the pending records must become durable first. */
  readonly behind: number;
  readonly effect: Effect<V>;
}

/** One node between steps. Never changes. */
export interface NodeState<V extends Vocabulary, P> {
  /** Undefined while it is down. */
  readonly process: P | undefined;
  readonly image: P;
  /** Names of armed timers. */
  readonly timers: readonly V["Timer"][];
  /** Persisted and not durable. */
  readonly pending: readonly V["Record"][];
  readonly held: readonly Held<V>[];
  /** Of the last record persisted in this life. */
  readonly position: Position;
}

/** What may happen to one node. */
export type NodeEvent<V extends Vocabulary> =
  | { readonly type: "deliver"; readonly from: NodeId; readonly message: V["Message"] }
  | { readonly type: "timeout"; readonly timer: V["Timer"] }
  | { readonly type: "ask"; readonly id: RequestId; readonly request: V["Request"] }
  /** The first `count` pending records become durable. */
  | { readonly type: "sync"; readonly count: number }
  /** Power is lost after the first `kept` pending records reached the disk. */
  | { readonly type: "crash"; readonly kept: number }
  | { readonly type: "start" }
  | { readonly type: "hint"; readonly peer: NodeId };

export interface StepResult<V extends Vocabulary, P> {
  readonly state: NodeState<V, P>;
  readonly sent: readonly Envelope<V>[];
  readonly told: readonly Told<V>[];
  /** Timers set in this step, for drivers that keep time. */
  readonly armed: readonly Armed<V>[];
  /** Choices made, and how many options each had. */
  readonly taken: readonly number[];
  readonly options: readonly number[];
  /** The claim that broke: the life ended in this step (K18). */
  readonly failure: string | undefined;
}

interface Armed<V extends Vocabulary> {
  readonly timer: V["Timer"];
  readonly delayMs: number;
  readonly jitterMs: number;
}

export interface StepSettings {
  readonly disk: (node: NodeId) => Disk;
  /** Whether a crash and the start that follows it are one step. */
  readonly restartsAtOnce: boolean;
  /** Whether a message equal to one that waits for the disk adds nothing. */
  readonly mergesMessages: boolean;
}

/** A node that has never been up. */
export function blank<V extends Vocabulary, P>(image: P): NodeState<V, P> {
  return { process: undefined, image, timers: [], pending: [], held: [], position: 0 };
}

/** Takes one step. A process that breaks a claim of its own ends its life: see {@link StepResult.failure}. */
export function runStep<V extends Vocabulary, P extends Process<V>>(
  settings: StepSettings,
  node: NodeId,
  before: NodeState<V, P>,
  event: NodeEvent<V>,
  now: number,
  script: readonly number[],
): StepResult<V, P> {
  const step = new Step<V, P>(settings, node, before, now, script);
  let failure: string | undefined;
  try {
    step.run(event);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    failure =
      error instanceof InvariantViolation ? error.message : `${error.name}: ${error.message}`;
  }
  return step.result(failure);
}

/** The context of one step, which collects its effects and answers choices from a script. */
class Step<V extends Vocabulary, P extends Process<V>> implements Context<V> {
  readonly self: NodeId;
  readonly now: number;
  private readonly settings: StepSettings;
  private readonly script: readonly number[];
  private process: P | undefined;
  private image: P;
  private readonly timers: Set<V["Timer"]>;
  private pending: V["Record"][];
  private held: Held<V>[];
  private position: Position;
  private readonly sent: Envelope<V>[] = [];
  private readonly told: Told<V>[] = [];
  private readonly armed: Armed<V>[] = [];
  private readonly taken: number[] = [];
  private readonly options: number[] = [];

  constructor(
    settings: StepSettings,
    self: NodeId,
    before: NodeState<V, P>,
    now: number,
    script: readonly number[],
  ) {
    this.settings = settings;
    this.self = self;
    this.now = now;
    this.script = script;
    this.process = before.process;
    this.image = before.image;
    this.timers = new Set(before.timers);
    this.pending = [...before.pending];
    this.held = [...before.held];
    this.position = before.position;
  }

  run(event: NodeEvent<V>): void {
    switch (event.type) {
      case "crash":
        this.crash(event.kept);
        if (!this.settings.restartsAtOnce) return;
        this.start();
        break;
      case "start":
        this.start();
        break;
      default: {
        const process = copy(this.live);
        this.process = process;
        this.handle(process, event);
      }
    }
    this.drain();
    this.live.onIdle?.(this);
    this.drain();
  }

  private get live(): P {
    invariant(this.process !== undefined, "only what is up takes steps");
    return this.process;
  }

  private handle(
    process: P,
    event: Exclude<NodeEvent<V>, { readonly type: "crash" | "start" }>,
  ): void {
    switch (event.type) {
      case "deliver":
        return process.onMessage(this, event.from, event.message);
      case "timeout":
        this.timers.delete(event.timer);
        return process.onTimer?.(this, event.timer);
      case "ask":
        this.told.push({ type: "request", id: event.id, request: event.request });
        return process.onRequest?.(this, event.id, event.request);
      case "sync":
        return this.sync(event.count);
      case "hint":
        return process.onUnreachable?.(this, event.peer);
      default:
        return unreachable(event);
    }
  }

  private start(): void {
    invariant(this.process === undefined, "a life begins after the one before has ended");
    this.process = copy(this.image);
    this.process.onStart(this);
  }

  private crash(kept: number): void {
    this.write(kept);
    this.process = undefined;
    this.timers.clear();
    this.pending = [];
    this.held = [];
    this.position = 0;
  }

  /** With an instant disk everything persisted is durable before the step ends. */
  private drain(): void {
    if (this.settings.disk(this.self) !== "instant") return;
    while (this.pending.length > 0) this.sync(this.pending.length);
  }

  /** Writes, lets go what waited for it, and only then reports (K4). */
  private sync(count: number): void {
    this.write(count);
    const still: Held<V>[] = [];
    for (const { behind, effect } of this.held) {
      if (behind <= count) this.perform(effect);
      else still.push({ behind: behind - count, effect });
    }
    this.held = still;
    this.live.onDurable?.(this, this.position - this.pending.length);
  }

  private write(count: number): void {
    if (count === 0) return;
    invariant(count <= this.pending.length, "a disk writes what it was given");
    const image = copy(this.image);
    for (const record of this.pending.slice(0, count)) image.recover?.(record);
    this.image = image;
    this.pending = this.pending.slice(count);
  }

  private hold(effect: Effect<V>): void {
    if (this.pending.length === 0) return this.perform(effect);
    const merges = this.settings.mergesMessages && effect.type === "send";
    if (merges && this.held.some((other) => isSame(other.effect, effect))) return;
    this.held.push({ behind: this.pending.length, effect });
  }

  private perform(effect: Effect<V>): void {
    if (effect.type === "send") this.sent.push(effect.envelope);
    else this.told.push(effect);
  }

  // What the process says.

  send(to: NodeId, message: V["Message"]): void {
    this.hold({ type: "send", envelope: freeze({ from: this.self, to, message }) });
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.sent.push(freeze({ from: this.self, to, message }));
  }

  persist(record: V["Record"]): Position {
    this.pending.push(freeze(record));
    return ++this.position;
  }

  checkpoint(): void {
    // May never complete, and nobody can tell (K7).
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs = 0): void {
    this.timers.add(timer);
    this.armed.push({ timer, delayMs, jitterMs });
  }

  cancelTimer(timer: V["Timer"]): void {
    this.timers.delete(timer);
  }

  reply(id: RequestId, response: V["Response"]): void {
    this.hold({ type: "reply", id, response: freeze(response) });
  }

  replyEagerly(id: RequestId, response: V["Response"]): void {
    this.told.push({ type: "reply", id, response: freeze(response) });
  }

  output(value: V["Output"]): void {
    this.hold({ type: "output", value: freeze(value) });
  }

  outputEagerly(value: V["Output"]): void {
    this.told.push({ type: "output", value: freeze(value) });
  }

  note(observation: V["Note"]): void {
    this.told.push({ type: "note", note: freeze(observation) });
  }

  choose(count: number): number {
    invariant(count >= 1, "K9: there is something to choose from");
    const choice = this.script[this.taken.length] ?? 0;
    this.taken.push(choice);
    this.options.push(count);
    return choice;
  }

  result(failure: string | undefined): StepResult<V, P> {
    const { sent, told, armed, taken, options } = this;
    const state = {
      process: this.process,
      image: this.image,
      timers: [...this.timers],
      pending: this.pending,
      held: this.held,
      position: this.position,
    };
    return { state, sent, told, armed, taken, options, failure };
  }
}
