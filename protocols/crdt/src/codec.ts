/**
 * The bytes of states and deltas: a header, the context, and the dot store.
 *
 *     byte 1              version of the format
 *     crc32c              of the schema's name, four bytes
 *     ms, count           the latest time of a write in it
 *     after               a version vector: what one must have seen to merge it, empty but
 *                         for deltas in which something was collected
 *     actors              in order; everything below names them by their place
 *     taken in            for each actor its ranges, as distances and lengths
 *     1, or 0 and         whether that is all it has heard of; if not,
 *     heard of            for each actor its ranges
 *     store               a leaf: number of dots, and for each actor, counter, item;
 *                         a node: number of keys · 2 + whole, and for each key and store
 *
 * Actors, keys and dots are sorted, so that replicas in the same state write
 * the same bytes; texts of keys leave out what they share with the one before.
 *
 * A delta is written straight from the state: it is what lies at the touched
 * places under the dots that were made, in the context of these and of those
 * that were removed. It names no other dots, so it may be joined to any state,
 * in any order (D01, D03).
 */

import {
  type Actor,
  actorCodec,
  compareActors,
  COUNTS,
  type VersionVector,
  versionVectorCodec,
} from "@quorate/clocks";
import {
  bool,
  crc32c,
  MalformedInput,
  Reader,
  text,
  uint,
  utf8,
  type Writer,
} from "@quorate/kernel";

import { CausalContext } from "./causal/context.ts";
import { counterOf, indexOf, MAX_COUNTER, pack, type PackedDot } from "./causal/dots.ts";
import { MAX_MS, type State, type Touched, type Written } from "./causal/state.ts";
import { type Key, Leaf, Node, type Store } from "./causal/stores.ts";
import { CrdtError } from "./errors.ts";
import { type AnyType } from "./types/type.ts";

const VERSION = 1;

/** Stores nest to this depth: JSON of {@link MAX_NESTING} levels takes four for each. */
const MAX_DEPTH = 300;

/** What was read from bytes, not yet taken in. */
export interface Incoming {
  /** Dots heard of. */
  readonly context: CausalContext;
  /** Dots of changes that are in it. */
  readonly taken: CausalContext;
  readonly store: Store;
  readonly written: Written;
  /** What one must have seen to take it in. */
  readonly after: VersionVector;
}

/** Tells schemas apart on the wire. */
export function schemaOf(type: AnyType): number {
  return crc32c(utf8(type.name));
}

/** What of a state is written: all of it, or with `touched` a delta. */
export interface Extract {
  readonly context: CausalContext;
  readonly taken: CausalContext;
  readonly written: Written;
  readonly after: VersionVector;
  readonly touched: Touched | undefined;
}

export function write(
  writer: Writer,
  type: AnyType,
  schema: number,
  state: State,
  { context, taken, written, after, touched }: Extract,
): void {
  writer.byte(VERSION);
  for (let shift = 24; shift >= 0; shift -= 8) writer.byte((schema >>> shift) & 0xff);
  uint.write(writer, written.ms);
  uint.write(writer, written.count);
  versionVectorCodec.write(writer, after);
  const indexes = context
    .indexes()
    .toSorted((a, b) => compareActors(state.actors[a]!, state.actors[b]!));
  uint.write(writer, indexes.length);
  for (const index of indexes) actorCodec.write(writer, state.actors[index]!);
  for (const index of indexes) writeRanges(writer, taken, index);
  const same = taken.includes(context);
  bool.write(writer, same);
  if (!same) for (const index of indexes) writeRanges(writer, context, index);
  const places: number[] = [];
  for (const [place, index] of indexes.entries()) places[index] = place;
  const store = new StoreWriter(writer, places, touched === undefined ? undefined : context);
  store.write(type, state.root, touched);
}

function writeRanges(writer: Writer, context: CausalContext, index: number): void {
  const ranges: number[] = [];
  context.eachRange(index, (from, to) => ranges.push(from, to));
  uint.write(writer, ranges.length / 2);
  let end = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    uint.write(writer, ranges[i]! - end);
    uint.write(writer, ranges[i + 1]! - ranges[i]!);
    end = ranges[i + 1]!;
  }
}

class StoreWriter {
  private readonly writer: Writer;
  /** By the replica's index of an actor, its place in the header. */
  private readonly places: readonly number[];
  /** Only dots in here are written; all if it is left out. */
  private readonly only: CausalContext | undefined;

  constructor(writer: Writer, places: readonly number[], only: CausalContext | undefined) {
    this.writer = writer;
    this.places = places;
    this.only = only;
  }

  write(type: AnyType, store: Store | undefined, touched: Touched | undefined): void {
    if (type.leaf) this.writeLeaf(type, store as Leaf | undefined);
    else this.writeNode(type, store as Node | undefined, touched);
  }

  private writeLeaf(type: AnyType, leaf: Leaf | undefined): void {
    const { writer, only } = this;
    const dots = leaf?.dots ?? [];
    if (dots.length === 1 && (only === undefined || only.has(dots[0]!))) {
      writer.byte(1);
      return this.writeDot(type, leaf!, 0);
    }
    const chosen: number[] = [];
    for (let at = 0; at < dots.length; at++) {
      if (only === undefined || only.has(dots[at]!)) chosen.push(at);
    }
    chosen.sort((a, b) => this.compareDots(dots[a]!, dots[b]!));
    uint.write(writer, chosen.length);
    for (const at of chosen) this.writeDot(type, leaf!, at);
  }

  private writeDot(type: AnyType, leaf: Leaf, at: number): void {
    const dot = leaf.dots[at]!;
    uint.write(this.writer, this.places[indexOf(dot)]!);
    uint.write(this.writer, counterOf(dot));
    type.item?.write(this.writer, leaf.items[at]);
  }

  private compareDots(a: PackedDot, b: PackedDot): number {
    return this.places[indexOf(a)]! - this.places[indexOf(b)]! || a - b;
  }

  private writeNode(type: AnyType, node: Node | undefined, touched: Touched | undefined): void {
    const { writer } = this;
    const delta = this.only !== undefined;
    const keys = [...((delta ? touched?.children : node?.children)?.keys() ?? [])];
    // Texts alone, the usual case, are sorted natively: by code units, as everywhere here.
    if (keys.every((key) => typeof key === "string")) keys.sort();
    else keys.sort(compareKeys);
    uint.write(writer, keys.length * 2 + (!delta || touched?.whole === true ? 1 : 0));
    let before = "";
    for (const key of keys) {
      writeKey(writer, key, before);
      if (typeof key === "string") before = key;
      this.write(type.child(key), node?.children.get(key), touched?.children?.get(key));
    }
  }
}

/** Numbers before texts, each ascending. */
function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A number as twice itself and one more; a text as twice the length it shares with the one before, and the rest. */
function writeKey(writer: Writer, key: Key, before: string): void {
  if (typeof key === "number") return uint.write(writer, key * 2 + 1);
  let shared = 0;
  while (shared < before.length && before.charCodeAt(shared) === key.charCodeAt(shared)) shared++;
  // A surrogate pair is not cut in two: half of one is no text.
  if (shared > 0 && isHighSurrogate(key.charCodeAt(shared - 1))) shared--;
  uint.write(writer, shared * 2);
  text.write(writer, shared === 0 ? key : key.slice(shared));
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

/** Interns an actor, or refuses one more. */
export type Intern = (actor: Actor) => number;

/**
 * Reads a state or a delta of a schema.
 * @throws CrdtError `malformed` or `wrongType`
 */
export function read(input: Uint8Array, type: AnyType, schema: number, intern: Intern): Incoming {
  try {
    return readAll(new Reader(input), type, schema, intern);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    throw new CrdtError("malformed", `not a state or a delta: ${error.message}`);
  }
}

function readAll(reader: Reader, type: AnyType, expected: number, intern: Intern): Incoming {
  if (reader.byte() !== VERSION) throw new MalformedInput("unknown version of the format");
  let schema = 0;
  for (let i = 0; i < 4; i++) schema = schema * 0x100 + reader.byte();
  if (schema !== expected) {
    throw new CrdtError("wrongType", `the bytes are of another schema than ${type.name}`);
  }
  const written = { ms: uint.read(reader), count: uint.read(reader) };
  if (written.ms > MAX_MS || written.count >= COUNTS)
    throw new MalformedInput("a time out of range");
  const after = versionVectorCodec.read(reader);
  const count = uint.read(reader);
  if (count > reader.left) throw new MalformedInput("more actors than bytes");
  const indexes: number[] = [];
  let before = "";
  for (let i = 0; i < count; i++) {
    const actor = actorCodec.read(reader);
    if (actor <= before) throw new MalformedInput("actors out of order");
    before = actor;
    indexes.push(intern(actor));
  }
  const taken = readContext(reader, indexes);
  const context = bool.read(reader) ? taken : readContext(reader, indexes);
  if (!context.includes(taken)) throw new MalformedInput("took in what it has not heard of");
  const store = new StoreReader(reader, indexes, context, written).read(type, MAX_DEPTH);
  if (reader.left > 0) throw new MalformedInput("input has a tail");
  return { context, taken, store, written, after };
}

function readContext(reader: Reader, indexes: readonly number[]): CausalContext {
  const context = new CausalContext();
  for (const index of indexes) readRanges(reader, context, index);
  return context;
}

function readRanges(reader: Reader, context: CausalContext, index: number): void {
  const count = uint.read(reader);
  if (count * 2 > reader.left) throw new MalformedInput("more ranges than bytes");
  let end = 0;
  for (let i = 0; i < count; i++) {
    const distance = uint.read(reader);
    const from = end + distance;
    const to = from + uint.read(reader);
    if (distance === 0 || (i > 0 && distance === 1)) throw new MalformedInput("ranges touch");
    if (to > MAX_COUNTER) throw new MalformedInput("counter too large");
    context.addRange(index, from, to);
    end = to;
  }
}

class StoreReader {
  private readonly reader: Reader;
  /** By an actor's place in the header, the replica's index. */
  private readonly indexes: readonly number[];
  private readonly context: CausalContext;
  /** Nothing in it was written later. */
  private readonly latest: Written;
  private readonly seen = new Set<PackedDot>();

  constructor(reader: Reader, indexes: readonly number[], context: CausalContext, latest: Written) {
    this.latest = latest;
    this.reader = reader;
    this.indexes = indexes;
    this.context = context;
  }

  read(type: AnyType, depth: number): Store {
    if (depth === 0) throw new MalformedInput("nested too deeply");
    return type.leaf ? this.readLeaf(type) : this.readNode(type, depth);
  }

  private readLeaf(type: AnyType): Leaf {
    const { reader } = this;
    const leaf = new Leaf();
    const count = uint.read(reader);
    if (count * 2 > reader.left) throw new MalformedInput("more dots than bytes");
    for (let i = 0; i < count; i++) {
      const index = this.indexes[uint.read(reader)];
      if (index === undefined) throw new MalformedInput("a dot of no actor");
      const counter = uint.read(reader);
      if (!this.context.hasCounter(index, counter) || counter === 0) {
        throw new MalformedInput("a dot outside of the context");
      }
      const dot = pack(index, counter);
      if (this.seen.has(dot)) throw new MalformedInput("a dot twice");
      this.seen.add(dot);
      const item = type.item?.read(reader);
      if (type.dated) this.checkDate(item as Written);
      leaf.insert(dot, item);
    }
    return leaf;
  }

  private checkDate({ ms, count }: Written): void {
    const { latest } = this;
    if (ms < latest.ms || (ms === latest.ms && count <= latest.count)) return;
    throw new MalformedInput("written after the latest time");
  }

  private readNode(type: AnyType, depth: number): Node {
    const { reader } = this;
    const header = uint.read(reader);
    const node = new Node();
    node.whole = header % 2 === 1;
    const count = Math.floor(header / 2);
    if (count > reader.left) throw new MalformedInput("more keys than bytes");
    let before: Key | undefined;
    for (let i = 0; i < count; i++) {
      const key = readKey(reader, typeof before === "string" ? before : "");
      if (before !== undefined && compareKeys(before, key) >= 0) {
        throw new MalformedInput("keys out of order");
      }
      if (!type.isKey(key)) throw new MalformedInput("a key that the schema does not know");
      before = key;
      node.children.set(key, this.read(type.child(key), depth - 1));
    }
    return node;
  }
}

function readKey(reader: Reader, before: string): Key {
  const header = uint.read(reader);
  if (header % 2 === 1) return (header - 1) / 2;
  const shared = header / 2;
  if (shared > before.length) throw new MalformedInput("a key shares more than there is");
  if (isHighSurrogate(before.charCodeAt(shared - 1))) {
    throw new MalformedInput("a key shares half a character");
  }
  return before.slice(0, shared) + text.read(reader);
}
