/**
 * Responses of the KV service, written by hand: the gateway's hot path. Tests
 * hold that they agree with the descriptions in `kv-messages.ts`.
 */

import { type Writer } from "@quorate/kernel";
import { type RangeResult } from "../store/range.ts";
import {
  type DeleteRangeResult,
  type OpResult,
  type PutResult,
  type TxnResult,
} from "../store/results.ts";
import { writeKeyValueField } from "./kv-codecs.ts";
import { varintLength, writeBool, writeId, writeInt, writeVarint } from "./proto.ts";

/** A header whose parts that never change are encoded already. */
export interface EncodedHeader {
  /** Cluster id and member id, as fields of a ResponseHeader. */
  readonly identity: Uint8Array;
  readonly revision: number;
  readonly raftTerm: number;
}

const HEADER = 0x0a;

/** The fields of a ResponseHeader that say who answers. */
export function writeIdentity(writer: Writer, clusterId: string, memberId: string): void {
  writeId(writer, 0x08, clusterId);
  writeId(writer, 0x10, memberId);
}

export function writeRangeResponse(
  writer: Writer,
  header: EncodedHeader,
  result: RangeResult,
): void {
  writeHeader(writer, header);
  writeRange(writer, result);
}

export function writePutResponse(writer: Writer, header: EncodedHeader, result: PutResult): void {
  writeHeader(writer, header);
  if (result.prevKv !== undefined) writeKeyValueField(writer, 0x12, result.prevKv);
}

export function writeDeleteRangeResponse(
  writer: Writer,
  header: EncodedHeader,
  result: DeleteRangeResult,
): void {
  writeHeader(writer, header);
  writeDeleteRange(writer, result);
}

export function writeTxnResponse(writer: Writer, header: EncodedHeader, result: TxnResult): void {
  writeHeader(writer, header);
  writeTxn(writer, result);
}

export function writeCompactionResponse(writer: Writer, header: EncodedHeader): void {
  writeHeader(writer, header);
}

/** Writes field 1 of every response. */
export function writeHeader(writer: Writer, { identity, revision, raftTerm }: EncodedHeader): void {
  writer.byte(HEADER);
  let length = identity.length;
  if (revision !== 0) length += 1 + varintLength(revision);
  if (raftTerm !== 0) length += 1 + varintLength(raftTerm);
  writeVarint(writer, length);
  writer.raw(identity);
  writeInt(writer, 0x18, revision);
  writeInt(writer, 0x20, raftTerm);
}

/** Within a transaction a header says the revision only. */
function writeInnerHeader(writer: Writer, revision: number): void {
  writer.byte(HEADER);
  if (revision === 0) return writer.byte(0);
  writeVarint(writer, 1 + varintLength(revision));
  writeInt(writer, 0x18, revision);
}

function writeRange(writer: Writer, { kvs, more, count }: RangeResult): void {
  for (const kv of kvs) writeKeyValueField(writer, 0x12, kv);
  writeBool(writer, 0x18, more);
  writeInt(writer, 0x20, count);
}

function writeDeleteRange(writer: Writer, { deleted, prevKvs }: DeleteRangeResult): void {
  writeInt(writer, 0x10, deleted);
  for (const kv of prevKvs) writeKeyValueField(writer, 0x1a, kv);
}

function writeTxn(writer: Writer, { succeeded, responses }: TxnResult): void {
  writeBool(writer, 0x10, succeeded);
  for (const response of responses) {
    writer.byte(0x1a);
    const outer = beginMessage(writer);
    writer.byte(tagOf(response));
    const inner = beginMessage(writer);
    writeInnerHeader(writer, response.revision);
    writeOp(writer, response);
    endMessage(writer, inner);
    endMessage(writer, outer);
  }
}

function tagOf(response: OpResult): number {
  switch (response.type) {
    case "range":
      return 0x0a;
    case "put":
      return 0x12;
    case "deleteRange":
      return 0x1a;
    case "txn":
      return 0x22;
  }
}

function writeOp(writer: Writer, response: OpResult): void {
  switch (response.type) {
    case "range":
      return writeRange(writer, response);
    case "put":
      if (response.prevKv !== undefined) writeKeyValueField(writer, 0x12, response.prevKv);
      return;
    case "deleteRange":
      return writeDeleteRange(writer, response);
    case "txn":
      return writeTxn(writer, response);
  }
}

/** Leaves room for the length of a message that follows; it is filled in at the end. */
function beginMessage(writer: Writer): number {
  writer.byte(0);
  return writer.length;
}

/** Fills in the length in place: going back and writing anew could grow the buffer and lose the message. */
function endMessage(writer: Writer, start: number): void {
  const length = writer.length - start;
  const extra = varintLength(length) - 1;
  writer.reserve(extra);
  const { bytes } = writer;
  if (extra > 0) bytes.copyWithin(start + extra, start, start + length);
  let at = start - 1;
  let rest = length;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at] = rest;
  writer.length += extra;
}
