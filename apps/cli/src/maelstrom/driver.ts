/**
 * Runs a process as a node of Maelstrom. The contract is the kernel's, with two
 * things missing that Maelstrom does not try: there is no disk, so what is persisted
 * is durable as soon as the step ends and lost with the program, and nobody is told
 * that a peer is gone.
 */

import type { Context, NodeId, Position, Process, RequestId, Vocabulary } from "@quorate/kernel";

export interface Wires<V extends Vocabulary> {
  /** Hands a message to the network. */
  readonly send: (to: NodeId, message: V["Message"]) => void;
  readonly reply: (id: RequestId, response: V["Response"]) => void;
}

export class MaelstromDriver<V extends Vocabulary> implements Context<V> {
  readonly self: NodeId;
  now = 0;
  private readonly process: Process<V>;
  private readonly wires: Wires<V>;
  private readonly timers = new Map<V["Timer"], NodeJS.Timeout>();
  /** Steps to be taken, one after the other (K1). */
  private readonly steps: (() => void)[] = [];
  private position: Position = 0;
  private durable: Position = 0;
  private running = false;

  constructor(self: NodeId, process: Process<V>, wires: Wires<V>) {
    this.self = self;
    this.process = process;
    this.wires = wires;
    this.step(() => process.onStart(this));
  }

  deliver(from: NodeId, message: V["Message"]): void {
    this.step(() => this.process.onMessage(this, from, message));
  }

  request(id: RequestId, request: V["Request"]): void {
    this.step(() => this.process.onRequest?.(this, id, request));
  }

  /** Ends the node's life: no timer fires any more. */
  stop(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.steps.length = 0;
  }

  private step(run: () => void): void {
    this.steps.push(run);
    if (this.running) return;
    this.running = true;
    try {
      for (let next = this.steps.shift(); next !== undefined; next = this.steps.shift()) {
        this.take(next);
        while (this.durable < this.position) {
          this.durable = this.position;
          this.take(() => this.process.onDurable?.(this, this.durable));
        }
        if (this.steps.length === 0) this.take(() => this.process.onIdle?.(this));
        while (this.durable < this.position) {
          this.durable = this.position;
          this.take(() => this.process.onDurable?.(this, this.durable));
        }
      }
    } finally {
      this.running = false;
    }
  }

  private take(run: () => void): void {
    this.now = Math.floor(performance.now());
    run();
  }

  // What the process says.

  send(to: NodeId, message: V["Message"]): void {
    // A message to oneself waits for a step of its own, like any other.
    if (to === this.self) this.steps.push(() => this.process.onMessage(this, to, message));
    else this.wires.send(to, message);
  }

  sendEagerly(to: NodeId, message: V["Message"]): void {
    this.send(to, message);
  }

  persist(): Position {
    return ++this.position;
  }

  checkpoint(): void {
    // There is nothing to replace.
  }

  setTimer(timer: V["Timer"], delayMs: number, jitterMs = 0): void {
    this.cancelTimer(timer);
    const fire = (): void => {
      this.timers.delete(timer);
      this.step(() => this.process.onTimer?.(this, timer));
    };
    this.timers.set(timer, setTimeout(fire, delayMs + Math.random() * jitterMs));
  }

  cancelTimer(timer: V["Timer"]): void {
    clearTimeout(this.timers.get(timer));
    this.timers.delete(timer);
  }

  reply(id: RequestId, response: V["Response"]): void {
    this.wires.reply(id, response);
  }

  replyEagerly(id: RequestId, response: V["Response"]): void {
    this.wires.reply(id, response);
  }

  output(): void {
    // Nobody listens above.
  }

  outputEagerly(): void {
    // Nobody listens above.
  }

  note(): void {
    // Standard error belongs to what a reader of Maelstrom's logs must see.
  }

  choose(count: number): number {
    return Math.floor(Math.random() * count);
  }
}
