/**
 * Encodings of a lineage's messages and records: an engine's own behind the
 * generation's number, and without it for the first, whose bytes are therefore
 * those of an engine that stands alone. Which engine wrote is told by its tags,
 * which no other engine uses. Append, never renumber.
 */

import {
  bool,
  type Codec,
  invariant,
  MalformedInput,
  type Reader,
  struct,
  text,
  uint,
  type Writer,
} from "@quorate/kernel";

import { type Generation, type SnapshotMeta, snapshotMetaCodec } from "../entry.ts";
import type { LogWords } from "../ordered-log.ts";
import { FIRST, plainMeta, recordOf } from "./branch.ts";
import type { LineageMessage, LineageRecord } from "./words.ts";

/** The first and the last of a range. */
export type Tags = readonly [first: number, last: number];

/** How an engine's words are encoded, and with what they begin. */
export interface EngineCodec {
  readonly messages: Codec<LogWords["Message"]>;
  readonly messageTags: Tags;
  readonly records: Codec<LogWords["Record"]>;
  readonly recordTags: Tags;
}

export type EngineCodecs = Readonly<Record<string, EngineCodec>>;

/** Before the lineage's own word. */
const OWN = 254;
/** Before the number of a generation that is not the first. */
const LATER = 255;

type At = Omit<Extract<LineageMessage, { type: "at" }>, "type">;
type Begin = Pick<Generation, "number" | "engine"> & { readonly seal: SnapshotMeta };

const atCodec: Codec<At> = struct<At>({ generation: uint, asks: bool });
const beginCodec: Codec<Begin> = struct<Begin>({
  number: uint,
  engine: text,
  seal: snapshotMetaCodec,
});

/** Words of several engines, each in its own encoding. */
class Dialects<T> {
  private readonly codecs: Map<string, Codec<T>> = new Map();
  /** Who begins with which tag, in the first generation. */
  private readonly byTag: (Generation | undefined)[] = [];

  constructor(of: Iterable<readonly [engine: string, codec: Codec<T>, tags: Tags]>) {
    for (const [engine, codec, [first, last]] of of) {
      this.codecs.set(engine, codec);
      const generation = Object.freeze({ number: FIRST, engine });
      for (let tag = first; tag <= last; tag++) {
        invariant(this.byTag[tag] === undefined && tag < OWN, `tag ${tag} is ${engine}'s alone`);
        this.byTag[tag] = generation;
      }
    }
  }

  write(writer: Writer, { number, engine }: Generation, word: T): void {
    const codec = this.codecs.get(engine);
    invariant(codec !== undefined, `there is an engine ${engine}`);
    if (number !== FIRST) {
      writer.byte(LATER);
      uint.write(writer, number);
    }
    codec.write(writer, word);
  }

  read(reader: Reader): { readonly generation: Generation; readonly word: T } {
    let number = FIRST;
    if (peek(reader) === LATER) {
      reader.byte();
      number = uint.read(reader);
      if (number <= FIRST) throw new MalformedInput("a later generation than the first");
    }
    const first = this.byTag[peek(reader)];
    const codec = first === undefined ? undefined : this.codecs.get(first.engine);
    if (first === undefined || codec === undefined) throw new MalformedInput("no engine's tag");
    const { engine } = first;
    const generation = number === FIRST ? first : Object.freeze({ number, engine });
    return { generation, word: codec.read(reader) };
  }
}

function peek(reader: Reader): number {
  return reader.bytes[reader.offset] ?? 0;
}

export function lineageMessageCodec(engines: EngineCodecs): Codec<LineageMessage> {
  const dialects = new Dialects(
    Object.entries(engines).map(
      ([name, { messages, messageTags }]) => [name, messages, messageTags] as const,
    ),
  );
  return {
    write(writer, value) {
      if (value.type === "inner") {
        return dialects.write(writer, value.generation, value.message);
      }
      writer.byte(OWN);
      atCodec.write(writer, value);
    },
    read(reader) {
      if (peek(reader) === OWN) {
        reader.byte();
        return { type: "at", ...atCodec.read(reader) };
      }
      const { generation, word } = dialects.read(reader);
      return { type: "inner", generation, message: word };
    },
  };
}

export function lineageRecordCodec(engines: EngineCodecs): Codec<LineageRecord> {
  const dialects = new Dialects(
    Object.entries(engines).map(
      ([name, { records, recordTags }]) => [name, records, recordTags] as const,
    ),
  );
  return {
    write(writer, value) {
      if (value.type === "inner") return dialects.write(writer, value.generation, value.record);
      if (value.type === "snapshot") {
        const { generation } = value.meta;
        invariant(generation !== undefined, "a lineage's snapshot says of which generation it is");
        const record = { type: "snapshot", meta: plainMeta(value.meta) } as const;
        return dialects.write(writer, generation, record);
      }
      writer.byte(OWN);
      beginCodec.write(writer, { ...value.generation, seal: value.seal });
    },
    read(reader) {
      if (peek(reader) !== OWN) {
        const { generation, word } = dialects.read(reader);
        return recordOf(generation, word);
      }
      reader.byte();
      const { number, engine, seal } = beginCodec.read(reader);
      return { type: "begin", generation: Object.freeze({ number, engine }), seal };
    },
  };
}
