/**
 * Gives equal values one small number, so that states of a model are short lists
 * of integers. Values are compared, not only hashed: two that differ never share
 * a number.
 */

import { fingerprint } from "@quorate/kernel";

/** The values met so far, each once. */
export class Interner<T> {
  private readonly items: T[] = [];
  /** By fingerprint: the number, or the numbers where fingerprints collide. */
  private readonly numbers = new Map<number, number | number[]>();

  get size(): number {
    return this.items.length;
  }

  at(number: number): T {
    return this.items[number]!;
  }

  /** The number of a value; a new one if no value met so far is equal to it. */
  intern(value: T): number {
    const key = fingerprint(value);
    const known = this.numbers.get(key);
    if (known === undefined) {
      this.numbers.set(key, this.items.length);
      return this.items.push(value) - 1;
    }
    const candidates = typeof known === "number" ? [known] : known;
    for (const number of candidates) if (isSame(this.items[number], value)) return number;
    this.numbers.set(key, [...candidates, this.items.length]);
    return this.items.push(value) - 1;
  }
}

/** Whether two values of plain data are equal, whatever the insertion order of maps and sets. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return Object.is(a, b);
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((entry, i) => isSame(entry, b[i]));
  }
  if (a instanceof Map) return b instanceof Map && isSameMap(a, b);
  if (a instanceof Set) {
    if (!(b instanceof Set) || a.size !== b.size) return false;
    for (const entry of a) if (!b.has(entry)) return false;
    return true;
  }
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  return isSameObject(a as Fields, b as Fields);
}

type Fields = { readonly [field: string]: unknown };

function isSameMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, entry] of a) if (!b.has(key) || !isSame(entry, b.get(key))) return false;
  return true;
}

function isSameObject(a: Fields, b: Fields): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}
