/**
 * The requests of commands read from their protobuf bytes, and key-value pairs
 * written. Repeated occurrences of a field: the last one counts, as protobuf
 * has it; wrong wire types are skipped like unknown fields.
 */

import { MalformedInput, type Writer } from "@quorate/kernel";
import { type Binary } from "./binary.ts";
import {
  type Compare,
  type CompactionRequest,
  type DeleteRangeRequest,
  type KeyValue,
  type Operand,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "./kv.ts";
import {
  idLength,
  ProtoReader,
  varintLength,
  writeBytes,
  writeId,
  writeInt,
  writeKey,
  writeVarint,
} from "./proto.ts";

/** Transactions nested deeper than this are not read: etcd's limit of operations allows no more. */
const MAX_DEPTH = 128;

const NOTHING: Uint8Array = new Uint8Array(0);

// Tags are `field number << 3 | wire type`, with 0 for integers and 2 for bytes.

/** Reads a PutRequest from `bytes[start, end)`. The value is a view. */
export function readPut(bytes: Uint8Array, start: number, end: number): PutRequest {
  return putFrom(new ProtoReader(bytes, start, end));
}

function putFrom(reader: ProtoReader): PutRequest {
  let key: Binary = "";
  let value = NOTHING;
  let lease = "";
  let prevKv = false;
  let ignoreValue = false;
  let ignoreLease = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) key = reader.binary();
    else if (tag === 0x12) value = reader.view();
    else if (tag === 0x18) lease = reader.id();
    else if (tag === 0x20) prevKv = reader.bool();
    else if (tag === 0x28) ignoreValue = reader.bool();
    else if (tag === 0x30) ignoreLease = reader.bool();
    else reader.skip(tag);
  }
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

/** Reads a RangeRequest from `bytes[start, end)`. */
export function readRange(bytes: Uint8Array, start: number, end: number): RangeRequest {
  return rangeFrom(new ProtoReader(bytes, start, end));
}

function rangeFrom(reader: ProtoReader): RangeRequest {
  let key: Binary = "";
  let rangeEnd: Binary = "";
  let limit = 0;
  let revision = 0;
  let sortOrder = 0;
  let sortTarget = 0;
  let serializable = false;
  let keysOnly = false;
  let countOnly = false;
  let minModRevision = 0;
  let maxModRevision = 0;
  let minCreateRevision = 0;
  let maxCreateRevision = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) key = reader.binary();
    else if (tag === 0x12) rangeEnd = reader.binary();
    else if (tag === 0x18) limit = reader.int64();
    else if (tag === 0x20) revision = reader.int64();
    else if (tag === 0x28) sortOrder = reader.enumeration();
    else if (tag === 0x30) sortTarget = reader.enumeration();
    else if (tag === 0x38) serializable = reader.bool();
    else if (tag === 0x40) keysOnly = reader.bool();
    else if (tag === 0x48) countOnly = reader.bool();
    else if (tag === 0x50) minModRevision = reader.int64();
    else if (tag === 0x58) maxModRevision = reader.int64();
    else if (tag === 0x60) minCreateRevision = reader.int64();
    else if (tag === 0x68) maxCreateRevision = reader.int64();
    else reader.skip(tag);
  }
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

/** Reads a DeleteRangeRequest from `bytes[start, end)`. */
export function readDeleteRange(bytes: Uint8Array, start: number, end: number): DeleteRangeRequest {
  return deleteRangeFrom(new ProtoReader(bytes, start, end));
}

function deleteRangeFrom(reader: ProtoReader): DeleteRangeRequest {
  let key: Binary = "";
  let rangeEnd: Binary = "";
  let prevKv = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) key = reader.binary();
    else if (tag === 0x12) rangeEnd = reader.binary();
    else if (tag === 0x18) prevKv = reader.bool();
    else reader.skip(tag);
  }
  return { key, rangeEnd, prevKv };
}

/** Reads a TxnRequest from `bytes[start, end)`. */
export function readTxn(bytes: Uint8Array, start: number, end: number): TxnRequest {
  return txnFrom(new ProtoReader(bytes, start, end), 1);
}

function txnFrom(reader: ProtoReader, depth: number): TxnRequest {
  if (depth > MAX_DEPTH) throw new MalformedInput("transactions nested too deeply");
  const compare: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) compare.push(compareFrom(reader.message()));
    else if (tag === 0x12) success.push(opFrom(reader.message(), depth));
    else if (tag === 0x1a) failure.push(opFrom(reader.message(), depth));
    else reader.skip(tag);
  }
  return { compare, success, failure };
}

function opFrom(reader: ProtoReader, depth: number): RequestOp {
  let op: RequestOp = { type: "none" };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) op = { type: "range", range: rangeFrom(reader.message()) };
    else if (tag === 0x12) op = { type: "put", put: putFrom(reader.message()) };
    else if (tag === 0x1a)
      op = { type: "deleteRange", deleteRange: deleteRangeFrom(reader.message()) };
    else if (tag === 0x22) op = { type: "txn", txn: txnFrom(reader.message(), depth + 1) };
    else reader.skip(tag);
  }
  return op;
}

function compareFrom(reader: ProtoReader): Compare {
  let result = 0;
  let target = 0;
  let key: Binary = "";
  let operand: Operand | undefined;
  let rangeEnd: Binary = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) result = reader.enumeration();
    else if (tag === 0x10) target = reader.enumeration();
    else if (tag === 0x1a) key = reader.binary();
    else if (tag === 0x20) operand = { type: "version", version: reader.int64() };
    else if (tag === 0x28) operand = { type: "createRevision", createRevision: reader.int64() };
    else if (tag === 0x30) operand = { type: "modRevision", modRevision: reader.int64() };
    else if (tag === 0x3a) operand = { type: "value", value: reader.view() };
    else if (tag === 0x40) operand = { type: "lease", lease: reader.id() };
    else if (tag === 0x202) rangeEnd = reader.binary();
    else reader.skip(tag);
  }
  return { result, target, key, operand, rangeEnd };
}

/** Reads a CompactionRequest from `bytes[start, end)`. */
export function readCompaction(bytes: Uint8Array, start: number, end: number): CompactionRequest {
  const reader = new ProtoReader(bytes, start, end);
  let revision = 0;
  let physical = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) revision = reader.int64();
    else if (tag === 0x10) physical = reader.bool();
    else reader.skip(tag);
  }
  return { revision, physical };
}

/** Reads a LeaseGrantRequest from `bytes[start, end)`. */
export function readLeaseGrant(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly ttl: number; readonly id: string } {
  const reader = new ProtoReader(bytes, start, end);
  let ttl = 0;
  let id = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) ttl = reader.int64();
    else if (tag === 0x10) id = reader.id();
    else reader.skip(tag);
  }
  return { ttl, id };
}

/** Reads a LeaseRevokeRequest from `bytes[start, end)`. */
export function readLeaseRevoke(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly id: string } {
  const reader = new ProtoReader(bytes, start, end);
  let id = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) id = reader.id();
    else reader.skip(tag);
  }
  return { id };
}

/** Bytes that a pair takes on the wire, without its own tag and length. */
export function keyValueLength(kv: KeyValue): number {
  let length = idLength(kv.lease);
  if (kv.key !== "") length += 1 + varintLength(kv.key.length) + kv.key.length;
  if (kv.createRevision !== 0) length += 1 + varintLength(kv.createRevision);
  if (kv.modRevision !== 0) length += 1 + varintLength(kv.modRevision);
  if (kv.version !== 0) length += 1 + varintLength(kv.version);
  const { length: size } = kv.value;
  return size === 0 ? length : length + 1 + varintLength(size) + size;
}

/** Writes a pair as the fields of mvccpb.KeyValue. */
export function writeKeyValue(writer: Writer, kv: KeyValue): void {
  writeKey(writer, 0x0a, kv.key);
  writeInt(writer, 0x10, kv.createRevision);
  writeInt(writer, 0x18, kv.modRevision);
  writeInt(writer, 0x20, kv.version);
  writeBytes(writer, 0x2a, kv.value);
  writeId(writer, 0x30, kv.lease);
}

/** Writes a pair as a field of another message. */
export function writeKeyValueField(writer: Writer, tag: number, kv: KeyValue): void {
  writer.byte(tag);
  writeVarint(writer, keyValueLength(kv));
  writeKeyValue(writer, kv);
}
