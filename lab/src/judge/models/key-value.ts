/**
 * One key of a key-value store: get, put, del, append and compare-and-set on a
 * register that may be absent.
 *
 * The state is a text with its hash. The hash runs from left to right, so that
 * an append costs what it appends, and the text may stay the rope that the
 * engine makes of a concatenation until something of equal hash is compared.
 */

import { unreachable } from "@quorate/kernel";

import type { Model, Traits } from "../model.ts";

/** What a key can hold. Null is absence. */
export type Value = string | number | boolean | null;

/** A value as the model compares it. */
export interface Content {
  /** Strings begin with a quotation mark, so that `1` and `"1"` differ; null is absence. */
  readonly text: string | null;
  readonly hash: number;
  /** What was appended last. A text that does not end so is told apart without a look at the rest. */
  readonly tail: string;
}

export type KeyValueOp =
  | { readonly type: "get"; readonly value: Content }
  | { readonly type: "put"; readonly value: Content }
  | { readonly type: "append"; readonly text: string }
  | {
      readonly type: "cas";
      readonly from: Content;
      readonly to: Content;
      /** Whether it swapped; undefined if that is unknown. */
      readonly swapped: boolean | undefined;
    };

const ABSENT: Content = { text: null, hash: 0, tail: "" };

/** A value as a state. A deletion is a put of null. */
export function contentOf(value: Value): Content {
  if (value === null) return ABSENT;
  const text = typeof value === "string" ? `"${value}` : String(value);
  return { text, hash: hashOf(text, 1), tail: "" };
}

export const keyValue: Model<Content, KeyValueOp> = {
  name: "key-value",
  initial: ABSENT,
  origin: nameOf(ABSENT),

  apply(state: Content, op: KeyValueOp): Content | undefined {
    switch (op.type) {
      case "get":
        return same(state, op.value) ? state : undefined;
      case "put":
        return op.value;
      case "append":
        return append(state, op.text);
      case "cas":
        if (op.swapped === false) return same(state, op.from) ? undefined : state;
        return same(state, op.from) ? op.to : undefined;
      default:
        return unreachable(op);
    }
  },

  hash: (state: Content): number => state.hash,
  equal: same,

  traits(op: KeyValueOp): Traits {
    switch (op.type) {
      case "get":
        return { effect: `get ${nameOf(op.value)}`, readOnly: true, needs: nameOf(op.value) };
      case "put": {
        const leaves = nameOf(op.value);
        return { effect: `put ${leaves}`, readOnly: false, needs: null, leaves };
      }
      case "append":
        return { effect: `append ${op.text}`, readOnly: false, grows: true };
      case "cas":
        return casTraits(nameOf(op.from), nameOf(op.to), op.swapped);
      default:
        return unreachable(op);
    }
  },

  leaves(op: KeyValueOp): Content | undefined {
    if (op.type === "put") return op.value;
    return op.type === "cas" ? op.to : undefined;
  },

  reaches(state: Content, op: KeyValueOp): boolean {
    if (state.text === null || op.type === "put" || op.type === "append") return true;
    if (op.type === "cas" && op.swapped === false) return true;
    const { text } = op.type === "get" ? op.value : op.from;
    if (text === null || !text.startsWith(state.tail, state.text.length - state.tail.length)) {
      return false;
    }
    return text.startsWith(state.text);
  },
};

function append(state: Content, text: string): Content {
  // To a number or a boolean too, though what comes of it is the text of no value.
  if (state.text === null) return contentOf(text);
  return { text: state.text + text, hash: hashOf(text, state.hash), tail: text };
}

function casTraits(from: string, to: string, swapped: boolean | undefined): Traits {
  if (swapped === false) return { effect: `not ${from}`, readOnly: true, avoids: from };
  // The length keeps two pairs apart whose texts run together.
  return {
    effect: `cas ${from.length} ${from} ${to}`,
    readOnly: from === to,
    needs: from,
    leaves: to,
  };
}

function same(a: Content, b: Content): boolean {
  return a === b || (a.hash === b.hash && a.text === b.text);
}

function nameOf(content: Content): string {
  return content.text ?? "";
}

function hashOf(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
