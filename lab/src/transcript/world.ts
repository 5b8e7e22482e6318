/** The world of a transcript: nodes, the messages between them, and steps that are told to happen. */

import {
  invariant,
  InvariantViolation,
  type NodeId,
  type Process,
  type Vocabulary,
} from "@quorate/kernel";

import type { Language } from "./language.ts";
import { type Around, TranscriptNode } from "./node.ts";
import { Trace } from "./trace.ts";

export interface Pending<V extends Vocabulary> {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: V["Message"];
  /** Set aside: it travels on only when a command asks for late messages. */
  readonly late: boolean;
}

/** After so many deliveries without coming to rest, a cluster is taken to chatter for ever. */
const ENOUGH = 2_000;

export class World<V extends Vocabulary, P extends Process<V>> implements Around<V, P> {
  readonly language: Language<V, P>;
  readonly trace: Trace = new Trace();
  /** Sent and neither delivered nor lost, oldest first. */
  pending: Pending<V>[] = [];
  readonly nodes: Map<NodeId, TranscriptNode<V, P>> = new Map();
  /** The step at hand may end in a broken invariant: the script says so. */
  fatal = false;

  private settings: ReadonlyMap<string, string> = new Map();
  private readonly cut: Set<string> = new Set();
  private requests = 0;

  constructor(language: Language<V, P>) {
    this.language = language;
  }

  found(ids: readonly NodeId[], settings: ReadonlyMap<string, string>): void {
    invariant(this.nodes.size === 0, "a script founds one cluster");
    this.settings = settings;
    for (const id of ids) this.nodes.set(id, new TranscriptNode<V, P>(id, this));
    for (const id of ids) this.start(id);
  }

  node(id: NodeId): TranscriptNode<V, P> {
    const node = this.nodes.get(id);
    invariant(node !== undefined, `there is no node ${id}`);
    return node;
  }

  start(id: NodeId): void {
    const node = this.node(id);
    invariant(node.process === undefined, `${id} is up already`);
    this.trace.heading(`${id} starts`);
    this.guard(node, () => {
      node.start(this.language.create(id, [...this.nodes.keys()], this.settings));
    });
  }

  crash(id: NodeId): void {
    const node = this.running(id);
    this.trace.heading(`${id} crashes`);
    node.crash();
  }

  wipe(id: NodeId): void {
    this.trace.heading(`${id} loses its disk`);
    this.node(id).wipe();
  }

  fire(id: NodeId, timer: V["Timer"]): void {
    const node = this.running(id);
    invariant(node.fire(timer), `${id} waits for ${node.armed.join(", ")}, not for ${timer}`);
    this.step(node, `${id} at ${node.now}: ${timer} timer`, (process) =>
      process.onTimer?.(node, timer),
    );
  }

  ask(id: NodeId, words: readonly string[]): void {
    const node = this.running(id);
    const request = this.language.request(words);
    const number = ++this.requests;
    this.step(node, `${id} is asked ${number}: ${words.join(" ")}`, (process) =>
      process.onRequest?.(node, number, request),
    );
  }

  unreachable(id: NodeId, peer: NodeId): void {
    const node = this.running(id);
    this.step(node, `${id} is told that ${peer} is unreachable`, (process) =>
      process.onUnreachable?.(node, peer),
    );
  }

  sync(id: NodeId, count: number): void {
    const node = this.running(id);
    invariant(node.unsynced > 0, `nothing of ${id} waits for its disk`);
    this.step(node, `${id} syncs${count === Infinity ? "" : ` ${count}`}`, () => node.sync(count));
  }

  /** Ends a turn that `busy` held open. */
  idle(id: NodeId): void {
    const node = this.running(id);
    node.busy = false;
    this.step(node, `${id} is idle`, () => {});
  }

  deliver(pending: Pending<V>): void {
    this.remove(pending);
    const { from, to, message } = pending;
    const heard = `${from}: ${this.language.message(message)}`;
    const node = this.node(to);
    if (node.process === undefined) return this.trace.heading(`${to} is down for ${heard}`);
    this.step(node, `${to} hears ${heard}`, (process) => process.onMessage(node, from, message));
  }

  drop(pending: Pending<V>): void {
    this.remove(pending);
    this.trace.heading(`lost ${this.describe(pending)}`);
  }

  delay(pending: Pending<V>): void {
    this.remove(pending);
    this.pending.push({ ...pending, late: true });
    this.trace.heading(`late ${this.describe(pending)}`);
  }

  duplicate(pending: Pending<V>): void {
    this.pending.push({ ...pending });
    this.trace.heading(`twice ${this.describe(pending)}`);
  }

  /** Delivers, oldest first, until nothing is under way among `among`. */
  settle(among: readonly NodeId[]): void {
    for (let delivered = 0; ; delivered++) {
      const next = this.pending.find(
        ({ from, to, late }) => !late && among.includes(from) && among.includes(to),
      );
      if (next === undefined) return;
      invariant(delivered < ENOUGH, "the cluster comes to rest");
      this.deliver(next);
    }
  }

  sever(from: NodeId, to: NodeId): void {
    this.cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.cut.clear();
  }

  transmit(from: NodeId, to: NodeId, message: V["Message"], mark: string): void {
    const lost = this.cut.has(`${from}>${to}`);
    this.trace.send(mark, to, this.language.message(message) + (lost ? " (lost)" : ""));
    if (!lost) this.pending.push({ from, to, message, late: false });
  }

  describe({ from, to, message }: Pending<V>): string {
    return `${from}>${to} ${this.language.message(message)}`;
  }

  private running(id: NodeId): TranscriptNode<V, P> {
    const node = this.node(id);
    invariant(node.process !== undefined, `${id} is down`);
    return node;
  }

  private remove(pending: Pending<V>): void {
    this.pending.splice(this.pending.indexOf(pending), 1);
  }

  private step(node: TranscriptNode<V, P>, heading: string, act: (process: P) => void): void {
    this.trace.heading(heading);
    const { process } = node;
    invariant(process !== undefined, "only a node that is up takes a step");
    this.guard(node, () => {
      act(process);
      node.settle();
    });
  }

  /** A broken invariant stops its node, as a driver would; anything else is a fault of the script. */
  private guard(node: TranscriptNode<V, P>, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      if (this.fatal) this.trace.heading(`${node.self} stops: ${error.message}`);
      else this.trace.alarm(`${node.self} stops: ${error.message}`);
      node.crash();
    }
    const up = [...this.nodes].flatMap(([id, { process }]) =>
      process === undefined ? [] : [[id, process] as const],
    );
    const broken = this.language.check?.(up);
    if (broken !== undefined) this.trace.alarm(broken);
  }
}
