/**
 * The last changes that a replica took in, as deltas, each with what the
 * replica had seen before it. Whoever has seen that much needs this delta and
 * those after it. Bounded: whoever lacks more gets the whole state (D02).
 */

import { type VersionVector } from "@quorate/clocks";

export interface Change {
  readonly after: VersionVector;
  readonly bytes: Uint8Array;
}

/** Mutable, plain data. */
export class Recent {
  private readonly changes: Change[] = [];
  private size = 0;
  private readonly limitBytes: number;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  add(change: Change): void {
    this.changes.push(change);
    this.size += change.bytes.length;
    while (this.size > this.limitBytes) this.size -= this.changes.shift()!.bytes.length;
  }

  /** What to send to whoever has seen `version`, or `undefined` if too much is gone. */
  since(version: VersionVector): readonly Change[] | undefined {
    // The later the start, the less is sent twice.
    for (let start = this.changes.length - 1; start >= 0; start--) {
      if (version.includes(this.changes[start]!.after)) return this.changes.slice(start);
    }
    return undefined;
  }
}
