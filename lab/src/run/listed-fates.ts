/** Fates written down, and fates read from what was written down. */

import type { NodeId } from "@quorate/kernel";

import { type Fates, LOST } from "../simulator/fates.ts";
import { type Fate, type FateKind, fateKey, type Intervention } from "./intervention.ts";

/** How many times each question was asked. */
class Counts {
  private readonly counts: Map<string, number> = new Map();

  next(question: string): number {
    const count = this.counts.get(question) ?? 0;
    this.counts.set(question, count + 1);
    return count;
  }
}

/** A timer's name as one word of a token. */
function word(timer: string): string {
  return encodeURIComponent(timer).replaceAll(".", "%2E").replaceAll("~", "%7E");
}

/**
 * Answers from a list; what is not on it comes out the dull way: messages take a
 * millisecond and arrive once, writes too, crashes lose all that was not synced,
 * and timers keep a fixed distance from each other.
 */
export class ListedFates implements Fates {
  private readonly nodes: readonly NodeId[];
  private readonly listed: ReadonlyMap<string, number>;
  private readonly counts: Counts = new Counts();

  constructor(nodes: readonly NodeId[], fates: readonly Fate[]) {
    this.nodes = nodes;
    this.listed = new Map(fates.map((f) => [fateKey(f.kind, f.on, f.nth), f.value]));
  }

  message(from: number, to: number): number {
    return this.find("message", this.link(from, to)) ?? 1;
  }

  copy(from: number, to: number): number {
    return this.find("copy", this.link(from, to)) ?? LOST;
  }

  jitter(node: number, timer: string, range: number): number {
    const listed = this.find("timer", `${this.nodes[node]}.${word(timer)}`);
    return Math.min(range, listed ?? dullJitter(node, this.nodes.length, range));
  }

  write(node: number): number {
    return this.find("write", this.nodes[node]!) ?? 1;
  }

  losesCheckpoint(node: number): boolean {
    return this.find("unfinished", this.nodes[node]!) === 1;
  }

  busy(node: number): boolean {
    return this.find("busy", this.nodes[node]!) === 1;
  }

  choice(node: number, count: number): number {
    const on = this.nodes[node]!;
    const nth = this.counts.next(`choice.${on}`);
    const listed = this.listed.get(fateKey("choice", on, nth)) ?? dullChoice(node, nth, count);
    return listed % count;
  }

  kept(node: number, unsynced: number): number {
    return Math.min(unsynced, this.find("kept", this.nodes[node]!) ?? 0);
  }

  hint(node: number, gone: number): number {
    return this.find("hint", this.link(node, gone)) ?? LOST;
  }

  rate(node: number): number {
    return this.find("rate", this.nodes[node]!) ?? 0;
  }

  offset(node: number): number {
    return this.find("offset", this.nodes[node]!) ?? 0;
  }

  calm(): void {
    // What is not on the list is calm already.
  }

  private link(from: number, to: number): string {
    return `${this.nodes[from]}.${this.nodes[to]}`;
  }

  private find(kind: FateKind, on: string): number | undefined {
    return this.listed.get(fateKey(kind, on, this.counts.next(`${kind}.${on}`)));
  }
}

/** The later a node is named, the more patient: no two are due together for ever. */
function dullJitter(node: number, count: number, range: number): number {
  return Math.floor((range * node) / count);
}

/** Everybody in turn. */
function dullChoice(node: number, nth: number, count: number): number {
  return (node + nth) % count;
}

/** Passes questions on and writes down every answer that is not the dull one. */
export class WritingFates implements Fates {
  private readonly nodes: readonly NodeId[];
  private readonly inner: Fates;
  private readonly log: Intervention[];
  private readonly counts: Counts = new Counts();

  constructor(nodes: readonly NodeId[], inner: Fates, log: Intervention[]) {
    this.nodes = nodes;
    this.inner = inner;
    this.log = log;
  }

  message(from: number, to: number, crowded: boolean, now: number): number {
    const value = this.inner.message(from, to, crowded, now);
    return this.noted("message", `${this.nodes[from]}.${this.nodes[to]}`, value, 1);
  }

  copy(from: number, to: number): number {
    const value = this.inner.copy(from, to);
    return this.noted("copy", `${this.nodes[from]}.${this.nodes[to]}`, value, LOST);
  }

  jitter(node: number, timer: string, range: number): number {
    const value = this.inner.jitter(node, timer, range);
    const dull = dullJitter(node, this.nodes.length, range);
    return this.noted("timer", `${this.nodes[node]}.${word(timer)}`, value, dull);
  }

  write(node: number): number {
    return this.noted("write", this.nodes[node]!, this.inner.write(node), 1);
  }

  losesCheckpoint(node: number): boolean {
    const value = this.inner.losesCheckpoint(node);
    return this.noted("unfinished", this.nodes[node]!, value ? 1 : 0, 0) === 1;
  }

  busy(node: number): boolean {
    return this.noted("busy", this.nodes[node]!, this.inner.busy(node) ? 1 : 0, 0) === 1;
  }

  choice(node: number, count: number): number {
    const on = this.nodes[node]!;
    const value = this.inner.choice(node, count);
    const nth = this.counts.next(`choice.${on}`);
    if (value !== dullChoice(node, nth, count)) {
      this.log.push({ type: "fate", kind: "choice", on, nth, value });
    }
    return value;
  }

  kept(node: number, unsynced: number): number {
    return this.noted("kept", this.nodes[node]!, this.inner.kept(node, unsynced), 0);
  }

  hint(node: number, gone: number): number {
    const value = this.inner.hint(node, gone);
    return this.noted("hint", `${this.nodes[node]}.${this.nodes[gone]}`, value, LOST);
  }

  rate(node: number): number {
    return this.noted("rate", this.nodes[node]!, this.inner.rate(node), 0);
  }

  offset(node: number): number {
    return this.noted("offset", this.nodes[node]!, this.inner.offset(node), 0);
  }

  calm(): void {
    this.inner.calm();
  }

  private noted(kind: FateKind, on: string, value: number, dull: number): number {
    const nth = this.counts.next(`${kind}.${on}`);
    if (value !== dull) this.log.push({ type: "fate", kind, on, nth, value });
    return value;
  }
}
