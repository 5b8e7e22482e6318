/** A first-in-first-out queue. */

import { unreachable } from "@quorate/kernel";

import type { Model, Traits } from "../model.ts";

export type QueueOp =
  | { readonly type: "enqueue"; readonly value: string }
  /** The value that came out; null if the queue was empty, undefined if that is unknown. */
  | { readonly type: "dequeue"; readonly value: string | null | undefined };

export const queue: Model<readonly string[], QueueOp> = {
  name: "queue",
  initial: [],

  apply(state: readonly string[], op: QueueOp): readonly string[] | undefined {
    switch (op.type) {
      case "enqueue":
        return [...state, op.value];
      case "dequeue":
        if (op.value === null) return state.length === 0 ? state : undefined;
        if (state.length === 0) return undefined;
        return op.value === undefined || op.value === state[0] ? state.slice(1) : undefined;
      default:
        return unreachable(op);
    }
  },

  hash(state: readonly string[]): number {
    let hash = state.length;
    for (const value of state) {
      for (let i = 0; i < value.length; i++) {
        hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
      }
      hash = Math.imul(hash ^ (hash >>> 15) ^ value.length, 0x85ebca6b);
    }
    return hash;
  },

  equal: (a: readonly string[], b: readonly string[]): boolean =>
    a.length === b.length && a.every((value, i) => value === b[i]),

  traits(op: QueueOp): Traits {
    if (op.type === "enqueue") return { effect: `enqueue ${op.value}`, readOnly: false };
    if (op.value === undefined) return { effect: "dequeue", readOnly: false };
    if (op.value === null) return { effect: "empty", readOnly: true };
    return { effect: `dequeue ${op.value}`, readOnly: false };
  },
};
