/** Values of a history variable as small integers, and where each sight led from each. */

import type { Process, Vocabulary } from "@quorate/kernel";

import { Interner } from "./interning.ts";
import type { Sight } from "./locals.ts";
import type { History } from "./model.ts";

/** More sights than any model has. */
const SIGHTS = 1 << 24;

export class Histories<V extends Vocabulary, P extends Process<V>, H> {
  private readonly history: History<V, P, H> | undefined;
  private readonly sights: Interner<Sight<V, P>>;
  private readonly values: Interner<H> = new Interner();
  private readonly steps = new Map<number, number>();
  /** By value: the promise it breaks; null for none, a hole where nobody asked yet. */
  private readonly breaches: (string | null)[] = [];

  constructor(history: History<V, P, H> | undefined, sights: Interner<Sight<V, P>>) {
    this.history = history;
    this.sights = sights;
    // Without a variable nobody looks at its value.
    this.values.intern(history === undefined ? (undefined as H) : history.initial);
  }

  at(number: number): H {
    return this.values.at(number);
  }

  intern(value: H): number {
    return this.values.intern(value);
  }

  after(number: number, seen: readonly number[]): number {
    let now = number;
    for (const sight of seen) now = this.next(now, sight);
    return now;
  }

  /** Names the promise that a value breaks. */
  broken(number: number): string | undefined {
    if (this.history?.broken === undefined) return undefined;
    const known = this.breaches[number];
    if (known !== undefined) return known ?? undefined;
    const broken = this.history.broken(this.values.at(number));
    this.breaches[number] = broken ?? null;
    return broken;
  }

  private next(number: number, sight: number): number {
    const step = number * SIGHTS + sight;
    let after = this.steps.get(step);
    if (after === undefined) {
      const { node, happening } = this.sights.at(sight);
      after = this.values.intern(this.history!.after(this.values.at(number), node, happening));
      this.steps.set(step, after);
    }
    return after;
  }
}
