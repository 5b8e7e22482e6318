/** Fates that are dull, fates written down, and fates read from what was written down. */

import type { NodeId } from "@quorate/kernel";

import { type Fates, LOST } from "../simulator/fates.ts";
import { Counts, type Fate, type FateKind } from "./intervention.ts";

/**
 * Everything comes out the dull way: messages take a millisecond and arrive once,
 * writes too, crashes lose all that was not synced. Only what would tie for ever
 * is told apart: the later a node is named, the more patient it is.
 */
export class DullFates implements Fates {
  private readonly size: number;
  private readonly counts: Counts = new Counts();

  constructor(size: number) {
    this.size = size;
  }

  message(): number {
    return 1;
  }

  copy(): number {
    return LOST;
  }

  jitter(node: number, _timer: string, range: number): number {
    return Math.floor((range * node) / this.size);
  }

  write(): number {
    return 1;
  }

  losesCheckpoint(): boolean {
    return false;
  }

  busy(): boolean {
    return false;
  }

  /** Everybody in turn. */
  choice(node: number, count: number): number {
    return (node + this.counts.next("choice", `${node}`)) % count;
  }

  kept(): number {
    return 0;
  }

  hint(): number {
    return LOST;
  }

  rate(): number {
    return 0;
  }

  offset(): number {
    return 0;
  }

  calm(): void {
    // It is.
  }
}

/** A run's questions, answered as somebody has written them down. */
export interface Answers {
  /** What comes of the next question of this kind; nothing if it was not written down. */
  next(kind: FateKind, about: About): number | undefined;
}

/** What a question is about, other than in words: the number of a node or a link, a timer. */
export type About = number | string;

/** By kind, then by what it is about. */
export class ByQuestion<T> {
  private readonly kinds: Map<FateKind, Map<About, T>> = new Map();
  private readonly numbers: ReadonlyMap<NodeId, number>;

  constructor(nodes: readonly NodeId[]) {
    this.numbers = new Map(nodes.map((node, i) => [node, i]));
  }

  get(kind: FateKind, about: About): T | undefined {
    return this.kinds.get(kind)?.get(about);
  }

  /** What there is for a question in words, made if there is nothing. */
  for(kind: FateKind, on: string, make: () => T): T {
    const about = this.about(kind, on);
    const known = this.get(kind, about);
    if (known !== undefined) return known;
    const made = make();
    const kinds = this.kinds.get(kind) ?? new Map<About, T>();
    this.kinds.set(kind, kinds.set(about, made));
    return made;
  }

  private about(kind: FateKind, on: string): About {
    const [first = "", second = ""] = on.split(".");
    const node = this.numbers.get(first) ?? 0;
    if (kind === "timer") return timerWord(node, decodeURIComponent(second));
    return second === "" ? node : node * this.numbers.size + (this.numbers.get(second) ?? 0);
  }
}

/** One question of the list, and how often it was asked. */
class Question {
  readonly values: Map<number, number> = new Map();
  private asked = 0;

  next(): number | undefined {
    return this.values.get(this.asked++);
  }
}

/** Answers by how many such questions came before; those that the list does not answer need not be counted. */
export class CountedAnswers implements Answers {
  private readonly questions: ByQuestion<Question>;

  constructor(nodes: readonly NodeId[], fates: readonly Fate[]) {
    this.questions = new ByQuestion(nodes);
    for (const { kind, on, nth, value } of fates) {
      this.questions.for(kind, on, () => new Question()).values.set(nth, value);
    }
  }

  next(kind: FateKind, about: About): number | undefined {
    return this.questions.get(kind, about)?.next();
  }
}

/**
 * Answers as was written down, and otherwise as `usual` would; without it, the dull
 * way. `usual` is asked in any case, so that its dice fall as they would have.
 */
export class ListedFates implements Fates {
  private readonly size: number;
  private readonly answers: Answers;
  private readonly usual: Fates;

  constructor(size: number, answers: Answers, usual: Fates = new DullFates(size)) {
    this.size = size;
    this.answers = answers;
    this.usual = usual;
  }

  private link(from: number, to: number): number {
    return from * this.size + to;
  }

  message(from: number, to: number, crowded: boolean, now: number): number {
    const usual = this.usual.message(from, to, crowded, now);
    return this.find("message", this.link(from, to)) ?? usual;
  }

  copy(from: number, to: number): number {
    const usual = this.usual.copy(from, to);
    return this.find("copy", this.link(from, to)) ?? usual;
  }

  jitter(node: number, timer: string, range: number): number {
    const usual = this.usual.jitter(node, timer, range);
    return Math.min(range, this.find("timer", timerWord(node, timer)) ?? usual);
  }

  write(node: number): number {
    const usual = this.usual.write(node);
    return this.find("write", node) ?? usual;
  }

  losesCheckpoint(node: number): boolean {
    const usual = this.usual.losesCheckpoint(node) ? 1 : 0;
    return (this.find("unfinished", node) ?? usual) === 1;
  }

  busy(node: number): boolean {
    const usual = this.usual.busy(node) ? 1 : 0;
    return (this.find("busy", node) ?? usual) === 1;
  }

  choice(node: number, count: number): number {
    const usual = this.usual.choice(node, count);
    return (this.find("choice", node) ?? usual) % count;
  }

  kept(node: number, unsynced: number): number {
    const usual = this.usual.kept(node, unsynced);
    return Math.min(unsynced, this.find("kept", node) ?? usual);
  }

  hint(node: number, gone: number): number {
    const usual = this.usual.hint(node, gone);
    return this.find("hint", this.link(node, gone)) ?? usual;
  }

  rate(node: number): number {
    const usual = this.usual.rate(node);
    return this.find("rate", node) ?? usual;
  }

  offset(node: number): number {
    const usual = this.usual.offset(node);
    return this.find("offset", node) ?? usual;
  }

  calm(): void {
    this.usual.calm();
  }

  private find(kind: FateKind, about: About): number | undefined {
    return this.answers.next(kind, about);
  }
}

function timerWord(node: number, timer: string): string {
  return `${node} ${timer}`;
}

/** Passes questions on and has every answer written down that is not the dull one. */
export class WritingFates implements Fates {
  private readonly nodes: readonly NodeId[];
  private readonly inner: Fates;
  private readonly dull: Fates;
  private readonly note: (kind: FateKind, on: string, value: number, dull: boolean) => void;

  constructor(nodes: readonly NodeId[], inner: Fates, note: WritingFates["note"]) {
    this.nodes = nodes;
    this.inner = inner;
    this.dull = new DullFates(nodes.length);
    this.note = note;
  }

  message(from: number, to: number, crowded: boolean, now: number): number {
    const value = this.inner.message(from, to, crowded, now);
    return this.noted("message", this.link(from, to), value, 1);
  }

  copy(from: number, to: number): number {
    return this.noted("copy", this.link(from, to), this.inner.copy(from, to), LOST);
  }

  jitter(node: number, timer: string, range: number): number {
    const value = this.inner.jitter(node, timer, range);
    const dull = this.dull.jitter(node, timer, range);
    return this.noted("timer", this.timer(node, timer), value, dull);
  }

  write(node: number): number {
    return this.noted("write", this.node(node), this.inner.write(node), 1);
  }

  losesCheckpoint(node: number): boolean {
    const value = this.inner.losesCheckpoint(node) ? 1 : 0;
    return this.noted("unfinished", this.node(node), value, 0) === 1;
  }

  busy(node: number): boolean {
    return this.noted("busy", this.node(node), this.inner.busy(node) ? 1 : 0, 0) === 1;
  }

  choice(node: number, count: number): number {
    const value = this.inner.choice(node, count);
    return this.noted("choice", this.node(node), value, this.dull.choice(node, count));
  }

  kept(node: number, unsynced: number): number {
    return this.noted("kept", this.node(node), this.inner.kept(node, unsynced), 0);
  }

  hint(node: number, gone: number): number {
    return this.noted("hint", this.link(node, gone), this.inner.hint(node, gone), LOST);
  }

  rate(node: number): number {
    return this.noted("rate", this.node(node), this.inner.rate(node), 0);
  }

  offset(node: number): number {
    return this.noted("offset", this.node(node), this.inner.offset(node), 0);
  }

  calm(): void {
    this.inner.calm();
  }

  private node(node: number): string {
    return this.nodes[node]!;
  }

  private link(from: number, to: number): string {
    return `${this.nodes[from]}.${this.nodes[to]}`;
  }

  /** A timer's name is one word of a token, whatever is in it. */
  private timer(node: number, timer: string): string {
    const word = encodeURIComponent(timer).replaceAll(".", "%2E").replaceAll("~", "%7E");
    return `${this.nodes[node]}.${word}`;
  }

  private noted(kind: FateKind, on: string, value: number, dull: number): number {
    this.note(kind, on, value, value === dull);
    return value;
  }
}
