/** A lock that is tried, not waited for: acquire and release both say whether they did. */

import type { Model, Traits } from "../model.ts";

export interface LockOp {
  readonly type: "acquire" | "release";
  /** Who asks. A lock already held is refused to everybody, its holder too. */
  readonly owner: string;
  /** Whether it was granted; undefined if that is unknown. */
  readonly granted: boolean | undefined;
}

/** The state is the holder, or null. */
export const lock: Model<string | null, LockOp> = {
  name: "lock",
  initial: null,
  origin: "free",

  apply(state: string | null, op: LockOp): string | null | undefined {
    const possible = op.type === "acquire" ? state === null : state === op.owner;
    if (op.granted === false) return possible ? undefined : state;
    if (!possible) return undefined;
    return op.type === "acquire" ? op.owner : null;
  },

  hash(state: string | null): number {
    if (state === null) return 0;
    let hash = 1;
    for (let i = 0; i < state.length; i++) {
      hash = Math.imul(hash ^ state.charCodeAt(i), 0x01000193);
    }
    return hash;
  },

  equal: (a: string | null, b: string | null): boolean => a === b,

  traits({ type, owner, granted }: LockOp): Traits {
    const held = `held by ${owner}`;
    const needs = type === "acquire" ? "free" : held;
    if (granted === false) {
      return { effect: `refuse ${type} ${owner}`, readOnly: true, avoids: needs };
    }
    const leaves = type === "acquire" ? held : "free";
    return { effect: `${type} ${owner}`, readOnly: false, needs, leaves };
  },
};
