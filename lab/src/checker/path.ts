/**
 * One run of a model, step by step: how counterexamples are replayed, how a
 * search is given a state to begin in, and how the contract is examined. It knows
 * nothing of the search, only of what one step does to one node.
 */

import {
  invariant,
  type NodeId,
  type Process,
  unreachable,
  type Vocabulary,
} from "@quorate/kernel";

import { type Action, actionText } from "./action.ts";
import { isSame } from "./interning.ts";
import { settingsOf } from "./locals.ts";
import type { Envelope, Happening, Model, View } from "./model.ts";
import { blank, type NodeEvent, type NodeState, runStep, type StepResult } from "./node.ts";

/** A step that cannot be taken in the state it is asked of. */
export class ImpossibleAction extends Error {
  override readonly name = "ImpossibleAction";
}

export class Path<V extends Vocabulary, P extends Process<V>, H = undefined> {
  /** What happened, in order. */
  readonly actions: Action<V>[] = [];
  /** Messages on their way, oldest first. */
  readonly messages: Envelope<V>[] = [];
  readonly nodes: NodeState<V, P>[];
  history: H;
  /** By node: how many of its asks were made. */
  readonly asked: number[];
  ticks = 0;
  /** The claim that broke, if one did: nothing follows it. */
  failure: string | undefined;
  private readonly model: Model<V, P, H>;
  private readonly started: boolean[];

  /** All nodes are down and have empty disks: see {@link startAll}. */
  constructor(model: Model<V, P, H>) {
    this.model = model;
    this.nodes = model.nodes.map((id) => blank<V, P>(model.create(id)));
    this.started = model.nodes.map(() => false);
    this.asked = model.nodes.map(() => 0);
    // Without a variable nobody looks at its value.
    this.history = model.history === undefined ? (undefined as H) : model.history.initial;
  }

  /** Takes steps one after the other. Nodes that the first of them do not start are started. */
  static along<V extends Vocabulary, P extends Process<V>, H>(
    model: Model<V, P, H>,
    actions: readonly Action<V>[],
  ): Path<V, P, H> {
    const path = new Path<V, P, H>(model);
    for (const action of actions) {
      if (action.type !== "start") path.startAll();
      path.perform(action);
    }
    path.startAll();
    return path;
  }

  /** Starts the nodes that were never up. */
  startAll(): void {
    for (const [i, id] of this.model.nodes.entries()) {
      if (!this.started[i]) this.act(i, { type: "start" }, [], { type: "start", node: id }, false);
    }
  }

  /**
   * Takes one step.
   * @throws ImpossibleAction if the state does not allow it.
   */
  perform(action: Action<V>): StepResult<V, P> | undefined {
    const script = action.choices ?? [];
    switch (action.type) {
      case "deliver":
      case "duplicate": {
        const { from, message } = action;
        const { keepsMessages } = this;
        const at = this.find(action);
        if (action.type === "deliver" && !keepsMessages) this.messages.splice(at, 1);
        return this.act(
          this.up(action.to, action),
          { type: "deliver", from, message },
          script,
          action,
        );
      }
      case "drop":
        this.messages.splice(this.find(action), 1);
        this.actions.push(action);
        return undefined;
      case "tick":
        this.ticks++;
        this.actions.push(action);
        return undefined;
      case "ask":
        return this.ask(action, script);
      case "start":
        return this.act(this.indexOf(action.node), { type: "start" }, script, action);
      case "timeout":
      case "sync":
      case "crash":
      case "hint":
        return this.act(this.up(action.node, action), action, script, action);
      default:
        return unreachable(action);
    }
  }

  // Words to direct a run with.

  /** Delivers the oldest message that matches. */
  deliver(matches: (envelope: Envelope<V>) => boolean): StepResult<V, P> | undefined {
    const envelope = this.messages.find(matches);
    if (envelope === undefined) throw new ImpossibleAction("no such message is on its way");
    return this.perform({ type: "deliver", ...envelope });
  }

  /** Everything that a node has persisted becomes durable, until nothing is pending. */
  sync(node: NodeId): void {
    const i = this.indexOf(node);
    while (this.nodes[i]!.pending.length > 0) {
      this.perform({ type: "sync", node, count: this.nodes[i]!.pending.length });
    }
  }

  /** Makes every write durable and delivers every message that matches, until none is left. */
  settle(matches: (envelope: Envelope<V>) => boolean = () => true): void {
    invariant(!this.keepsMessages, "messages that are never taken away never settle");
    for (;;) {
      for (const node of this.model.nodes) this.sync(node);
      const envelope = this.messages.find(
        (other) => matches(other) && this.process(other.to) !== undefined,
      );
      if (envelope === undefined) return;
      this.perform({ type: "deliver", ...envelope });
    }
  }

  timeout(node: NodeId, timer: V["Timer"]): void {
    this.perform({ type: "timeout", node, timer });
  }

  process(node: NodeId): P | undefined {
    return this.nodes[this.indexOf(node)]!.process;
  }

  /** The promise that is broken now, if one is. */
  get broken(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    return this.model.history?.broken?.(this.history) ?? this.model.always?.(this.view());
  }

  view(): View<V, P, H> {
    const nodes = this.model.nodes.map((id, i) => {
      const { process, image: recovered } = this.nodes[i]!;
      return { id, process, recovered };
    });
    return { nodes, history: this.history, messages: () => [...this.messages] };
  }

  private get keepsMessages(): boolean {
    return this.model.network === "persistent";
  }

  private ask(
    action: Extract<Action<V>, { readonly type: "ask" }>,
    script: readonly number[],
  ): StepResult<V, P> {
    const node = this.up(action.node, action);
    this.asked[node]!++;
    const { request } = action;
    return this.act(node, { type: "ask", id: action.ask + 1, request }, script, action);
  }

  private act(
    node: number,
    event: NodeEvent<V>,
    script: readonly number[],
    action: Action<V>,
    told = true,
  ): StepResult<V, P> {
    const id = this.model.nodes[node]!;
    const before = this.nodes[node]!;
    if (event.type === "timeout" && !before.timers.includes(event.timer)) this.refuse(action);
    if (event.type === "sync" && event.count > before.pending.length) this.refuse(action);
    if (event.type === "start" && before.process !== undefined) this.refuse(action);
    if (told) this.actions.push(action);
    this.started[node] = true;
    const now = this.ticks * (this.model.tickMs ?? 0);
    const result = runStep<V, P>(settingsOf(this.model), id, before, event, now, script);
    this.failure ??= result.failure;
    if (result.failure !== undefined) return result;
    this.nodes[node] = result.state;
    for (const envelope of result.sent) this.send(envelope);
    for (const told of result.told) if (told.type !== "note") this.see(id, told);
    const { process, image: recovered } = result.state;
    if (process !== undefined) this.see(id, { type: "step", process, recovered });
    return result;
  }

  private see(node: NodeId, happening: Happening<V, P>): void {
    if (this.model.history === undefined) return;
    this.history = this.model.history.after(this.history, node, happening);
  }

  private send(envelope: Envelope<V>): void {
    const { network, nodes } = this.model;
    if (!nodes.includes(envelope.to) || this.model.loses?.(envelope) === true) return;
    const merges = network === "persistent" || network === "merging";
    if (merges && this.messages.some((other) => isSame(other, envelope))) return;
    this.messages.push(envelope);
  }

  private find(action: Action<V> & Envelope<V>): number {
    const { from, to, message } = action;
    const at = this.messages.findIndex((other) => isSame(other, { from, to, message }));
    if (at < 0) this.refuse(action);
    const isFirst = (other: Envelope<V>): boolean => other.from === from && other.to === to;
    if (this.model.network === "ordered" && this.messages.findIndex(isFirst) !== at) {
      this.refuse(action);
    }
    return at;
  }

  private up(node: NodeId, action: Action<V>): number {
    const i = this.indexOf(node);
    if (this.nodes[i]!.process === undefined) this.refuse(action);
    return i;
  }

  private indexOf(node: NodeId): number {
    const i = this.model.nodes.indexOf(node);
    invariant(i >= 0, `the model has no node ${node}`);
    return i;
  }

  private refuse(action: Action<V>): never {
    throw new ImpossibleAction(`cannot happen here: ${actionText(action)}`);
  }
}
