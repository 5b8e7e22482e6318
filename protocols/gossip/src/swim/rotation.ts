/**
 * Draws every number below a size once, in random order, then begins anew: the
 * shuffled round robin by which SWIM (§4.3) bounds the time until a crash is
 * noticed.
 *
 * The shuffle is Fisher and Yates's, done as far as it was drawn: what has not
 * moved is not stored. So it costs nothing up front, and a number that is added
 * is as likely to come next as any other that is left.
 */

import type { Context } from "@quorate/kernel";

import type { GossipWords } from "../words.ts";

export class Rotation {
  private drawn = 0;
  /** Positions that hold another number than their own. */
  private readonly moved: Map<number, number> = new Map();

  /** The next number below `size`, or `undefined` once all were drawn. */
  draw(ctx: Context<GossipWords>, size: number): number | undefined {
    if (this.drawn >= size) return undefined;
    const first = this.drawn++;
    const chosen = first + ctx.choose(size - first);
    const number = this.moved.get(chosen) ?? chosen;
    const displaced = this.moved.get(first) ?? first;
    this.moved.delete(first);
    if (chosen !== first) this.moved.set(chosen, displaced);
    return number;
  }

  restart(): void {
    this.drawn = 0;
    this.moved.clear();
  }
}
