/**
 * The names in a log's directory and the headers of its files.
 *
 *     segment-<first sequence>.wal          the log, in pieces; names have 16 digits
 *     checkpoint-<group>-<sequence>.ckpt    replaces what the group wrote below that sequence
 *     *.tmp                                 of the same names, or prepared.tmp: unfinished, never read
 *
 * Both kinds of file begin with the same 32 bytes: magic, u32 version, u32 seed
 * of the checksums, u32 group, u64 argument (a segment's preallocated bytes, a
 * checkpoint's sequence), u32 zero, u32 CRC-32C of the 28 bytes before it.
 */

import { crc32c } from "@quorate/kernel";

import { StorageError } from "./errors.ts";
import { readUint53, writeUint53 } from "./frame.ts";

/** The only version of the files that this code reads and writes. */
const FORMAT_VERSION = 2;
/** Bytes of the header of a segment or checkpoint. */
export const HEADER_BYTES = 32;
/** A segment being prepared, before it has a name. */
export const PREPARED_NAME = "prepared.tmp";

const MAGIC = { segment: 0x4c41_5751, checkpoint: 0x504b_4351 } as const;

/** The header of a file. */
export interface Header {
  readonly type: "segment" | "checkpoint";
  /** Seed of the checksums of its frames. */
  readonly seed: number;
  /** Whose checkpoint; 0 in a segment. */
  readonly group: number;
  /** Preallocated bytes of a segment, sequence of a checkpoint. */
  readonly argument: number;
}

/** The bytes of a header; other versions are for tests. */
export function encodeHeader(header: Header, version: number = FORMAT_VERSION): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC[header.type], true);
  view.setUint32(4, version, true);
  view.setUint32(8, header.seed, true);
  view.setUint32(12, header.group, true);
  writeUint53(view, 16, header.argument);
  view.setUint32(28, crc32c(bytes, 0, 28), true);
  return bytes;
}

/**
 * Reads a header.
 * @returns The header, or undefined if these bytes are none of this type.
 * @throws StorageError `unsupportedFormat` for an intact header of another version.
 */
export function decodeHeader(
  bytes: Uint8Array,
  type: Header["type"],
  path: string,
): Header | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC[type]) return undefined;
  if (view.getUint32(28, true) !== crc32c(bytes, 0, 28)) return undefined;
  const found = view.getUint32(4, true);
  if (found !== FORMAT_VERSION) {
    throw new StorageError({ code: "unsupportedFormat", path, found, supported: FORMAT_VERSION });
  }
  return {
    type,
    seed: view.getUint32(8, true),
    group: view.getUint32(12, true),
    argument: readUint53(view, 16),
  };
}

/** The name of the segment whose first record has this sequence number. */
export function segmentName(first: number): string {
  return `segment-${digits(first)}.wal`;
}

/** The name of a finished checkpoint. */
export function checkpointName(group: number, sequence: number): string {
  return `checkpoint-${group}-${digits(sequence)}.ckpt`;
}

/** The name of an unfinished checkpoint. */
export function unfinishedName(group: number, sequence: number): string {
  return `checkpoint-${group}-${digits(sequence)}.tmp`;
}

/** A finished checkpoint in the directory. */
export interface CheckpointFile {
  readonly name: string;
  readonly group: number;
  readonly sequence: number;
}

/** What lies in a log's directory. Names that are not ours are in none of the lists. */
export interface Listing {
  /** First sequence numbers of the segments, ascending. */
  readonly segments: readonly number[];
  /** The latest checkpoint of every group, by group. */
  readonly checkpoints: readonly CheckpointFile[];
  /** Checkpoints that a later one of the same group replaces. */
  readonly replaced: readonly CheckpointFile[];
  /** Names of unfinished files. */
  readonly unfinished: readonly string[];
}

/** Sorts the names of a directory. */
export function sortNames(names: readonly string[]): Listing {
  const segments: number[] = [];
  const unfinished: string[] = [];
  const latest = new Map<number, CheckpointFile>();
  const replaced: CheckpointFile[] = [];
  for (const name of names) {
    const segment = /^segment-(\d{16})\.wal$/.exec(name);
    const checkpoint = /^checkpoint-(0|[1-9]\d{0,9})-(\d{16})\.ckpt$/.exec(name);
    if (segment !== null) segments.push(Number(segment[1]));
    else if (checkpoint !== null) {
      const file = { name, group: Number(checkpoint[1]), sequence: Number(checkpoint[2]) };
      const other = latest.get(file.group);
      const newer = other === undefined || other.sequence < file.sequence;
      if (newer) latest.set(file.group, file);
      if (other !== undefined) replaced.push(newer ? other : file);
    } else if (name === PREPARED_NAME || /^checkpoint-\d+-\d{16}\.tmp$/.test(name)) {
      unfinished.push(name);
    }
  }
  return {
    segments: segments.toSorted((a, b) => a - b),
    checkpoints: [...latest.values()].toSorted((a, b) => a.group - b.group),
    replaced,
    unfinished,
  };
}

function digits(sequence: number): string {
  return String(sequence).padStart(16, "0");
}
