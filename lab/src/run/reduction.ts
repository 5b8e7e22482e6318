/**
 * Leaves out of a failing run what it can do without (delta debugging, Zeller &
 * Hildebrandt 2002). What is left out comes out the dull way, so what is left is
 * what matters. All else goes as it went in the whole run at about the same time
 * (`timed-answers.ts`); where that leads no further, as it went when it was asked
 * for as often.
 */

import type { NodeId } from "@quorate/kernel";

import { type Answer, decisionsOf, type Entry, isDecision, leaveOut } from "./chronicle.ts";
import { concernOf } from "./intervention.ts";
import { BUDGET, type Finding, type Outcome } from "./play.ts";
import type { Purse } from "./purse.ts";
import { LISTED, type Run } from "./run.ts";
import { lanesOf, type Past } from "./timed-answers.ts";

/** A failing run, written down. */
export interface Written {
  /** As a list of its decisions. */
  readonly run: Run;
  readonly finding: Finding;
  readonly entries: readonly Entry[];
}

export function writtenDown(run: Run, { decisions, entries }: Outcome, finding: Finding): Written {
  const list = { ...run, scenario: LISTED, interventions: decisions, until: finding.atMs };
  return { run: list, finding, entries };
}

/** How the answers of a run are found again: asked for so many milliseconds sooner or later, or as often. */
type Alignment = number | "counted";

/** Tried in turn. */
const ALIGNMENTS: readonly Alignment[] = [3, 30, "counted"];
/** A run may take so many times the steps of the one that was found: who waits less, does more in the same time. */
const SLACK = 4;
/** So much later than before may a run fail whose times were changed. */
const SLACK_MS = 200;
/** No stretch that is left out is shorter. */
const SHORTEST_MS = 8;
/** Nor than this part of the run. */
const STRETCHES = 64;

const NOTHING: ReadonlySet<Entry> = new Set();

export class Reduction {
  private readonly purse: Purse;
  private readonly nodes: readonly NodeId[];
  private readonly maxSteps: number;
  private best: Written;
  private lanes: Past["lanes"];
  private alignment: Alignment = "counted";

  /** @param purse - What the replays may take. */
  constructor(purse: Purse, nodes: readonly NodeId[], found: Written) {
    this.purse = purse;
    this.nodes = nodes;
    this.maxSteps = Math.min(found.finding.step * SLACK, BUDGET);
    this.best = found;
    this.lanes = lanesOf(nodes, found.entries);
  }

  /** The smallest run that comes of it and breaks the same claim. */
  reduce(): Written {
    let vain = 0;
    for (let round = 0; vain < ALIGNMENTS.length && !this.purse.isSpent; round++) {
      const before = this.best;
      this.alignment = ALIGNMENTS[round % ALIGNMENTS.length]!;
      this.dropGroups(kindOf);
      this.dropGroups(placeOf);
      this.dropChunks();
      this.dropStretches();
      this.mergeDelays();
      vain = this.best === before ? vain + 1 : 0;
    }
    this.shorten();
    return this.best;
  }

  private get size(): number {
    return this.best.run.interventions.length;
  }

  private get decisions(): readonly Entry[] {
    return this.best.entries.filter(isDecision);
  }

  private dropGroups(groupOf: (entry: Entry) => string): void {
    for (const group of new Set(this.decisions.map(groupOf))) {
      const members = this.decisions.filter((entry) => groupOf(entry) === group);
      if (members.length > 0) this.drop(members);
    }
  }

  private dropChunks(): void {
    this.inChunks(
      1,
      () => this.decisions,
      (chunk) => this.drop(chunk),
    );
  }

  /** Calls `change` with halves of a list, quarters and so on, as long as a chunk holds `least`. */
  private inChunks<T>(
    least: number,
    list: () => readonly T[],
    change: (chunk: readonly T[]) => boolean,
  ): void {
    let all = list();
    for (let size = all.length >> 1; size >= least; size >>= 1) {
      // From the end: what came last depends on nothing that follows.
      for (let end = all.length; end >= least; end -= size) {
        if (end > all.length) continue;
        if (change(all.slice(Math.max(0, end - size), end))) all = list();
      }
    }
  }

  private drop(decisions: readonly Entry[]): boolean {
    const { entries, finding } = this.best;
    return this.keepIfSmaller(this.played(entries, finding.atMs, new Set(decisions)));
  }

  /** Puts one long delay in the place of several, one after the other. */
  private mergeDelays(): void {
    const delays = (): readonly Answer[] => this.best.entries.filter(isDelay);
    this.inChunks(2, delays, (chunk) => {
      const [first, ...rest] = chunk;
      const last = rest.at(-1);
      if (first === undefined || last === undefined) return false;
      const entries = this.with(first, last.at + last.value - first.at);
      return this.keepIfSmaller(this.played(entries, this.best.finding.atMs, new Set(rest)));
    });
  }

  /**
   * Leaves out stretches of the time in which something is decided: all but the last
   * few moments of it first, then shorter and shorter ones anywhere.
   */
  private dropStretches(): void {
    for (let last = SHORTEST_MS; last < this.decidedMs; last *= 2) {
      this.dropStretch(1, this.decidedMs - last);
    }
    const shortest = Math.max(SHORTEST_MS, this.decidedMs / STRETCHES);
    for (let ms = this.decidedMs >> 1; ms >= shortest; ms >>= 1) {
      for (let to = this.decidedMs; to > 1; to -= ms) {
        if (to <= this.decidedMs) this.dropStretch(Math.max(1, to - ms), to);
      }
    }
  }

  /** When the last decision is made. */
  private get decidedMs(): number {
    return this.decisions.at(-1)?.at ?? 0;
  }

  private dropStretch(from: number, to: number): void {
    if (to <= from) return;
    const entries = leaveOut(this.best.entries, { from, to });
    const until = this.best.finding.atMs - to + from + SLACK_MS;
    const played = this.played(entries, until);
    if (played === undefined || played.run.interventions.length > this.size) return;
    // What takes less time is easier to read, even if as much is decided in it.
    const { step, atMs } = this.best.finding;
    const { finding } = played;
    if (finding.step < step || (finding.step === step && finding.atMs < atMs)) this.keep(played);
  }

  /** Makes delays that must be longer than usual as short as they can be. */
  private shorten(): void {
    for (let i = this.size - 1; i >= 0;) {
      const entry = this.decisions[i];
      if (entry?.type !== "answer" || !this.shortened(entry)) i--;
    }
  }

  private shortened(answer: Answer): boolean {
    if (answer.value <= 2) return false;
    const entries = this.with(answer, answer.value >> 1);
    const played = this.played(entries, this.best.finding.atMs + SLACK_MS);
    if (played === undefined || played.run.interventions.length > this.size) return false;
    this.keep(played);
    return true;
  }

  private with(answer: Answer, value: number): readonly Entry[] {
    const { entries } = this.best;
    return entries.with(entries.indexOf(answer), { ...answer, value });
  }

  /** Plays what is left of a run, and writes it down if the claim breaks. */
  private played(
    entries: readonly Entry[],
    until: number,
    gone: ReadonlySet<Entry> = NOTHING,
  ): Written | undefined {
    if (this.purse.isSpent) return undefined;
    const { alignment } = this;
    const list = decisionsOf(entries, gone);
    const counted = alignment === "counted";
    const interventions = counted ? list : list.filter(({ type }) => type === "action");
    const run = { ...this.best.run, interventions, until };
    const lanes = entries === this.best.entries ? this.lanes : lanesOf(this.nodes, entries);
    const past = counted ? {} : { past: { lanes, gone, leewayMs: alignment } };
    const options = { ...past, budget: this.maxSteps };
    const { claim } = this.best.finding;
    if (this.purse.play(run, options).finding?.claim !== claim) return undefined;
    // Only what is kept is worth writing down: that takes longer than the run.
    const outcome = this.purse.play(run, { ...options, record: true });
    return outcome.finding && writtenDown(run, outcome, outcome.finding);
  }

  private keepIfSmaller(played: Written | undefined): boolean {
    if (played === undefined || played.run.interventions.length >= this.size) return false;
    this.keep(played);
    return true;
  }

  private keep(played: Written): void {
    this.best = played;
    this.lanes = lanesOf(this.nodes, played.entries);
  }
}

/** What is tried to be left out altogether. */
function kindOf(entry: Entry): string {
  return entry.type === "action" ? entry.action.type : concernOf(entry);
}

/** All of one kind on one node or link. */
function placeOf(entry: Entry): string {
  if (entry.type === "answer") return `${kindOf(entry)} ${entry.on}`;
  return `${kindOf(entry)} ${"node" in entry.action ? entry.action.node : ""}`;
}

function isDelay(entry: Entry): entry is Answer {
  if (entry.type === "action" || entry.dull || entry.value <= 0) return false;
  return entry.kind === "message" || entry.kind === "write";
}
