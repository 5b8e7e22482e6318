/**
 * Replicas of ours and of Yjs behind one face, for tests that mix them. Every edit is said once, as data;
 * each side carries it out with its own API.
 */

import * as Y from "yjs";

import {
  type Attributes,
  Doc,
  type Input,
  Nested,
  SharedArray,
  SharedMap,
  SharedText,
  type Value,
  XmlElement,
  XmlFragment,
  XmlText,
} from "./index.ts";

/** Edits of the four roots: text "t", array "a", map "m", XML "x". Numbers are taken modulo what is there. */
export type Edit =
  | { readonly type: "insert"; at: number; text: string; attributes?: Attributes }
  | { readonly type: "delete"; at: number; count: number }
  | { readonly type: "format"; at: number; count: number; attributes: Attributes }
  | { readonly type: "embed"; at: number; value: Value }
  | { readonly type: "push"; at: number; values: readonly Value[] }
  | { readonly type: "nest"; at: number; kind: "map" | "array" | "text" }
  | { readonly type: "drop"; at: number; count: number }
  | { readonly type: "into"; at: number; value: number }
  | { readonly type: "set"; key: string; value: Value }
  | { readonly type: "unset"; key: string }
  | { readonly type: "setNested"; key: string; value: number }
  | { readonly type: "element"; at: number; name: string; text: string }
  | { readonly type: "remove"; at: number }
  | { readonly type: "attribute"; at: number; key: string; value: string };

export interface Peer {
  readonly name: string;
  run(edit: Edit): void;
  apply(update: Uint8Array): void;
  encode(stateVector?: Uint8Array): Uint8Array;
  stateVector(): Uint8Array;
  /** Updates made here since the last call, formatting clean-ups included. */
  take(): Uint8Array[];
  state(): unknown;
}

export class OurPeer implements Peer {
  readonly name: string;
  readonly doc: Doc;
  private made: Uint8Array[] = [];

  constructor(client: number, collects = true) {
    this.name = `ours ${client}`;
    this.doc = new Doc({ client, collects });
    this.doc.onUpdate((update, origin) => {
      if (origin !== "net") this.made.push(update);
    });
  }

  get text(): SharedText {
    return this.doc.root("t", SharedText);
  }
  get array(): SharedArray {
    return this.doc.root("a", SharedArray);
  }
  get map(): SharedMap {
    return this.doc.root("m", SharedMap);
  }
  get xml(): XmlFragment {
    return this.doc.root("x", XmlFragment);
  }

  run(edit: Edit): void {
    const { text, array, map, xml } = this;
    switch (edit.type) {
      case "insert":
        return text.insert(edit.at % (text.length + 1), edit.text, edit.attributes);
      case "delete":
      case "format": {
        if (text.length === 0) return;
        const at = edit.at % text.length;
        const count = Math.min(edit.count, text.length - at);
        if (edit.type === "delete") text.delete(at, count);
        else text.format(at, count, edit.attributes);
        return;
      }
      case "embed":
        return text.embed(edit.at % (text.length + 1), edit.value);
      case "push":
        return array.insert(edit.at % (array.length + 1), edit.values);
      case "nest":
        return array.insert(edit.at % (array.length + 1), [ourDraft(edit.kind)]);
      case "drop": {
        if (array.length === 0) return;
        const at = edit.at % array.length;
        return array.delete(at, Math.min(edit.count, array.length - at));
      }
      case "into":
        return this.runInto(edit.at, edit.value);
      case "set":
        return map.set(edit.key, edit.value);
      case "unset":
        return map.delete(edit.key);
      case "setNested":
        return map.set(edit.key, SharedMap.draft({ value: edit.value }));
      case "element":
        return xml.insert(edit.at % (xml.length + 1), [
          XmlElement.draft(edit.name, {}, [XmlText.draft(edit.text)]),
        ]);
      case "remove":
        if (xml.length > 0) xml.delete(edit.at % xml.length, 1);
        return;
      default: {
        if (xml.length === 0) return;
        const node = xml.get(edit.at % xml.length) as Nested;
        node.as(XmlElement).setAttribute(edit.key, edit.value);
      }
    }
  }

  private runInto(at: number, value: number): void {
    const { array } = this;
    if (array.length === 0) return;
    const item = array.get(at % array.length);
    if (!(item instanceof Nested)) return;
    if (item.is(SharedMap)) item.as(SharedMap).set(`k${value % 3}`, value);
    else if (item.is(SharedArray)) item.as(SharedArray).push(value);
    else if (item.is(SharedText)) item.as(SharedText).insert(0, `${value}`);
  }

  apply(update: Uint8Array): void {
    this.doc.apply(update, "net");
  }
  encode(stateVector?: Uint8Array): Uint8Array {
    return this.doc.encode(stateVector);
  }
  stateVector(): Uint8Array {
    return this.doc.stateVector();
  }
  take(): Uint8Array[] {
    return this.made.splice(0);
  }
  state(): unknown {
    return {
      text: this.text.toString(),
      length: this.text.length,
      delta: normal(this.text.toDelta()),
      array: this.array.toJSON(),
      map: this.map.toJSON(),
      xml: this.xml.toString(),
    };
  }
}

function ourDraft(kind: "map" | "array" | "text"): Input {
  if (kind === "map") return SharedMap.draft({ k0: 0 });
  return kind === "array" ? SharedArray.draft([1, 2]) : SharedText.draft("nested");
}

export class YjsPeer implements Peer {
  readonly name: string;
  readonly doc: Y.Doc;
  private made: Uint8Array[] = [];

  constructor(client: number, collects = true) {
    this.name = `yjs ${client}`;
    this.doc = new Y.Doc({ gc: collects });
    this.doc.clientID = client;
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "net") this.made.push(update);
    });
    for (const open of [this.text, this.array, this.map, this.xml]) void open;
  }

  get text(): Y.Text {
    return this.doc.getText("t");
  }
  get array(): Y.Array<unknown> {
    return this.doc.getArray("a");
  }
  get map(): Y.Map<unknown> {
    return this.doc.getMap("m");
  }
  get xml(): Y.XmlFragment {
    return this.doc.getXmlFragment("x");
  }

  run(edit: Edit): void {
    const { text, array, map, xml } = this;
    switch (edit.type) {
      case "insert": {
        const attributes = edit.attributes === undefined ? undefined : { ...edit.attributes };
        return text.insert(edit.at % (text.length + 1), edit.text, attributes);
      }
      case "delete":
      case "format": {
        if (text.length === 0) return;
        const at = edit.at % text.length;
        const count = Math.min(edit.count, text.length - at);
        if (edit.type === "delete") text.delete(at, count);
        else text.format(at, count, { ...edit.attributes });
        return;
      }
      case "embed":
        return text.insertEmbed(edit.at % (text.length + 1), edit.value as object);
      case "push":
        return array.insert(edit.at % (array.length + 1), [...edit.values]);
      case "nest":
        return array.insert(edit.at % (array.length + 1), [yjsDraft(edit.kind)]);
      case "drop": {
        if (array.length === 0) return;
        const at = edit.at % array.length;
        return array.delete(at, Math.min(edit.count, array.length - at));
      }
      case "into": {
        if (array.length === 0) return;
        const item = array.get(edit.at % array.length);
        if (item instanceof Y.Map) item.set(`k${edit.value % 3}`, edit.value);
        else if (item instanceof Y.Array) item.push([edit.value]);
        else if (item instanceof Y.Text) item.insert(0, `${edit.value}`);
        return;
      }
      case "set":
        return void map.set(edit.key, edit.value);
      case "unset":
        return map.delete(edit.key);
      case "setNested":
        return void map.set(edit.key, new Y.Map([["value", edit.value]]));
      case "element": {
        const element = new Y.XmlElement(edit.name);
        element.insert(0, [new Y.XmlText(edit.text)]);
        return xml.insert(edit.at % (xml.length + 1), [element]);
      }
      case "remove":
        if (xml.length > 0) xml.delete(edit.at % xml.length, 1);
        return;
      default:
        if (xml.length === 0) return;
        (xml.get(edit.at % xml.length) as Y.XmlElement).setAttribute(edit.key, edit.value);
    }
  }

  apply(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, "net");
  }
  encode(stateVector?: Uint8Array): Uint8Array {
    return Y.encodeStateAsUpdate(this.doc, stateVector);
  }
  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.doc);
  }
  take(): Uint8Array[] {
    return this.made.splice(0);
  }
  state(): unknown {
    return {
      text: this.text.toString(),
      length: this.text.length,
      delta: normal(this.text.toDelta() as readonly unknown[]),
      array: this.array.toJSON(),
      map: this.map.toJSON(),
      xml: this.xml.toString(),
    };
  }
}

function yjsDraft(kind: "map" | "array" | "text"): unknown {
  if (kind === "map") return new Y.Map([["k0", 0]]);
  return kind === "array" ? Y.Array.from([1, 2]) : new Y.Text("nested");
}

/** Deltas with neighbours of equal attributes joined, keys of attributes in order. */
function normal(delta: readonly unknown[]): unknown[] {
  const steps: { insert: unknown; attributes: string }[] = [];
  for (const step of delta as { insert: unknown; attributes?: object }[]) {
    const entries = Object.entries(step.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const attributes = JSON.stringify(entries);
    const last = steps.at(-1);
    if (last?.attributes === attributes && typeof step.insert === "string") {
      if (typeof last.insert === "string") {
        last.insert += step.insert;
        continue;
      }
    }
    steps.push({ insert: step.insert, attributes });
  }
  return steps;
}
