/**
 * When a replica's state is to be checkpointed, and who waits for it. All who ask
 * before the next checkpoint are answered by that one. It may be long in coming:
 * none is taken while a snapshot arrives. So only so many may wait, and whoever
 * comes after them is told so.
 */

import type { RequestId } from "@quorate/kernel";

import type { PieceSource } from "./snapshots.ts";

/** How many may wait for one checkpoint. Each of them gets the same answer: nobody needs so many. */
const MOST_WAITING = 1_000;

export class Checkpoints {
  /** Bytes of entries applied since the last one. */
  private loggedBytes = 0;
  /** The state as it was last checkpointed, for its size. */
  private lastImage: PieceSource | undefined;
  private asked: RequestId[] = [];

  /** How many wait. */
  get waiting(): number {
    return this.asked.length;
  }

  /** Somebody wants one now. Returns whether they are answered with the next one: not if too many are already. */
  ask(id: RequestId): boolean {
    if (this.asked.length >= MOST_WAITING) return false;
    this.asked.push(id);
    return true;
  }

  /** An entry was applied that the log would need no more. */
  logged(bytes: number): void {
    this.loggedBytes += bytes;
  }

  /** The disk holds much that a checkpoint would free. */
  hasten(): void {
    this.loggedBytes = Infinity;
  }

  /** @param leastBytes - Of log that are worth a checkpoint of a small state. */
  isDue(leastBytes: number): boolean {
    // Writing a large state for little log would be most of the writing there is.
    const worth = Math.max(leastBytes, this.lastImage?.bytes ?? 0);
    return this.loggedBytes >= worth || this.asked.length > 0;
  }

  /** One begins. */
  begin(): void {
    this.loggedBytes = 0;
  }

  /** This is what it offers. */
  offered(image: PieceSource): void {
    this.lastImage = image;
  }

  /** Whoever waits for the one that was offered; each is told once. */
  takeAsked(): readonly RequestId[] {
    const { asked } = this;
    this.asked = [];
    return asked;
  }
}
