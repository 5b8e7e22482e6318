/**
 * What happened in a run, step by step, with what led to what: the format that
 * the text view, the page and other tools read. Plain JSON, one event a line
 * when written to a file.
 */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

import { type Action, actionText } from "../run/action.ts";
import type { Spectator } from "../run/play.ts";
import { RunError } from "../run/run.ts";
import type { Kind } from "../simulator/happening.ts";
import type { Words } from "../subject.ts";

/** Something that a node did within a step, in the order of doing. */
export type Effect =
  /** `delays`: in how many milliseconds each copy arrives, where nothing holds it up; none if it is lost. */
  | {
      readonly type: "send";
      readonly to: NodeId;
      readonly text: string;
      readonly eager: boolean;
      readonly delays: readonly number[];
    }
  | { readonly type: "persist" | "note" | "output" | "reply"; readonly text: string };

export interface TraceEvent {
  /** The number of the step; that of the step before for what is done from outside. */
  readonly step: number;
  readonly atMs: number;
  /** Who takes the step; nobody where the network or several nodes are concerned. */
  readonly node?: NodeId;
  readonly kind: Kind | "start" | "stop" | "action";
  /** The step that sent the message, armed the timer or began the write. */
  readonly cause?: number;
  /** The sender of a message, or who is unreachable. */
  readonly from?: NodeId;
  /** What led to the step: the message, the timer, the request. */
  readonly text: string;
  readonly effects: readonly Effect[];
  /** The node's state after the step, if it reads differently from before. */
  readonly state?: string;
}

/** A trace is held in memory, a kilobyte or so for each event. */
const TRACED = 500_000;

/** Collects a trace. Give it to `play` as the spectator: a run that was only played is traced by playing it again. */
export class Tracer implements Spectator {
  readonly events: TraceEvent[] = [];
  private readonly words: Words<Vocabulary, Process<Vocabulary>>;
  private readonly states: Map<NodeId, string> = new Map();
  private effects: Effect[] = [];
  private current: Omit<TraceEvent, "effects"> | undefined;
  private world: { readonly now: number; readonly steps: number } = { now: 0, steps: 0 };

  private readonly most: number;

  /** @param most - How many events it takes; a run of more is not traced. */
  constructor(words: Words<Vocabulary, Process<Vocabulary>>, most: number = TRACED) {
    this.words = words;
    this.most = most;
  }

  opened(world: { readonly now: number; readonly steps: number }): void {
    this.world = world;
  }

  steps(node: NodeId, kind: Kind | "start", from: NodeId, payload: unknown, cause: number): void {
    this.flush();
    const { now, steps } = this.world;
    const about = kind === "message" || kind === "unreachable" ? { from } : {};
    const text = this.describe(kind, payload);
    this.current = { step: steps, atMs: now, node, kind, cause, ...about, text };
  }

  private describe(kind: Kind | "start", payload: unknown): string {
    switch (kind) {
      case "message":
        return this.words.message(payload);
      case "timer":
        return String(payload);
      case "request":
        return this.words.request(payload);
      default:
        return "";
    }
  }

  stepped(node: NodeId, process: Process<Vocabulary>): void {
    const state = this.words.state(process);
    const changed = this.states.get(node) !== state;
    this.states.set(node, state);
    this.flush(changed ? state : undefined);
  }

  stopped(node: NodeId, kept: number): void {
    this.flush();
    this.states.delete(node);
    const { now, steps } = this.world;
    const text = kept === 0 ? "" : `${kept} unsynced records survive`;
    this.add({ step: steps, atMs: now, node, kind: "stop", text, effects: [] });
  }

  acted(action: Action): void {
    this.flush();
    if (action.type === "ask") return; // The request shows when it is handed over.
    const { now, steps } = this.world;
    const node = "node" in action ? { node: action.node } : {};
    const text = actionText(action);
    this.add({ step: steps, atMs: now, kind: "action", ...node, text, effects: [] });
  }

  sent(
    _from: NodeId,
    to: NodeId,
    message: unknown,
    eager: boolean,
    delays: readonly number[],
  ): void {
    this.effects.push({ type: "send", to, text: this.words.message(message), eager, delays });
  }

  persisted(_node: NodeId, record: unknown): void {
    this.effects.push({ type: "persist", text: this.words.record(record) });
  }

  noted(_node: NodeId, note: unknown): void {
    this.effects.push({ type: "note", text: this.words.note(note) });
  }

  said(_node: NodeId, output: unknown): void {
    this.effects.push({ type: "output", text: this.words.output(output) });
  }

  answered(_node: NodeId, _request: number, response: unknown): void {
    this.effects.push({ type: "reply", text: this.words.response(response) });
  }

  /** @throws RunError for a run of more events than a trace can have. */
  private add(event: TraceEvent): void {
    if (this.events.length >= this.most) {
      const text = `a trace of more than ${this.most} events, at ${event.atMs} ms; end the run before, with until=${event.atMs}`;
      throw new RunError(text);
    }
    this.events.push(event);
  }

  /** The trace so far. */
  finish(): readonly TraceEvent[] {
    this.flush();
    return this.events;
  }

  private flush(state?: string): void {
    const { current, effects } = this;
    this.current = undefined;
    this.effects = [];
    if (current === undefined) return;
    this.add(state === undefined ? { ...current, effects } : { ...current, effects, state });
  }
}
