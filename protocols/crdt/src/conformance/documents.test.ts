/** Documents in the format of Yjs under the suite: a rich text, and text beside arrays and maps that nest. */

import { type Random } from "@quorate/kernel";

import { sameValue } from "../document/any.ts";
import {
  type Attributes,
  arrayRoot,
  DocumentReplica,
  mapRoot,
  Nested,
  type RichTextRun,
  richTextRoot,
  type Roots,
  type RootValues,
  type RootViews,
  SharedArray,
  SharedMap,
  SharedText,
  textRoot,
} from "../document/index.ts";
import { type Model, type Subject } from "./index.ts";
import { examine } from "./examine.test.ts";

/** The suite's names for replicas, as client ids. */
const CLIENTS: readonly string[] = ["a", "b", "c", "observer", "victim"];

function clientOf(actor: string): number {
  const at = CLIENTS.indexOf(actor);
  return at < 0 ? Number(actor) : 10 + at;
}

function subjectOf<R extends Roots, Edit>(
  name: string,
  roots: R,
  sample: Pick<Subject<RootValues<R>, RootViews<R>, Edit>, "draw" | "apply" | "model">,
): Subject<RootValues<R>, RootViews<R>, Edit> {
  return {
    name,
    open: (actor) => new DocumentReplica(roots, { client: clientOf(actor) }),
    decode: (bytes, actor) => new DocumentReplica(roots, { client: clientOf(actor) }, bytes),
    ...sample,
  };
}

const LETTERS = ["x", "yz", "é", "日本", "0"] as const;

function letters(random: Random): string {
  return LETTERS[random.below(LETTERS.length)]!;
}

interface TextEdit {
  readonly type: "insert" | "dress" | "delete" | "format";
  readonly at: number;
  readonly count: number;
  readonly text: string;
  readonly attributes: Attributes;
}

interface Unit {
  readonly text: string;
  readonly attributes: Attributes;
}

function without(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null));
}

/** A text as an array of characters that know their attributes. */
class RichTextModel implements Model<TextEdit> {
  private readonly units: Unit[] = [];

  apply({ type, at, count, text, attributes }: TextEdit): void {
    const { units } = this;
    if (type === "insert" || type === "dress") {
      const place = at % (units.length + 1);
      const worn = type === "dress" ? without(attributes) : (units[place - 1]?.attributes ?? {});
      const added = Array.from(text, (unit) => ({ text: unit, attributes: worn }));
      units.splice(place, 0, ...added);
      return;
    }
    if (units.length === 0) return;
    const from = at % units.length;
    if (type === "delete") return void units.splice(from, count);
    for (let i = from; i < Math.min(from + count, units.length); i++) {
      units[i] = {
        text: units[i]!.text,
        attributes: without({ ...units[i]!.attributes, ...attributes }),
      };
    }
  }

  get value(): unknown {
    const runs: Unit[] = [];
    for (const { text, attributes } of this.units) {
      const last = runs.at(-1);
      if (last !== undefined && sameValue(last.attributes, attributes))
        runs[runs.length - 1] = { text: last.text + text, attributes };
      else runs.push({ text, attributes });
    }
    const body = runs.map(({ text, attributes }): RichTextRun =>
      Object.keys(attributes).length === 0 ? { insert: text } : { insert: text, attributes },
    );
    return { body };
  }
}

examine(
  subjectOf(
    "document: rich text",
    { body: richTextRoot },
    {
      draw: (random): TextEdit => ({
        type: (["insert", "insert", "dress", "delete", "format", "format"] as const)[
          random.below(6)
        ]!,
        at: random.below(1_000),
        count: 1 + random.below(4),
        text: letters(random),
        attributes: {
          [random.chance(1, 2) ? "bold" : "link"]: [true, "there", null][random.below(3)],
        },
      }),
      apply({ body }, { type, at, count, text, attributes }) {
        if (type === "insert") return body.insert(at % (body.length + 1), text);
        if (type === "dress") return body.insert(at % (body.length + 1), text, attributes);
        if (body.length === 0) return;
        const from = at % body.length;
        const units = Math.min(count, body.length - from);
        if (type === "delete") body.delete(from, units);
        else body.format(from, units, attributes);
      },
      model: () => new RichTextModel(),
    },
  ),
);

const DOCUMENT = { title: textRoot, items: arrayRoot, fields: mapRoot } as const;

type DocumentEdit = {
  readonly at: number;
  readonly count: number;
  readonly text: string;
  readonly key: string;
  readonly type:
    | "type"
    | "erase"
    | "push"
    | "nest"
    | "into"
    | "drop"
    | "set"
    | "unset"
    | "note"
    | "list";
};

const DOCUMENT_EDITS: readonly DocumentEdit["type"][] = [
  "type",
  "type",
  "erase",
  "push",
  "nest",
  "into",
  "into",
  "drop",
  "set",
  "unset",
  "note",
  "list",
];

interface Plain {
  title: string;
  readonly items: (number | { [key: string]: string })[];
  readonly fields: { [key: string]: string | number[] };
}

/** What lies under a key whose first letter says its kind: a text, an array or a plain value. */
class DocumentModel implements Model<DocumentEdit> {
  readonly value: Plain = { title: "", items: [], fields: {} };

  apply({ type, at, count, text, key }: DocumentEdit): void {
    const { value } = this;
    const { items, fields, title } = value;
    switch (type) {
      case "type":
        value.title = spliced(title, at % (title.length + 1), 0, text);
        return;
      case "erase":
        if (title.length > 0) value.title = spliced(title, at % title.length, count, "");
        return;
      case "push":
        return void items.splice(at % (items.length + 1), 0, at, count);
      case "nest":
        return void items.splice(at % (items.length + 1), 0, { [key]: text });
      case "into": {
        const item = items[at % Math.max(items.length, 1)];
        if (typeof item === "object") item[key] = text;
        return;
      }
      case "drop":
        if (items.length > 0) items.splice(at % items.length, count);
        return;
      case "set":
        fields[`plain ${key}`] = text;
        return;
      case "unset":
        for (const kind of ["plain", "note"]) delete fields[`${kind} ${key}`];
        return;
      case "note": {
        const note = String(fields[`note ${key}`] ?? "");
        fields[`note ${key}`] = spliced(note, at % (note.length + 1), 0, text);
        return;
      }
      default: {
        const list = fields[`list ${key}`];
        if (Array.isArray(list)) list.splice(at % (list.length + 1), 0, count);
        else fields[`list ${key}`] = [count];
      }
    }
  }
}

function spliced(text: string, at: number, count: number, inserted: string): string {
  return text.slice(0, at) + inserted + text.slice(at + count);
}

function edit(
  { title, items, fields }: RootViews<typeof DOCUMENT>,
  { type, at, count, text, key }: DocumentEdit,
): void {
  switch (type) {
    case "type":
      return title.insert(at % (title.length + 1), text);
    case "erase": {
      const from = at % Math.max(title.length, 1);
      return title.delete(from, Math.min(count, title.length - from));
    }
    case "push":
      return items.insert(at % (items.length + 1), [at, count]);
    case "nest":
      return items.insert(at % (items.length + 1), [SharedMap.draft({ [key]: text })]);
    case "into": {
      const item = items.get(at % Math.max(items.length, 1));
      if (item instanceof Nested) item.as(SharedMap).set(key, text);
      return;
    }
    case "drop": {
      const from = at % Math.max(items.length, 1);
      return items.delete(from, Math.min(count, items.length - from));
    }
    case "set":
      return fields.set(`plain ${key}`, text);
    case "unset":
      for (const kind of ["plain", "note"]) fields.delete(`${kind} ${key}`);
      return;
    case "note": {
      const note = fields.open(`note ${key}`, SharedText);
      if (note === undefined) fields.set(`note ${key}`, SharedText.draft(text));
      else note.insert(at % (note.length + 1), text);
      return;
    }
    default: {
      const list = fields.open(`list ${key}`, SharedArray);
      if (list === undefined) fields.set(`list ${key}`, SharedArray.draft([count]));
      else list.insert(at % (list.length + 1), [count]);
    }
  }
}

examine(
  subjectOf("document: text, array and map", DOCUMENT, {
    draw: (random): DocumentEdit => ({
      type: DOCUMENT_EDITS[random.below(DOCUMENT_EDITS.length)]!,
      at: random.below(1_000),
      count: 1 + random.below(4),
      text: letters(random),
      key: "pq".charAt(random.below(2)),
    }),
    apply: (views, drawn) => edit(views, drawn),
    model: () => new DocumentModel(),
  }),
);
