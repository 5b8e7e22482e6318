/** What can be wrong with a history that somebody hands in. */

import { unreachable } from "@quorate/kernel";

/** Where in the history: the operation counted from 0, and the line from 1 if there are lines. */
export interface Place {
  readonly operation: number;
  readonly line?: number;
}

export type HistoryFault =
  /** The text is not JSON; in a history of lines, one line is not. */
  | { readonly code: "malformedJson"; readonly place?: Place }
  | { readonly code: "notAHistory"; readonly found: string }
  | { readonly code: "notAnOperation"; readonly place: Place; readonly found: string }
  | {
      readonly code: "badField";
      readonly place: Place;
      readonly field: string;
      readonly expected: string;
      readonly found: string;
    }
  | {
      readonly code: "tooLarge";
      readonly what: "characters" | "operations";
      readonly limit: number;
    };

/** A history that cannot be read. `fault` tells which member of the union it is. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  readonly fault: HistoryFault;

  constructor(fault: HistoryFault) {
    super(describe(fault));
    this.fault = fault;
  }

  get code(): HistoryFault["code"] {
    return this.fault.code;
  }
}

function describe(fault: HistoryFault): string {
  switch (fault.code) {
    case "malformedJson":
      return fault.place === undefined
        ? "the history begins like a JSON array and is not one"
        : `${at(fault.place)}: not JSON; write an array of operations, or one operation a line`;
    case "notAHistory":
      return `a history is a text or an array of operations, not ${fault.found}`;
    case "notAnOperation":
      return `${at(fault.place)}: an operation is an object, not ${fault.found}`;
    case "badField":
      return `${at(fault.place)}: "${fault.field}" must be ${fault.expected}, not ${fault.found}`;
    case "tooLarge":
      return `the history has more than ${fault.limit} ${fault.what}; split it, or raise the limit`;
    default:
      return unreachable(fault);
  }
}

function at({ line, operation }: Place): string {
  return line === undefined ? `operation ${operation}` : `line ${line}`;
}

/** A few words for a value of any kind, short whatever it is. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return `a ${typeof value}`;
}
