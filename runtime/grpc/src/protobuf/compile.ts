/**
 * Writes out the JavaScript of a message's codec and compiles it.
 *
 * Generic code that walks a list of fields sees the objects of every message and is slow for all of them; code written
 * for one message sees one shape, and V8 makes it as fast as code by hand. What is compiled comes from descriptions in
 * our own source alone, never from data, and names go in quoted.
 */

import type { Field, ScalarKind } from "./fields.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** The three functions of a message. */
export interface Compiled {
  /** Makes a message of defaults. */
  readonly make: () => object;
  /** Decodes, up to the reader's limit, into a message. */
  readonly merge: (message: object, reader: Reader, depth: number) => void;
  readonly encode: (message: object, writer: Writer) => void;
}

/** What compiled code calls. */
interface Environment {
  /** The codecs of nested messages, by number; functions, because messages may contain themselves. */
  readonly codecs: (() => Compiled)[];
  /** The default of bytes fields. */
  readonly noBytes: unknown;
  readonly tooDeep: () => Error;
}

/** A field, or a member of a oneof, as the generator sees it. */
interface Item {
  /** `m["name"]`. */
  readonly place: string;
  /** The member's name, quoted, or undefined outside oneofs. */
  readonly member: string | undefined;
  readonly field: Field<unknown>;
  /** Number of the nested message's codec. */
  readonly codec: number;
}

/** Compiles the codec of a message with these fields. */
export function compile(
  fields: Readonly<Record<string, Field<unknown>>>,
  tooDeep: () => Error,
  noBytes: unknown,
): Compiled {
  const environment: Environment = { codecs: [], noBytes, tooDeep };
  const items = listItems(fields, environment);
  return {
    make: build(makeSource(fields), environment) as Compiled["make"],
    merge: build(mergeSource(items), environment) as Compiled["merge"],
    encode: build(encodeSource(items), environment) as Compiled["encode"],
  };
}

function build(source: string, environment: Environment): unknown {
  const { codecs, noBytes, tooDeep } = environment;
  // oxlint-disable-next-line typescript/no-implied-eval -- See the essay: the source is made of our own descriptions.
  const factory = new Function(
    "codecs",
    "noBytes",
    "tooDeep",
    `"use strict"; return ${source}`,
  ) as (...values: unknown[]) => unknown;
  return factory(codecs, noBytes, tooDeep);
}

function listItems(
  fields: Readonly<Record<string, Field<unknown>>>,
  environment: Environment,
): Item[] {
  const items: Item[] = [];
  const add = (place: string, member: string | undefined, field: Field<unknown>): void => {
    const source = field.codec;
    let codec = -1;
    if (source !== undefined) {
      // A codec of this package is a compiled one.
      const thunk = typeof source === "function" ? source : () => source;
      codec = environment.codecs.push(thunk as () => Compiled) - 1;
    }
    items.push({ place, member, field, codec });
  };
  for (const [name, field] of Object.entries(fields)) {
    const place = `m[${JSON.stringify(name)}]`;
    if (field.members === undefined) add(place, undefined, field);
    for (const [member, inner] of Object.entries(field.members ?? {})) {
      add(place, JSON.stringify(member), inner);
    }
  }
  return items.toSorted((a, b) => a.field.number - b.field.number);
}

function makeSource(fields: Readonly<Record<string, Field<unknown>>>): string {
  const defaults = Object.entries(fields).map(([name, field]) => {
    const value =
      field.shape === "repeated" || field.shape === "repeatedNested"
        ? "[]"
        : field.shape === "scalar" && field.scalar === "bytes"
          ? "noBytes"
          : field.fallback === undefined
            ? "undefined"
            : JSON.stringify(field.fallback);
    return `${JSON.stringify(name)}: ${value}`;
  });
  return `function make() { return { ${defaults.join(", ")} }; }`;
}

function mergeSource(items: readonly Item[]): string {
  return `function merge(m, r, depth) {
    if (depth <= 0) throw tooDeep();
    while (r.at < r.limit) {
      const tag = r.tag();
      switch (tag) {
        ${items.map(mergeCases).join("\n")}
        default: r.skip(tag, depth);
      }
    }
  }`;
}

function mergeCases({ place, member, field, codec }: Item): string {
  const { number, scalar, shape } = field;
  const tag = tagOf(number, shape === "nested" ? 2 : wireType(scalar));
  const enter = `const outer = r.enter(), c = codecs[${codec}]();`;
  switch (shape) {
    case "scalar": {
      const value = `r.${scalar}()`;
      const set = member === undefined ? value : `{ type: ${member}, value: ${value} }`;
      return `case ${tag}: ${place} = ${set}; break;`;
    }
    case "nested":
      if (member === undefined) {
        return `case ${tag}: { ${enter} let n = ${place};
          if (n === undefined) ${place} = n = c.make();
          c.merge(n, r, depth - 1); r.leave(outer); break; }`;
      }
      return `case ${tag}: { ${enter} let n = ${place};
        if (n === undefined || n.type !== ${member}) ${place} = n = { type: ${member}, value: c.make() };
        c.merge(n.value, r, depth - 1); r.leave(outer); break; }`;
    case "repeated": {
      const one = `case ${tag}: ${place}.push(r.${scalar}()); break;`;
      if (!isPacked(scalar)) return one;
      return `${one} case ${tagOf(number, 2)}: { const outer = r.enter();
        while (r.at < r.limit) ${place}.push(r.${scalar}());
        r.leave(outer); break; }`;
    }
    case "repeatedNested":
      return `case ${tagOf(number, 2)}: { ${enter} const n = c.make(); ${place}.push(n);
        c.merge(n, r, depth - 1); r.leave(outer); break; }`;
    case "oneof":
      throw new TypeError("a oneof cannot be a member of a oneof");
    default:
      throw new TypeError(`unknown shape ${String(shape satisfies never)}`);
  }
}

function encodeSource(items: readonly Item[]): string {
  // Backwards, as the writer goes, so that fields end up in the order of their numbers.
  const steps = items.map(encodeStep).toReversed();
  return `function encode(m, w) { ${steps.join("\n")} }`;
}

function encodeStep({ place, member, field, codec }: Item): string {
  const { number, scalar, shape } = field;
  const nested = (value: string): string =>
    `const e = w.length; codecs[${codec}]().encode(${value}, w);
     w.uint32(w.length - e); w.uint32(${tagOf(number, 2)});`;
  const single = (value: string): string =>
    shape === "nested"
      ? nested(value)
      : `w.${scalar}(${value}); w.uint32(${tagOf(number, wireType(scalar))});`;
  if (member !== undefined) {
    return `{ const n = ${place};
      if (n !== undefined && n.type === ${member}) { ${single("n.value")} } }`;
  }
  const backwards = "for (let i = a.length - 1; i >= 0; i--)";
  switch (shape) {
    case "scalar":
      return `{ const v = ${place}; if (${isSet(scalar)}) { ${single("v")} } }`;
    case "nested":
      return `{ const v = ${place}; if (v !== undefined) { ${single("v")} } }`;
    case "repeated":
      if (!isPacked(scalar)) return `{ const a = ${place}; ${backwards} { ${single("a[i]")} } }`;
      return `{ const a = ${place}; if (a.length > 0) { const e = w.length;
        ${backwards} w.${scalar}(a[i]);
        w.uint32(w.length - e); w.uint32(${tagOf(number, 2)}); } }`;
    case "repeatedNested":
      return `{ const a = ${place}; ${backwards} { ${nested("a[i]")} } }`;
    case "oneof":
      throw new TypeError("a oneof cannot be a member of a oneof");
    default:
      throw new TypeError(`unknown shape ${String(shape satisfies never)}`);
  }
}

function tagOf(number: number, wire: number): number {
  return number * 8 + wire;
}

function isPacked(scalar: ScalarKind): boolean {
  return scalar !== "bytes" && scalar !== "string";
}

function wireType(scalar: ScalarKind): number {
  return isPacked(scalar) ? 0 : 2;
}

/** The condition under which a scalar `v` differs from its default. */
function isSet(scalar: ScalarKind): string {
  switch (scalar) {
    case "bytes":
    case "string":
    case "id64":
      return "v.length !== 0";
    case "bool":
      return "v";
    case "int32":
    case "uint32":
    case "int64":
    case "uint64":
      return "v !== 0";
    default:
      throw new TypeError(`unknown kind ${String(scalar satisfies never)}`);
  }
}
