/**
 * Histories of a key-value store: who called what, when, and what came of it.
 * Written as a JSON array of operations or as one operation a line, in any order.
 *
 * Reading is strict about what a verdict rests on and blind to the rest: a field
 * it does not know is left alone, one it knows is right or refused.
 */

import { HistoryError, kindOf, type Place } from "./errors.ts";
import type { Value } from "./models/key-value.ts";

/**
 * `ok`: answered. `fail`: certainly did not happen. `info`: unknown; may happen
 * at any time after its call, or never.
 */
export type Status = "ok" | "fail" | "info";

/** What all operations have. */
export interface Timing {
  /** Who called. Anything; no verdict depends on it. */
  readonly client?: unknown;
  readonly key: string;
  /**
   * Taken before the request was sent: an integer, by one clock for all. Times beyond 2^53 lose
   * their last digits, so that some intervals overlap which did not: never a wrong `illegal`.
   */
  readonly call: number;
  /** Taken after the answer was in. Null or left out: there was none, and the outcome is unknown. */
  readonly ret?: number | null;
  /** `ok` if left out. */
  readonly status?: Status;
}

/** What was asked, with the answer if there was one. */
export type Request =
  /** `value`: what was read, null for absent. */
  | { readonly type: "get"; readonly key: string; readonly value?: Value }
  | { readonly type: "put"; readonly key: string; readonly value: Value }
  | { readonly type: "del"; readonly key: string }
  | { readonly type: "append"; readonly key: string; readonly value: string }
  /** `from` null: expects absence. `result`: whether it swapped. */
  | {
      readonly type: "cas";
      readonly key: string;
      readonly from: Value;
      readonly to: Value;
      readonly result?: boolean;
    };

export type Operation = Timing & Request;

/** How much a stranger's history may be. */
export interface Limits {
  /** Of a history given as text. */
  readonly characters: number;
  readonly operations: number;
}

export const LIMITS: Limits = { characters: 1 << 28, operations: 1_000_000 };

/**
 * Reads a history from a text or from parsed values. Operations keep their
 * places: the n-th of the result is the n-th of the input.
 *
 * @throws HistoryError that names the line and the field.
 */
export function readHistory(input: unknown, limits: Limits = LIMITS): readonly Operation[] {
  return readEach(input, limits, check);
}

/**
 * Reads a text or an array of values, one operation each.
 *
 * @throws HistoryError that names the line, or what `read` throws.
 */
export function readEach<T>(
  input: unknown,
  limits: Limits,
  read: (value: unknown, place: Place) => T,
): readonly T[] {
  const { values, lines } = typeof input === "string" ? parse(input, limits) : { values: input };
  if (!Array.isArray(values))
    throw new HistoryError({ code: "notAHistory", found: kindOf(values) });
  if (values.length > limits.operations) throw tooMany(limits);
  // Array.from visits holes too.
  return Array.from<unknown, T>(values, (value, operation) => {
    const line = lines?.[operation];
    return read(value, line === undefined ? { operation } : { operation, line });
  });
}

interface Parsed {
  readonly values: unknown;
  /** The line of each value, if they stand on lines. */
  readonly lines?: readonly number[];
}

function parse(text: string, limits: Limits): Parsed {
  if (text.length > limits.characters) {
    throw new HistoryError({ code: "tooLarge", what: "characters", limit: limits.characters });
  }
  if (/^\uFEFF?\s*\[/.test(text)) return { values: parseJson(text.replace(/^\uFEFF/, "")) };
  const values: unknown[] = [];
  const lines: number[] = [];
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  for (let line = 1; start <= text.length; line++) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end).trim();
    start = end + 1;
    if (content === "") continue;
    if (values.length === limits.operations) throw tooMany(limits);
    values.push(parseJson(content, { operation: values.length, line }));
    lines.push(line);
  }
  return { values, lines };
}

function parseJson(text: string, place?: Place): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HistoryError(
      place === undefined ? { code: "malformedJson" } : { code: "malformedJson", place },
    );
  }
}

function tooMany({ operations }: Limits): HistoryError {
  return new HistoryError({ code: "tooLarge", what: "operations", limit: operations });
}

/** The fields of an operation, before they are trusted. */
type Fields = { readonly [field: string]: unknown };

function check(value: unknown, place: Place): Operation {
  const { fields, expect, answered } = checkTiming(value, place);
  expect("key", "a string", typeof fields["key"] === "string");
  checkRequest(fields, answered, expect);
  return value as Operation; // Checked field by field.
}

type Expect = (field: string, expected: string, holds: boolean) => void;

/** Checks what operations of every kind have. `answered`: there must be an answer. */
export function checkTiming(
  value: unknown,
  place: Place,
): { readonly fields: Fields; readonly expect: Expect; readonly answered: boolean } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HistoryError({ code: "notAnOperation", place, found: kindOf(value) });
  }
  const fields = value as Fields; // An object that is no array; its fields are checked one by one.
  const expect: Expect = (field, expected, holds) => {
    if (holds) return;
    const found = kindOf(fields[field]);
    throw new HistoryError({ code: "badField", place, field, expected, found });
  };
  const { call, status } = fields;
  const ret = fields["ret"] ?? undefined;
  expect("call", "an integer", isTime(call));
  expect("ret", "an integer not before the call", ret === undefined || isReturn(ret, call));
  expect(
    "status",
    '"ok", "fail" or "info"',
    status === undefined || status === "ok" || status === "fail" || status === "info",
  );
  return { fields, expect, answered: ret !== undefined && (status ?? "ok") === "ok" };
}

/** Refuses what a type of operation cannot have. `answered`: there must be an answer. */
function checkRequest(
  { type, value, from, to, result }: Fields,
  answered: boolean,
  expect: Expect,
): void {
  const scalar = "a string, a number, a boolean or null";
  switch (type) {
    case "get":
      return expect("value", scalar, isValue(value) || (!answered && value === undefined));
    case "put":
      return expect("value", scalar, isValue(value));
    case "del":
      return;
    case "append":
      return expect("value", "a string", typeof value === "string");
    case "cas":
      expect("from", scalar, isValue(from));
      expect("to", scalar, isValue(to));
      return expect("result", "true or false", !answered || typeof result === "boolean");
    default:
      return expect("type", '"get", "put", "del", "append" or "cas"', false);
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value);
}

function isReturn(ret: unknown, call: unknown): boolean {
  return isTime(ret) && isTime(call) && ret >= call;
}

function isValue(value: unknown): value is Value {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    default:
      return value === null;
  }
}
