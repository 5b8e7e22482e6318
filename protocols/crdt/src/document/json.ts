/** Shared types as plain values, whatever they are nested in. Text becomes a string, XML its source. */

import { setOwn, type Value } from "./any.ts";
import {
  type Branch,
  MAP,
  NONE,
  TEXT,
  XML_ELEMENT,
  XML_FRAGMENT,
  XML_HOOK,
  XML_TEXT,
} from "./branch.ts";
import {
  DELETED,
  FORMAT,
  type Mark,
  STRING,
  type Subdocument,
  SUBDOCUMENT,
  TYPE,
  UNCOUNTED,
  valueAt,
} from "./content.ts";
import { type Doc } from "./doc.ts";
import { DocumentError } from "./errors.ts";
import { type Store } from "./store.ts";

/** Peers choose how deep types nest; the stack does not. */
const MAX_DEPTH = 500;

/** @throws DocumentError `too-large` beyond 500 levels. */
export function jsonOf(doc: Doc, branch: Branch): Value {
  return branchJson(doc.store, branch, 0);
}

function branchJson(store: Store, branch: Branch, depth: number): Value {
  if (depth > MAX_DEPTH) throw new DocumentError("too-large", "shared types nested too deeply");
  switch (branch.kind) {
    case MAP:
    case XML_HOOK:
      return mapJson(store, branch, depth);
    case TEXT:
      return childTexts(store, branch);
    case XML_ELEMENT:
    case XML_FRAGMENT:
    case XML_TEXT:
      return xmlSource(store, branch, depth);
    default:
      return listJson(store, branch, depth);
  }
}

function* live(store: Store, branch: Branch): Generator<number, void, undefined> {
  for (let item = branch.children?.first ?? NONE; item !== NONE; item = store.next[item]!) {
    if ((store.flags[item]! & DELETED) === 0) yield item;
  }
}

function childTexts(store: Store, branch: Branch): string {
  let text = "";
  for (const item of live(store, branch)) {
    if (store.kind(item) === STRING) text += store.content[item] as string;
  }
  return text;
}

function listJson(store: Store, branch: Branch, depth: number): Value {
  const values: Value[] = [];
  for (const item of live(store, branch)) {
    if ((store.flags[item]! & UNCOUNTED) !== 0) continue;
    for (let i = 0; i < store.length[item]!; i++) values.push(unitJson(store, item, i, depth));
  }
  return values;
}

function mapJson(store: Store, branch: Branch, depth: number): Value {
  const record: Record<string, Value> = {};
  for (const [key, { last }] of branch.keys ?? []) {
    if (last === NONE || store.isDeleted(last)) continue;
    setOwn(record, key, unitJson(store, last, store.length[last]! - 1, depth));
  }
  return record;
}

function unitJson(store: Store, item: number, offset: number, depth: number): Value {
  const value = valueAt(store.kind(item), store.content[item]!, offset);
  if (store.kind(item) === TYPE) return branchJson(store, value as Branch, depth + 1);
  if (store.kind(item) === SUBDOCUMENT) return { guid: (value as Subdocument).guid };
  return value as Value;
}

/** The source of XML, as Yjs writes it: attributes in order of their names, nothing escaped. */
export function xmlSource(store: Store, branch: Branch, depth: number): string {
  if (depth > MAX_DEPTH) throw new DocumentError("too-large", "shared types nested too deeply");
  if (branch.kind === XML_TEXT) return formattedSource(store, branch);
  if (branch.kind === XML_HOOK) return "[object Object]";
  let inner = "";
  for (const item of live(store, branch)) {
    if (store.kind(item) === TYPE) {
      const child = store.content[item] as Branch;
      const isXml = child.kind >= XML_ELEMENT && child.kind <= XML_TEXT;
      inner += isXml
        ? xmlSource(store, child, depth + 1)
        : String(branchJson(store, child, depth + 1));
    }
  }
  if (branch.kind !== XML_ELEMENT) return inner;
  const attributes = [...(branch.keys ?? [])]
    .filter(([, { last }]) => last !== NONE && !store.isDeleted(last))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, { last }]) =>
        ` ${key}="${String(unitJson(store, last, store.length[last]! - 1, depth))}"`,
    );
  const name = branch.name.toLowerCase();
  return `<${name}${attributes.join("")}>${inner}</${name}>`;
}

function formattedSource(store: Store, branch: Branch): string {
  const attributes = new Map<string, Value>();
  let source = "";
  for (const item of live(store, branch)) {
    const kind = store.kind(item);
    if (kind === FORMAT) {
      const { key, value } = store.content[item] as Mark;
      if (value === null) attributes.delete(key);
      else attributes.set(key, value);
      continue;
    }
    source += wrapped(String(valueText(store, item)), attributes);
  }
  return source;
}

function valueText(store: Store, item: number): unknown {
  if (store.kind(item) === STRING) return store.content[item];
  return unitJson(store, item, 0, 0);
}

/** Attributes of text become elements around it, those of an attribute's value its attributes. */
function wrapped(text: string, attributes: ReadonlyMap<string, Value>): string {
  const tags = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  let source = "";
  for (const [name, value] of tags) {
    source += `<${name}`;
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, item] of entries) source += ` ${key}="${String(item)}"`;
    }
    source += ">";
  }
  source += text;
  for (const [name] of tags.toReversed()) source += `</${name}>`;
  return source;
}
