/**
 * Log entries, snapshots' metadata, and their encodings: the same for Raft,
 * Multi-Paxos and Zab.
 */

import {
  bytes,
  type Codec,
  list,
  MalformedInput,
  type NodeId,
  oneOf,
  struct,
  text,
  uint,
} from "@quorate/kernel";

/** A place in the log. The first entry has index 1; 0 means "before everything". */
export type Index = number;

/** Raft's term, Zab's epoch, the round of a Paxos ballot: grows with each new leader. */
export type Term = number;

/**
 * - `command`: bytes for the state machine.
 * - `noop`: proposed by a new leader to commit what it inherited (Raft §5.4.2, §8), or a gap filled (Paxos).
 * - `configuration`: an encoded {@link Configuration}.
 * - `seal`: the stop-sign. Once committed, nothing after it has any effect (a new leader may add
 *   no-ops); its bytes say where the service goes on.
 */
export type EntryKind = "command" | "noop" | "configuration" | "seal";

export interface Entry {
  readonly term: Term;
  readonly kind: EntryKind;
  /** As it arrived from the client or from the wire: never changed, never copied for its own sake. */
  readonly data: Uint8Array;
}

/**
 * Who takes part, and how. During a joint change (Raft §6) decisions need a
 * majority of `voters` and one of `outgoing`; otherwise `outgoing` is empty.
 * Lists are sorted. Made by `founded` and `changed` (membership.ts), never by hand.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  /**
   * Receive the log without voting. A voter on its way to becoming a learner is
   * here and in `outgoing`, and votes until the joint change is over.
   */
  readonly learners: readonly NodeId[];
  /** Learners that the leader makes voters by itself once they have caught up. */
  readonly promotable: readonly NodeId[];
  /**
   * Took part once and never will again: a name that came back with an empty
   * disk could vote twice in one term.
   */
  readonly removed: readonly NodeId[];
  /** Of members that are not like all others. */
  readonly traits: readonly Traits[];
}

/** What may be told of a member besides its part in decisions. */
export interface Traits {
  readonly node: NodeId;
  /** Where others reach it: the driver's words, opaque here. `""` if the driver knows without. */
  readonly address: string;
  /**
   * Among members fit to lead the one of the highest priority should. Members
   * without traits have 1; a member of 0 never leads.
   */
  readonly priority: number;
}

/** Names a snapshot and what a log needs to go on from it. */
export interface SnapshotMeta {
  /** The last entry that the snapshot covers. */
  readonly index: Index;
  readonly term: Term;
  readonly configuration: Configuration;
  /** Index of the entry that made the configuration; 0 for the initial one. */
  readonly configurationIndex: Index;
  /** A `seal` is among the entries covered. */
  readonly sealed: boolean;
  /** Told by a log that is made of several; the logs of one engine know nothing of it. */
  readonly generation?: Generation;
}

/** One engine's part of a log that has moved from engine to engine. */
export interface Generation {
  /** Grows by one with every move. The first is 1. */
  readonly number: number;
  /** The engine's name. */
  readonly engine: string;
}

/** Bytes of an entry beyond its data, for budgets: term, kind and lengths. */
const OVERHEAD_BYTES = 16;

export function entryBytes(entry: Entry): number {
  return entry.data.length + OVERHEAD_BYTES;
}

const entryCodec: Codec<Entry> = struct<Entry>({
  term: uint,
  kind: oneOf(["command", "noop", "configuration", "seal"]),
  data: bytes,
});

export const entriesCodec: Codec<readonly Entry[]> = list(entryCodec);

export const configurationCodec: Codec<Configuration> = struct<Configuration>({
  voters: list(text),
  outgoing: list(text),
  learners: list(text),
  promotable: list(text),
  removed: list(text),
  traits: list(struct<Traits>({ node: text, address: text, priority: uint })),
});

const plainMetaCodec = struct<Omit<SnapshotMeta, "sealed" | "generation">>({
  index: uint,
  term: uint,
  configuration: configurationCodec,
  configurationIndex: uint,
});

const generationCodec: Codec<Generation> = struct<Generation>({
  number: uint,
  engine: text,
});

/** Flags at the end of a snapshot's description. */
const SEALED = 1;
const HAS_GENERATION = 2;

export const snapshotMetaCodec: Codec<SnapshotMeta> = {
  write(writer, meta) {
    const { sealed, generation } = meta;
    plainMetaCodec.write(writer, meta);
    writer.byte((sealed ? SEALED : 0) | (generation === undefined ? 0 : HAS_GENERATION));
    if (generation !== undefined) generationCodec.write(writer, generation);
  },
  read(reader) {
    const meta = plainMetaCodec.read(reader);
    const flags = reader.byte();
    if (flags > (SEALED | HAS_GENERATION)) throw new MalformedInput("unknown flags of a snapshot");
    const sealed = (flags & SEALED) !== 0;
    if ((flags & HAS_GENERATION) === 0) return { ...meta, sealed };
    return { ...meta, sealed, generation: generationCodec.read(reader) };
  },
};
