/** Children of a branch as a list of values: arrays, and the nodes of XML. */

import { copyValue, type Value } from "./any.ts";
import { ARRAY, NONE, type Sequence } from "./branch.ts";
import { ANY, DELETED, UNCOUNTED } from "./content.ts";
import { outputOf } from "./events.ts";
import { compose, integrate, NO_CONFLICTS } from "./integrate.ts";
import { jsonOf } from "./json.ts";
import { after, checkIndex, checkRange, deleteRange, leftOf, sequenceOf } from "./typing.ts";
import { change, Draft, type Input, type Output, placeOne, SharedType } from "./view.ts";

/** What arrays and XML nodes have in common. */
export abstract class SharedList extends SharedType {
  get length(): number {
    void this.doc.store;
    return this.branch.children?.length ?? 0;
  }

  /**
   * Deletes `count` items.
   * @throws DocumentError `out-of-range`, `detached`.
   */
  delete(index: number, count: number = 1): void {
    change(this, () => {
      checkRange(index, count, this.length);
      if (count > 0) deleteRange(this.doc, sequenceOf(this.doc, this.branch), index, count);
    });
  }

  /** The item at `index`; undefined beyond the end. */
  get(index: number): Output {
    checkIndex(index, Number.MAX_SAFE_INTEGER);
    if (index >= this.length) return undefined;
    const { store } = this.doc;
    const item = store.seek(sequenceOf(this.doc, this.branch), index + 1);
    return outputOf(this.doc, item, store.offset - 1);
  }

  toArray(): Output[] {
    return [...this];
  }

  *[Symbol.iterator](): Generator<Output, void, undefined> {
    const { store } = this.doc;
    for (let item = this.branch.children?.first ?? NONE; item !== NONE; item = store.next[item]!) {
      if ((store.flags[item]! & (DELETED | UNCOUNTED)) !== 0) continue;
      for (let i = 0; i < store.length[item]!; i++) yield outputOf(this.doc, item, i);
    }
  }

  /** Inserts items. Values are copied; drafts become shared types. */
  protected insertAll(index: number, inputs: readonly Input[]): void {
    const checked = inputs.map((input) => (input instanceof Draft ? input : copyValue(input)));
    change(this, () => {
      checkIndex(index, this.length);
      const list = sequenceOf(this.doc, this.branch);
      this.place(list, leftOf(this.doc.store, list, index), checked);
    });
  }

  private place(list: Sequence, start: number, inputs: readonly Input[]): void {
    const { doc } = this;
    const { store } = doc;
    const right = after(store, list, start);
    let left = start;
    let values: Value[] = [];
    const flush = (): void => {
      if (values.length === 0) return;
      const item = compose(store, doc.log, ANY, values, values.length, left, right);
      integrate(store, list, item, left, right, NO_CONFLICTS);
      left = item;
      values = [];
    };
    for (const input of inputs) {
      if (!(input instanceof Draft || input instanceof Uint8Array)) values.push(input);
      else {
        flush();
        left = placeOne(doc, list, input, left, right);
      }
    }
    flush();
  }
}

/** An ordered list of values and shared types. */
export class SharedArray extends SharedList {
  static readonly kind: number = ARRAY;

  /** An array to be inserted into an array, a map or a text. */
  static draft(items: readonly Input[] = []): Draft {
    const copies = items.map((item) => (item instanceof Draft ? item : copyValue(item)));
    return new Draft(ARRAY, "", (doc, branch) => {
      if (copies.length > 0) new SharedArray(doc, branch).insert(0, copies);
    });
  }

  /** @throws DocumentError `out-of-range`, `detached`, `unsupported-value`. */
  insert(index: number, items: readonly Input[]): void {
    this.insertAll(index, items);
  }

  push(...items: Input[]): void {
    this.insertAll(this.length, items);
  }

  /** Everything in it as plain values, shared types included. */
  toJSON(): Value {
    return jsonOf(this.doc, this.branch);
  }
}
