/**
 * Log entries, snapshots' metadata, and their encodings: the same for Raft,
 * Multi-Paxos and Zab.
 */

import { bytes, type Codec, list, type NodeId, oneOf, struct, text, uint } from "@quorate/kernel";

/** A place in the log. The first entry has index 1; 0 means "before everything". */
export type Index = number;

/** Raft's term, Zab's epoch, the round of a Paxos ballot: grows with each new leader. */
export type Term = number;

/**
 * - `command`: bytes for the state machine.
 * - `noop`: proposed by a new leader to commit what it inherited (Raft §5.4.2, §8).
 * - `configuration`: an encoded {@link Configuration}.
 */
export type EntryKind = "command" | "noop" | "configuration";

export interface Entry {
  readonly term: Term;
  readonly kind: EntryKind;
  /** As it arrived from the client or from the wire: never changed, never copied for its own sake. */
  readonly data: Uint8Array;
}

/**
 * Who votes. During a joint change (Raft §6) decisions need a majority of
 * `voters` and one of `outgoing`; otherwise `outgoing` is empty.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  /** Receive the log without voting. */
  readonly learners: readonly NodeId[];
}

/** Names a snapshot and what a log needs to go on from it. */
export interface SnapshotMeta {
  /** The last entry that the snapshot covers. */
  readonly index: Index;
  readonly term: Term;
  readonly configuration: Configuration;
  /** Index of the entry that made the configuration; 0 for the initial one. */
  readonly configurationIndex: Index;
}

/** Bytes of an entry beyond its data, for budgets: term, kind and lengths. */
const OVERHEAD_BYTES = 16;

export function entryBytes(entry: Entry): number {
  return entry.data.length + OVERHEAD_BYTES;
}

const entryCodec: Codec<Entry> = struct<Entry>({
  term: uint,
  kind: oneOf(["command", "noop", "configuration"]),
  data: bytes,
});

export const entriesCodec: Codec<readonly Entry[]> = list(entryCodec);

export const configurationCodec: Codec<Configuration> = struct<Configuration>({
  voters: list(text),
  outgoing: list(text),
  learners: list(text),
});

export const snapshotMetaCodec: Codec<SnapshotMeta> = struct<SnapshotMeta>({
  index: uint,
  term: uint,
  configuration: configurationCodec,
  configurationIndex: uint,
});
