/** A register: write a value, read the last one written. The plainest thing that can be shared. */

import type { Model, Traits } from "../model.ts";

export type RegisterOp =
  | { readonly type: "write"; readonly value: string }
  /** `value`: what was read; null if nothing had been written. */
  | { readonly type: "read"; readonly value: string | null };

/** Values are told apart from the absence of one by a letter in front. */
function nameOf(value: string | null): string {
  return value === null ? "" : `=${value}`;
}

export const register: Model<string | null, RegisterOp> = {
  name: "register",
  initial: null,
  origin: nameOf(null),

  apply(state: string | null, op: RegisterOp): string | null | undefined {
    if (op.type === "write") return op.value;
    return op.value === state ? state : undefined;
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

  traits(op: RegisterOp): Traits {
    const name = nameOf(op.value);
    if (op.type === "read") return { effect: `read ${name}`, readOnly: true, needs: name };
    return { effect: `write ${name}`, readOnly: false, needs: null, leaves: name };
  },
};
