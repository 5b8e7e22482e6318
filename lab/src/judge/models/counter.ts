/** A counter: add an integer, which may tell the sum, and read. */

import type { Model, Traits } from "../model.ts";

export type CounterOp =
  /** `total`: the sum after it; undefined if it was not told. */
  | { readonly type: "add"; readonly amount: number; readonly total?: number | undefined }
  | { readonly type: "read"; readonly total: number };

export const counter: Model<number, CounterOp> = {
  name: "counter",
  initial: 0,
  origin: "0",

  apply(state: number, op: CounterOp): number | undefined {
    const after = op.type === "add" ? state + op.amount : state;
    return op.total === undefined || op.total === after ? after : undefined;
  },

  hash: (state: number): number => state | 0,
  equal: (a: number, b: number): boolean => a === b,

  traits(op: CounterOp): Traits {
    if (op.type === "read") {
      return { effect: `read ${op.total}`, readOnly: true, needs: String(op.total) };
    }
    const grows = op.amount >= 0;
    const told = op.total === undefined ? "" : ` to ${op.total}`;
    const effect = `add ${op.amount}${told}`;
    if (op.total === undefined) return { effect, readOnly: op.amount === 0, grows };
    const needs = String(op.total - op.amount);
    return { effect, readOnly: op.amount === 0, needs, leaves: String(op.total), grows };
  },

  reaches(state: number, op: CounterOp): boolean {
    if (op.total === undefined) return true;
    return state <= (op.type === "add" ? op.total - op.amount : op.total);
  },
};
