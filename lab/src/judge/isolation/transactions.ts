/**
 * Histories of transactions over lists: each appends elements to lists and reads
 * whole lists. Elements of one list are unique, so that a list read tells in which
 * order they were appended, and who appended them.
 */

import type { Place } from "../errors.ts";
import {
  checkTiming,
  type Limits,
  LIMITS,
  readEach,
  type Status,
  type Timing,
} from "../history.ts";

export type Element = string | number | boolean;
export type ListKey = string | number;

/** What one step of a transaction does. `null`: a read whose answer is not known. */
export type MicroOperation =
  | readonly ["append", ListKey, Element]
  | readonly ["r", ListKey, readonly Element[] | null];

export interface Transaction extends Omit<Timing, "key"> {
  readonly type: "txn";
  readonly value: readonly MicroOperation[];
}

/**
 * Reads transactions from a text of JSON lines, a JSON array, or parsed values.
 *
 * @throws HistoryError that names the line and the field.
 */
export function readTransactions(input: unknown, limits: Limits = LIMITS): readonly Transaction[] {
  return readEach(input, limits, checkTransaction);
}

function checkTransaction(value: unknown, place: Place): Transaction {
  const { fields, expect, answered } = checkTiming(value, place);
  expect("type", '"txn"', fields["type"] === "txn");
  const steps = fields["value"];
  const expected = `a list of ["append", key, element] and ["r", key, ${answered ? "list" : "list or null"}]`;
  const isStep = (step: unknown): boolean => isMicroOperation(step, answered);
  expect("value", expected, Array.isArray(steps) && steps.every(isStep));
  return value as Transaction; // Checked field by field.
}

function isMicroOperation(step: unknown, answered: boolean): step is MicroOperation {
  if (!Array.isArray(step) || step.length !== 3) return false;
  const [type, key, value] = step as readonly unknown[];
  if (typeof key !== "string" && typeof key !== "number") return false;
  if (type === "append") return isElement(value);
  if (type !== "r") return false;
  // A list that is not there reads as null, as in Elle; it is an empty one.
  return value === null || (Array.isArray(value) && value.every(isElement)) || !answered;
}

function isElement(value: unknown): value is Element {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** What became of a transaction. */
export function statusOf({ status, ret }: Transaction): Status {
  return status ?? (ret === undefined || ret === null ? "info" : "ok");
}

/** A list's or an element's name in maps: `1` and `"1"` differ. */
export function nameOf(value: Element): string {
  return typeof value === "string" ? `"${value}` : String(value);
}
