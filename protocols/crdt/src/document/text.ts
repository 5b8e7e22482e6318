/** Text with formatting and embeds: the flagship view. */

import { jsonValue, setOwn, type Value } from "./any.ts";
import { NONE, type Sequence, TEXT } from "./branch.ts";
import { DELETED, EMBED, FORMAT, KIND, type Mark, STRING } from "./content.ts";
import { DocumentError } from "./errors.ts";
import { type Delta, type DeltaItem, type DeltaStep, outputOf } from "./events.ts";
import { type Attributes, recordOf, TextCursor } from "./formatting.ts";
import { compose, integrate, NO_CONFLICTS } from "./integrate.ts";
import { getKey, keysOf, removeKey, setKey } from "./keys.ts";
import { checkIndex, checkRange, deleteRange, sequenceOf, typeOn, typeText } from "./typing.ts";
import { attached, change, Draft, type Input, type Output, placeOne, SharedType } from "./view.ts";
import { wellFormed } from "./wire.ts";

/**
 * A text. Positions and lengths count UTF-16 units, as JavaScript strings do; an embed counts one. No edit
 * halves a surrogate pair: a position inside one moves behind it, a range widens to hold both halves.
 */
export class SharedText extends SharedType {
  static readonly kind: number = TEXT;

  /** A text to be inserted into an array, a map or another text. */
  static draft(content: string | Delta = ""): Draft {
    return new Draft(TEXT, "", (doc, branch) => {
      fillText(new SharedText(doc, branch), content);
    });
  }

  get length(): number {
    const { peeked } = this;
    if (peeked !== undefined) return peeked.length;
    // Opens a stored document that shows more than text: its list is not there before.
    void this.doc.store;
    return this.branch.children?.length ?? 0;
  }

  private get peeked(): string | undefined {
    return this.branch.isRoot ? this.doc.peek(this.branch.name) : undefined;
  }

  /** The characters, without formatting and embeds. */
  override toString(): string {
    const peeked = this.peeked;
    if (peeked !== undefined) return peeked;
    const { store } = this.doc;
    const parts: string[] = [];
    for (let item = this.branch.children?.first ?? NONE; item !== NONE; item = store.next[item]!) {
      if ((store.flags[item]! & (KIND | DELETED)) === STRING)
        parts.push(store.content[item] as string);
    }
    return parts.join("");
  }

  toJSON(): string {
    return this.toString();
  }

  /**
   * Inserts text. Without `attributes` it takes on those of what is before it; with them it has exactly
   * those. Lone surrogates become U+FFFD.
   * @throws DocumentError `out-of-range`, `detached`.
   */
  insert(index: number, text: string, attributes?: Attributes): void {
    const { doc } = this;
    if (attributes === undefined && typeOn(doc, this.branch, index, wellFormed(text))) return;
    const list = this.open();
    try {
      checkIndex(index, list.length);
      if (text === "") return;
      if (list.marks === 0 && isBare(attributes)) typeText(doc, list, index, wellFormed(text));
      else {
        const cursor = this.cursorAt(index);
        const wanted = checkedAttributes(attributes) ?? recordOf(cursor.attributes) ?? {};
        cursor.insert(wellFormed(text), wanted);
      }
    } finally {
      doc.end();
    }
  }

  /** Begins a change; whoever calls this ends it. Typing is too frequent for a closure per key. */
  private open(): Sequence {
    attached(this);
    this.doc.begin(null, true);
    return sequenceOf(this.doc, this.branch);
  }

  /**
   * Inserts a value or a shared type as one unit.
   * @throws DocumentError `out-of-range`, `detached`, `unsupported-value`.
   */
  embed(index: number, input: Input, attributes: Attributes = {}): void {
    const checked = checkedEmbed(input);
    change(this, () => {
      checkIndex(index, this.length);
      this.insertEmbed(this.cursorAt(index), checked, checkedAttributes(attributes) ?? {});
    });
  }

  private insertEmbed(cursor: TextCursor, input: Input, attributes: Attributes): void {
    const { doc, branch } = this;
    cursor.insert((left, right) => {
      const list = sequenceOf(doc, branch);
      if (input instanceof Draft) return placeOne(doc, list, input, left, right);
      const item = compose(doc.store, doc.log, EMBED, { embed: input }, 1, left, right);
      integrate(doc.store, list, item, left, right, NO_CONFLICTS);
      return item;
    }, attributes);
  }

  /** @throws DocumentError `out-of-range`, `detached`. */
  delete(index: number, count: number): void {
    const { doc } = this;
    const list = this.open();
    try {
      checkRange(index, count, list.length);
      if (count === 0) return;
      if (list.marks === 0) deleteRange(doc, list, index, count);
      else this.cursorAt(index).delete(count);
    } finally {
      doc.end();
    }
  }

  /**
   * Sets attributes of a range; null takes one away.
   * @throws DocumentError `out-of-range`, `detached`, `unsupported-value`.
   */
  format(index: number, count: number, attributes: Attributes): void {
    const checked = checkedAttributes(attributes) ?? {};
    change(this, () => {
      checkRange(index, count, this.length);
      if (count === 0) return;
      this.cursorAt(index).format(count, checked);
    });
  }

  /**
   * Applies a delta as Quill makes it.
   * @throws DocumentError `out-of-range` when it goes beyond the end, `detached`, `unsupported-value`.
   */
  applyDelta(delta: Delta): void {
    change(this, () => {
      checkDelta(delta, this.length);
      const cursor = this.cursorAt(0);
      for (const step of delta) this.applyStep(cursor, step);
    });
  }

  private applyStep(cursor: TextCursor, step: DeltaStep): void {
    if ("retain" in step) {
      if (step.attributes === undefined) cursor.advance(step.retain);
      else cursor.format(step.retain, checkedAttributes(step.attributes) ?? {});
    } else if ("delete" in step) cursor.delete(step.delete);
    else {
      const attributes = checkedAttributes(step.attributes) ?? {};
      const { insert } = step;
      if (typeof insert !== "string") this.insertEmbed(cursor, checkedEmbed(insert), attributes);
      else if (insert !== "") cursor.insert(wellFormed(insert), attributes);
    }
  }

  /** The whole text as a delta of insertions. */
  toDelta(): Delta {
    const { doc } = this;
    const { store } = doc;
    const steps: DeltaStep[] = [];
    const attributes = new Map<string, Value>();
    let text = "";
    const push = (insert: string | DeltaItem): void => {
      const record = recordOf(attributes);
      steps.push(record === undefined ? { insert } : { insert, attributes: record });
    };
    const flush = (): void => {
      if (text !== "") push(text);
      text = "";
    };
    const first = sequenceOf(doc, this.branch).first;
    for (let item = first; item !== NONE; item = store.next[item]!) {
      if (store.isDeleted(item)) continue;
      const kind = store.kind(item);
      if (kind === STRING) text += store.content[item] as string;
      else if (kind === FORMAT) {
        flush();
        const { key, value } = store.content[item] as Mark;
        if (value === null) attributes.delete(key);
        else attributes.set(key, value);
      } else {
        flush();
        for (let i = 0; i < store.length[item]!; i++) push(outputOf(doc, item, i));
      }
    }
    flush();
    return steps;
  }

  private cursorAt(index: number): TextCursor {
    const cursor = new TextCursor(this.doc, sequenceOf(this.doc, this.branch));
    cursor.advance(index);
    return cursor;
  }

  /** Sets an attribute of the text as a whole. */
  setAttribute(key: string, value: Input): void {
    setKey(this, key, value);
  }

  removeAttribute(key: string): void {
    removeKey(this, key);
  }

  attribute(key: string): Output {
    return getKey(this, key);
  }

  attributes(): Readonly<Record<string, Output>> {
    return keysOf(this);
  }
}

/** Fills a new text: what `draft` promises. */
export function fillText(text: SharedText, content: string | Delta): void {
  if (typeof content === "string") text.insert(0, content);
  else text.applyDelta(content);
}

function isBare(attributes: Attributes | undefined): boolean {
  if (attributes === undefined) return true;
  for (const value of Object.values(attributes)) if (value !== null) return false;
  return true;
}

function checkedAttributes(attributes: Attributes | undefined): Attributes | undefined {
  if (attributes === undefined) return undefined;
  const checked: Record<string, Value> = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) setOwn(checked, key, jsonValue(value));
  }
  return checked;
}

function checkedEmbed(insert: unknown): Input {
  return insert instanceof Draft ? insert : jsonValue(insert);
}

/** Refuses a delta before any of it is applied. */
function checkDelta(delta: Delta, length: number): void {
  let left = length;
  for (const step of delta) {
    if ("insert" in step) {
      if (typeof step.insert !== "string") checkedEmbed(step.insert);
      checkedAttributes(step.attributes);
      continue;
    }
    if ("retain" in step) checkedAttributes(step.attributes);
    const count = "retain" in step ? step.retain : step.delete;
    if (!Number.isInteger(count) || count < 0 || count > left) {
      throw new DocumentError("out-of-range", `a delta goes beyond the end by ${count - left}`);
    }
    left -= count;
  }
}
