/** Steps that may be spent on playing runs again. */

import type { Subject } from "../subject.ts";
import { type Outcome, play, type PlayOptions } from "./play.ts";
import type { Run } from "./run.ts";

export class Purse {
  /** Runs played, and their steps. */
  replays = 0;
  spent = 0;
  private readonly subject: Subject;
  private limit: number;

  /** @param limit - Steps in all; the run that goes beyond is played to its end. */
  constructor(subject: Subject, limit: number) {
    this.subject = subject;
    this.limit = limit;
  }

  get isSpent(): boolean {
    return this.spent >= this.limit;
  }

  /** Leaves at most so many steps in it. */
  keep(steps: number): void {
    this.limit = Math.min(this.limit, this.spent + steps);
  }

  play(run: Run, options: PlayOptions): Outcome {
    const outcome = play(this.subject, run, options);
    this.replays++;
    this.spent += outcome.steps;
    return outcome;
  }
}
