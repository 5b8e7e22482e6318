/** Plain data with nodes called by other names. */

import type { NodeId } from "@quorate/kernel";

export interface Renaming {
  readonly names: ReadonlyMap<NodeId, string>;
  /** Fields that are left as they are. */
  readonly fields: ReadonlySet<string>;
  /** Several nodes may get one name: entries of maps and sets are kept as a sorted list. */
  readonly merge: boolean;
}

/** A copy in which every text that is a name, or has one between colons, is renamed. */
export function renamed<T>(value: T, how: Renaming): T {
  return rename(value, how) as T;
}

function rename(value: unknown, how: Renaming): unknown {
  if (typeof value === "string") return renameText(value, how);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((entry) => rename(entry, how));
  if (value instanceof Map) {
    const entries = [...value].map(([key, entry]) => [rename(key, how), rename(entry, how)]);
    return how.merge ? sorted(entries) : new Map(entries as [unknown, unknown][]);
  }
  if (value instanceof Set) {
    const entries = [...value].map((entry) => rename(entry, how));
    return how.merge ? sorted(entries) : new Set(entries);
  }
  const source = value as { readonly [field: string]: unknown };
  const target = Object.create(Object.getPrototypeOf(source)) as { [field: string]: unknown };
  for (const field in source) {
    target[field] = how.fields.has(field) ? source[field] : rename(source[field], how);
  }
  return target;
}

/** Timers and the like name nodes between colons: `doubt:a`. */
function renameText(text: string, { names }: Renaming): string {
  const whole = names.get(text);
  if (whole !== undefined) return whole;
  if (!text.includes(":")) return text;
  return text
    .split(":")
    .map((part) => names.get(part) ?? part)
    .join(":");
}

/** In an order that depends on the entries alone. */
function sorted(entries: readonly unknown[]): readonly unknown[] {
  return entries
    .map((entry) => ({ entry, text: textOf(entry) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ entry }) => entry);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) => {
    if (entry instanceof Map || entry instanceof Set) return [...(entry as Iterable<unknown>)];
    return entry;
  });
}
