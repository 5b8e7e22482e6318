/** Dice of which some concerns are silent: what they would decide comes out the dull way. */

import { type Fates, LOST } from "../simulator/fates.ts";
import type { Concern } from "./intervention.ts";
import { DullFates } from "./listed-fates.ts";

/** Asks `loud` in any case, so that its other dice fall as they would have. */
export class QuietFates implements Fates {
  private readonly loud: Fates;
  private readonly dull: Fates;
  private readonly quiet: ReadonlySet<Concern>;

  constructor(size: number, loud: Fates, quiet: ReadonlySet<Concern>) {
    this.loud = loud;
    this.dull = new DullFates(size);
    this.quiet = quiet;
  }

  message(from: number, to: number, crowded: boolean, now: number): number {
    const delay = this.loud.message(from, to, crowded, now);
    const dull = this.dull.message(from, to, crowded, now);
    return this.quiet.has(delay === LOST ? "loss" : "message") ? dull : delay;
  }

  copy(from: number, to: number): number {
    return this.pick("copy", this.loud.copy(from, to), this.dull.copy(from, to));
  }

  jitter(node: number, timer: string, range: number): number {
    const loud = this.loud.jitter(node, timer, range);
    return this.pick("timer", loud, this.dull.jitter(node, timer, range));
  }

  write(node: number): number {
    return this.pick("write", this.loud.write(node), this.dull.write(node));
  }

  losesCheckpoint(node: number): boolean {
    const loud = this.loud.losesCheckpoint(node);
    return this.pick("unfinished", loud, this.dull.losesCheckpoint(node));
  }

  busy(node: number): boolean {
    return this.pick("busy", this.loud.busy(node), this.dull.busy(node));
  }

  choice(node: number, count: number): number {
    return this.pick("choice", this.loud.choice(node, count), this.dull.choice(node, count));
  }

  kept(node: number, unsynced: number): number {
    return this.pick("kept", this.loud.kept(node, unsynced), this.dull.kept(node, unsynced));
  }

  hint(node: number, gone: number): number {
    return this.pick("hint", this.loud.hint(node, gone), this.dull.hint(node, gone));
  }

  rate(node: number): number {
    return this.pick("rate", this.loud.rate(node), this.dull.rate(node));
  }

  offset(node: number): number {
    return this.pick("offset", this.loud.offset(node), this.dull.offset(node));
  }

  calm(): void {
    this.loud.calm();
  }

  private pick<T>(concern: Concern, loud: T, dull: T): T {
    return this.quiet.has(concern) ? dull : loud;
  }
}
