/**
 * What the store answers to commands: all that a gateway needs to build the
 * response, but the parts of its header that only a member knows.
 */

import {
  bool,
  bytes,
  type Codec,
  int,
  list,
  option,
  struct,
  text,
  uint,
  union,
} from "@quorate/kernel";
import { type Binary, binaryOf, writeBinary } from "../wire/binary.ts";
import { type KeyValue } from "../wire/kv.ts";
import { type Failure } from "./errors.ts";
import { type RangeResult } from "./range.ts";

export interface PutResult {
  readonly type: "put";
  readonly revision: number;
  /** What the key was before, if asked for and there. */
  readonly prevKv: KeyValue | undefined;
}

export interface DeleteRangeResult {
  readonly type: "deleteRange";
  readonly revision: number;
  readonly deleted: number;
  /** What was deleted, if asked for. */
  readonly prevKvs: readonly KeyValue[];
}

export interface TxnResult {
  readonly type: "txn";
  /** Of a nested transaction 0: etcd leaves the header of its response empty. */
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly OpResult[];
}

/** What an operation of a transaction is answered with. */
export type OpResult = RangeResult | PutResult | DeleteRangeResult | TxnResult;

/** What a command is answered with. */
export type EtcdResult =
  | PutResult
  | DeleteRangeResult
  | TxnResult
  | { readonly type: "compact"; readonly revision: number }
  | {
      readonly type: "leaseGrant";
      readonly revision: number;
      readonly id: string;
      /** Seconds granted. */
      readonly ttl: number;
    }
  | { readonly type: "leaseRevoke"; readonly revision: number }
  | {
      readonly type: "leaseKeepAlive";
      readonly revision: number;
      /** Seconds granted, 0 if there is no such lease. */
      readonly ttl: number;
    }
  | {
      readonly type: "leaseExpire";
      readonly revision: number;
      /** The leases that were there and are gone now, in the order given. */
      readonly expired: readonly string[];
    }
  | Failure;

const binary: Codec<Binary> = {
  write(writer, value) {
    uint.write(writer, value.length);
    writeBinary(writer, value);
  },
  read: (reader) => binaryOf(reader.take(uint.read(reader))),
};

const keyValueCodec: Codec<KeyValue> = struct<KeyValue>({
  key: binary,
  createRevision: uint,
  modRevision: uint,
  version: uint,
  value: bytes,
  lease: text,
});

const keyValues = list(keyValueCodec);

const put = { revision: uint, prevKv: option(keyValueCodec) };
const deleteRange = { revision: uint, deleted: uint, prevKvs: keyValues };

/** Operations may hold operations: the codec of a transaction refers to itself. */
const opResult: Codec<OpResult> = {
  write: (writer, value) => operations.write(writer, value),
  read: (reader) => operations.read(reader),
};

const txn = { revision: uint, succeeded: bool, responses: list(opResult) };

const operations: Codec<OpResult> = union<OpResult>({
  range: [1, { revision: uint, kvs: keyValues, more: bool, count: uint }],
  put: [2, put],
  deleteRange: [3, deleteRange],
  txn: [4, txn],
});

/** How results are kept. */
export const resultCodec: Codec<EtcdResult> = union<EtcdResult>({
  put: [2, put],
  deleteRange: [3, deleteRange],
  txn: [4, txn],
  compact: [5, { revision: uint }],
  leaseGrant: [6, { revision: uint, id: text, ttl: int }],
  leaseRevoke: [7, { revision: uint }],
  leaseExpire: [8, { revision: uint, expired: list(text) }],
  error: [10, { code: uint, message: text }],
  leaseKeepAlive: [11, { revision: uint, ttl: uint }],
});
