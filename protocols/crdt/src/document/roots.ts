/** Kinds of roots that a replica's document may have: how each is opened, and what readers see of it. */

import { sameValue, type Value } from "./any.ts";
import { type ViewClass } from "./doc.ts";
import { type DeltaItem } from "./events.ts";
import { type Attributes } from "./formatting.ts";
import { jsonOf } from "./json.ts";
import { SharedArray } from "./list.ts";
import { SharedMap } from "./map.ts";
import { Nested } from "./nested.ts";
import { SharedText } from "./text.ts";
import { XmlFragment } from "./xml.ts";

export interface Root<View extends object, Read> {
  readonly View: ViewClass<View>;
  /** The view as plain data. */
  read(view: View): Read;
}

/** A stretch of text, or one embed. */
export interface RichTextRun {
  readonly insert: Value;
  readonly attributes?: Attributes;
}

export const textRoot: Root<SharedText, string> = Object.freeze({
  View: SharedText,
  read: (view: SharedText) => view.toString(),
});

export const richTextRoot: Root<SharedText, readonly RichTextRun[]> = Object.freeze({
  View: SharedText,
  read: (view: SharedText) => runsOf(view),
});

export const arrayRoot: Root<SharedArray, Value> = Object.freeze({
  View: SharedArray,
  read: (view: SharedArray) => view.toJSON(),
});

export const mapRoot: Root<SharedMap, Value> = Object.freeze({
  View: SharedMap,
  read: (view: SharedMap) => view.toJSON(),
});

/** XML as its source. */
export const xmlRoot: Root<XmlFragment, string> = Object.freeze({
  View: XmlFragment,
  read: (view: XmlFragment) => view.toString(),
});

/** Neighbours with equal attributes are one run, whatever marks lie between them. */
function runsOf(view: SharedText): readonly RichTextRun[] {
  const runs: RichTextRun[] = [];
  for (const step of view.toDelta()) {
    if (!("insert" in step)) continue;
    const { attributes } = step;
    const insert = plain(view, step.insert as DeltaItem);
    const last = runs.at(-1);
    const joins =
      typeof insert === "string" &&
      typeof last?.insert === "string" &&
      sameValue(last.attributes ?? {}, attributes ?? {});
    if (joins) runs[runs.length - 1] = { ...last, insert: last.insert + insert };
    else runs.push(attributes === undefined ? { insert } : { insert, attributes });
  }
  return runs;
}

function plain({ doc }: SharedText, item: DeltaItem): Value {
  return item instanceof Nested ? jsonOf(doc, item.branch) : (item as Value);
}
