/**
 * Writes down what is decided in a run, so that the list replays it. A stretch of
 * time may be left out: what comes after it is written as if it had come where the
 * stretch began, with its times moved and its questions counted on from there, and
 * what was in force at the end of the stretch is done at its beginning. Nobody
 * promises that a run without the stretch goes on in the same way. But where a
 * cluster is much the same at both ends, it often does.
 */

import type { Action } from "./action.ts";
import { Counts, type FateKind, type Intervention } from "./intervention.ts";
import { Standing } from "./standing.ts";

/** Milliseconds `[from, to)` of a run. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export class Chronicle {
  readonly decisions: Intervention[] = [];
  /** Where the run is: before the stretch that is left out, in it, or behind it. */
  private place: "before" | "within" | "behind" = "before";
  private counts: Counts = new Counts();
  private readonly stretch: Stretch | undefined;
  private readonly standing: Standing = new Standing();
  /** As they were when the stretch began. */
  private countsThen: Counts = this.counts;
  private standingThen: Standing = this.standing;

  constructor(stretch?: Stretch) {
    this.stretch = stretch;
  }

  act(now: number, action: Action): void {
    const at = this.timeOf(now);
    this.standing.apply(now, action);
    if (at !== undefined) this.decisions.push({ type: "action", at, action });
  }

  /** A question of a kind is answered; `dull` if nobody need write it down. */
  answer(now: number, kind: FateKind, on: string, value: number, dull: boolean): void {
    const at = this.timeOf(now);
    const nth = this.counts.next(kind, on);
    if (!dull && at !== undefined) this.decisions.push({ type: "fate", kind, on, nth, value });
  }

  /** The time under which something is written down, if it is. */
  private timeOf(now: number): number | undefined {
    const { stretch } = this;
    if (stretch === undefined || now < stretch.from) return now;
    if (this.place === "before") {
      this.place = "within";
      this.countsThen = this.counts.copy();
      this.standingThen = this.standing.copy();
    }
    if (now < stretch.to) return undefined;
    if (this.place === "within") {
      this.place = "behind";
      this.counts = this.countsThen;
      for (const action of this.standingThen.actionsTo(this.standing, stretch.to)) {
        this.decisions.push({ type: "action", at: stretch.from, action });
      }
    }
    return now - stretch.to + stretch.from;
  }
}
