/**
 * Places in a list that are never used up: between any two there is another.
 * Each is a text, and texts are ordered as the list is.
 *
 * The order is that of Fugue (Weidner and Kleppmann, _The art of the Fugue:
 * minimizing interleaving in collaborative text editing_, 2023): a tree in
 * which what is inserted behind an element is on its right side, and what is
 * inserted before the element that follows is on that one's left side. So runs
 * that two people type at one place do not interleave, forwards or backwards.
 *
 * A text is the path from the root. One step of the path is a _branch_, an
 * offset on it, and a side:
 *
 * - a branch belongs to one actor, who made it at one dot. Its actor goes on
 *   with it, up behind its last offset and down before its first, so a run of
 *   insertions is one branch and its texts stay short;
 * - the side says where the path goes on: left of the element at that offset,
 *   at the element itself (the end), or right of it.
 *
 * The texts stand alone: nothing of a deleted element must be kept.
 */

import { invariant } from "@quorate/kernel";

const LEFT = "0";
const HERE = "1";
const RIGHT = "2";

interface Step {
  readonly branch: string;
  readonly offset: number;
  readonly side: string;
}

/** The offsets of a branch that were used: its actor's own memory of them. */
export interface Extent {
  low: number;
  high: number;
}

/** A branch that nobody else has: its actor's name, without the separator, and a dot. */
export function branchOf(actor: string, counter: number): string {
  const name = actor.replaceAll(/[%:]/g, (special) => (special === "%" ? "%p" : "%c"));
  return `${name}.${offsetText(counter)}`;
}

/**
 * A place between two neighbours.
 * @param left - The text of the one before, `undefined` at the start.
 * @param right - The text of the one behind, `undefined` at the end.
 * @param own - The extents of this actor's branches that it remembers. The one used is updated.
 * @param fresh - Names a branch that was never used, if one is needed.
 */
export function between(
  left: string | undefined,
  right: string | undefined,
  own: Map<string, Extent>,
  fresh: () => string,
): string {
  const extended = extendRight(left, right, own) ?? extendLeft(left, right, own);
  if (extended !== undefined) return extended;
  const branch = fresh();
  own.set(branch, { low: 0, high: 0 });
  const start = step(branch, 0, HERE);
  const before = right !== undefined && (left === undefined || isBelow(right, left, RIGHT));
  const above = before
    ? right.slice(0, -1) + LEFT
    : left === undefined
      ? ""
      : left.slice(0, -1) + RIGHT;
  invariant(
    above.length + start.length <= MAX_POSITION,
    "a place is not too long for others to read",
  );
  return above + start;
}

/** Whether a text lies on a side of another. */
function isBelow(text: string, above: string, side: string): boolean {
  return text.startsWith(above.slice(0, -1) + side);
}

/** Goes on with an own branch on the way to `left`, the deepest that leads to before `right`. */
function extendRight(
  left: string | undefined,
  right: string | undefined,
  own: Map<string, Extent>,
): string | undefined {
  if (left === undefined) return undefined;
  const steps = parse(left);
  for (let depth = steps.length - 1; depth >= 0; depth--) {
    const { branch, offset, side } = steps[depth]!;
    const extent = own.get(branch);
    if (extent === undefined || extent.high !== offset || side === LEFT) continue;
    const text = join(steps.slice(0, depth)) + step(branch, offset + 1, HERE);
    if (right !== undefined && text >= right) continue;
    extent.high = offset + 1;
    return text;
  }
  return undefined;
}

/** Goes back on an own branch before `right`. */
function extendLeft(
  left: string | undefined,
  right: string | undefined,
  own: Map<string, Extent>,
): string | undefined {
  if (right === undefined) return undefined;
  const steps = parse(right);
  const { branch, offset } = steps.at(-1)!;
  const extent = own.get(branch);
  if (extent === undefined || extent.low !== offset) return undefined;
  const text = join(steps.slice(0, -1)) + step(branch, offset - 1, HERE);
  if (left !== undefined && text <= left) return undefined;
  extent.low = offset - 1;
  return text;
}

function step(branch: string, offset: number, side: string): string {
  return `${branch}:${offsetText(offset)}${side}`;
}

function join(steps: readonly Step[]): string {
  return steps.map(({ branch, offset, side }) => step(branch, offset, side)).join("");
}

/** Letters tell the number of digits: `n`, `o`, … for 1, 2, … of offsets from 0, `m`, `l`, … below. */
const ONE_DIGIT = "n".charCodeAt(0);

/** Text in the order of the numbers: the number of digits, then these; below 0 their complements. */
function offsetText(offset: number): string {
  const digits = Math.abs(offset).toString(36);
  if (offset >= 0) return String.fromCharCode(ONE_DIGIT + digits.length - 1) + digits;
  return String.fromCharCode(ONE_DIGIT - digits.length) + complement(digits);
}

function complement(digits: string): string {
  return digits.replaceAll(/./g, (digit) => (35 - parseInt(digit, 36)).toString(36));
}

/** The number of digits that a letter tells, of either sign. */
function digitsAfter(letter: number): number {
  return letter >= ONE_DIGIT ? letter - ONE_DIGIT + 1 : ONE_DIGIT - letter;
}

/** The steps of a text that {@link isPosition} holds for. */
function parse(text: string): readonly Step[] {
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    const letter = text.charCodeAt(colon + 1);
    const end = colon + 2 + digitsAfter(letter);
    const digits = text.slice(colon + 2, end);
    const offset = letter >= ONE_DIGIT ? parseInt(digits, 36) : -parseInt(complement(digits), 36);
    steps.push({ branch: text.slice(at, colon), offset, side: text.charAt(end) });
    at = end + 1;
  }
  return steps;
}

/** Longer texts are refused. A step takes about ten characters and the actor's name. */
export const MAX_POSITION = 65_536;

/** More digits are refused: offsets stay below 2^53. */
const MAX_DIGITS = 10;

/** Whether a text from outside is a place. */
export function isPosition(text: string): boolean {
  if (text === "" || text.length > MAX_POSITION) return false;
  let at = 0;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    if (colon <= at) return false;
    const length = digitsAfter(text.charCodeAt(colon + 1));
    const end = colon + 2 + length;
    if (!(length >= 1 && length <= MAX_DIGITS && end < text.length)) return false;
    if (!/^[0-9a-z]+$/.test(text.slice(colon + 2, end))) return false;
    const side = text.charAt(end);
    const last = end + 1 === text.length;
    if (last ? side !== HERE : side !== LEFT && side !== RIGHT) return false;
    at = end + 1;
  }
  return true;
}
