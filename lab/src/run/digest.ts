/** A run in one number: equal for two runs only if the same things happened at the same times. */

import { fingerprint, type NodeId } from "@quorate/kernel";

import type { Kind } from "../simulator/happening.ts";
import type { Action } from "./action.ts";
import type { Spectator } from "./play.ts";

/** Give it to `play` as the spectator; {@link text} tells when the run is over. */
export class RunDigest implements Spectator {
  private low = 0;
  private high = 0;
  private world: { readonly now: number } = { now: 0 };

  opened(world: { readonly now: number }): void {
    this.world = world;
  }

  steps(node: NodeId, kind: Kind | "start", from: NodeId, payload: unknown): void {
    this.add([this.world.now, node, kind, from, payload]);
  }

  acted(action: Action): void {
    this.add([this.world.now, action]);
  }

  sent(
    from: NodeId,
    to: NodeId,
    message: unknown,
    _eager: boolean,
    delays: readonly number[],
  ): void {
    this.add([from, to, message, delays]);
  }

  answered(node: NodeId, _request: number, response: unknown): void {
    this.add([node, response]);
  }

  /** Sixteen hexadecimal digits. */
  get text(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.high) + hex(this.low);
  }

  private add(what: unknown): void {
    const mark = fingerprint(what);
    this.low = Math.imul(this.low ^ (mark | 0), 0x01000193);
    this.high = Math.imul(this.high ^ Math.floor(mark / 0x1_0000_0000), 0x85ebca6b) + this.low;
  }
}
