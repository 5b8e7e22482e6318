/** Keys of a branch: entries of a map, attributes of an element or a text. The last value of a key counts. */

import { copyValue, setOwn } from "./any.ts";
import { NONE } from "./branch.ts";
import { ANY } from "./content.ts";
import { outputOf } from "./events.ts";
import { compose, erase, integrate, NO_CONFLICTS } from "./integrate.ts";
import { change, Draft, type Input, type Output, placeOne, type SharedType } from "./view.ts";

/** Sets a key. Setting what is there already is a change too: the last writer wins. */
export function setKey(view: SharedType, key: string, input: Input): void {
  const value = input instanceof Draft ? input : copyValue(input);
  change(view, () => {
    const { doc } = view;
    const { store } = doc;
    const list = store.keyed(view.branch, key);
    const left = list.last;
    if (value instanceof Draft || value instanceof Uint8Array) {
      placeOne(doc, list, value, left, NONE);
      return;
    }
    const item = compose(store, doc.log, ANY, [value], 1, left, NONE);
    integrate(store, list, item, left, NONE, NO_CONFLICTS);
  });
}

export function removeKey(view: SharedType, key: string): void {
  change(view, () => {
    const list = view.branch.keys?.get(key);
    if (list !== undefined && list.last !== NONE) erase(view.doc.store, list.last);
  });
}

export function hasKey(view: SharedType, key: string): boolean {
  const { store } = view.doc;
  const last = view.branch.keys?.get(key)?.last ?? NONE;
  return last !== NONE && !store.isDeleted(last);
}

/** The value of a key; undefined when there is none. */
export function getKey(view: SharedType, key: string): Output {
  const { doc, branch } = view;
  const { store } = doc;
  const last = branch.keys?.get(key)?.last ?? NONE;
  if (last === NONE || store.isDeleted(last)) return undefined;
  return outputOf(doc, last, store.length[last]! - 1);
}

export function keysOf(view: SharedType): Record<string, Output> {
  // Opens a stored document whose structure has not been read.
  void view.doc.store;
  const record: Record<string, Output> = {};
  for (const key of view.branch.keys?.keys() ?? []) {
    if (hasKey(view, key)) setOwn(record, key, getKey(view, key));
  }
  return record;
}
