/** Maps: branches of which only the keys matter. */

import { copyValue, type Value } from "./any.ts";
import { MAP } from "./branch.ts";
import { jsonOf } from "./json.ts";
import { getKey, hasKey, keysOf, removeKey, setKey } from "./keys.ts";
import { Draft, type Input, type Output, SharedType } from "./view.ts";

/** What maps and XML hooks have in common. */
export abstract class SharedKeys extends SharedType {
  /** @throws DocumentError `detached`, `unsupported-value`. */
  set(key: string, input: Input): void {
    setKey(this, key, input);
  }

  /** The value of a key; undefined when there is none, or when undefined was set (see {@link has}). */
  get(key: string): Output {
    void this.doc.store;
    return getKey(this, key);
  }

  has(key: string): boolean {
    void this.doc.store;
    return hasKey(this, key);
  }

  /** Deletes a key that is there; else does nothing. */
  delete(key: string): void {
    removeKey(this, key);
  }

  /** The entries as they are now. */
  entries(): readonly (readonly [string, Output])[] {
    return Object.entries(keysOf(this));
  }

  get size(): number {
    return this.entries().length;
  }

  /** Everything in it as plain values, shared types included. */
  toJSON(): Value {
    return jsonOf(this.doc, this.branch);
  }
}

/** A map from strings to values and shared types. The last writer of a key wins. */
export class SharedMap extends SharedKeys {
  static readonly kind: number = MAP;

  /** A map to be inserted into an array, a map or a text. */
  static draft(entries: Readonly<Record<string, Input>> = {}): Draft {
    const copies = Object.entries(entries).map(
      ([key, input]) => [key, input instanceof Draft ? input : copyValue(input)] as const,
    );
    return new Draft(MAP, "", (doc, branch) => {
      const map = new SharedMap(doc, branch);
      for (const [key, input] of copies) map.set(key, input);
    });
  }
}
