/** Whether a query is for this node. */

import { type Name } from "../member.ts";
import type { QueryFilter, Tags } from "./messages.ts";

/** Longer expressions are not tried. */
const EXPRESSION_MAX = 256;

/** All filters hold. One that cannot be understood does not. */
export function isMeant(filters: readonly QueryFilter[], name: Name, tags: Tags): boolean {
  return filters.every((filter) => {
    switch (filter.type) {
      case "nodes":
        return filter.names.includes(name);
      case "tag":
        return matches(filter.expression, tags[filter.tag] ?? "");
      default:
        return false;
    }
  });
}

/**
 * Whether an expression, which comes from a stranger, is found in a text. Go's
 * expressions run in linear time; the host's need not, so those that could take
 * exponential time match nothing.
 */
export function matches(expression: string, text: string): boolean {
  const [, insensitive = "", pattern = ""] = /^(\(\?i\))?(.*)$/s.exec(expression) ?? [];
  if (pattern.length > EXPRESSION_MAX || !isTame(pattern)) return false;
  try {
    return new RegExp(pattern, insensitive === "" ? "u" : "iu").test(text);
  } catch {
    return false; // No expression at all.
  }
}

/**
 * No repetition of a group that repeats or chooses inside, and no back
 * reference: what is left backtracks at most by a power of the text's length,
 * with as many repetitions as exponent, of which a few are allowed.
 */
function isTame(pattern: string): boolean {
  const bare = pattern.replaceAll(/\\[^1-9k]/g, "x").replaceAll(/\[\^?\]?[^\]]*\]/g, "x");
  if (/\\/.test(bare) || /\(\?[^:]/.test(bare)) return false;
  const repetitions = bare.match(/[*+{]/g)?.length ?? 0;
  if (repetitions > 4) return false;
  return !hasNestedRepetition(bare);
}

function hasNestedRepetition(bare: string): boolean {
  const open: boolean[] = [];
  let closed = false;
  for (let i = 0; i < bare.length; i++) {
    const character = bare[i]!;
    const repeats = character === "*" || character === "+" || character === "{";
    if (repeats && closed) return true;
    closed = false;
    if (character === "(") open.push(false);
    else if (character === ")") closed = open.pop() ?? false;
    else if (repeats || character === "|" || character === "?") open.fill(true);
  }
  return false;
}
