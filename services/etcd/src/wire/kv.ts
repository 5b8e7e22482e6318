/**
 * Messages of etcd's KV service, after `rpc.proto` and `kv.proto` of the v3 API.
 *
 * Keys and range ends are binary strings, ids lower-case hexadecimal ("" for
 * 0), other 64-bit integers numbers. Every field is present; what the wire
 * leaves out is 0, false, empty or, for messages, `undefined`.
 */

import { type Binary } from "./binary.ts";

export interface KeyValue {
  readonly key: Binary;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Puts since the key was created. */
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: string;
}

/** Values of `RangeRequest.sortOrder`. */
export const SORT_ORDER = { none: 0, ascend: 1, descend: 2 } as const;
/** Values of `RangeRequest.sortTarget`. */
export const SORT_TARGET = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;

export interface RangeRequest {
  readonly key: Binary;
  readonly rangeEnd: Binary;
  readonly limit: number;
  readonly revision: number;
  readonly sortOrder: number;
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutRequest {
  readonly key: Binary;
  readonly value: Uint8Array;
  readonly lease: string;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest {
  readonly key: Binary;
  readonly rangeEnd: Binary;
  readonly prevKv: boolean;
}

/** Values of `Compare.result`. */
export const COMPARE_RESULT = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
/** Values of `Compare.target`. */
export const COMPARE_TARGET = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;

/** What a comparison compares with. */
export type Operand =
  | { readonly type: "version"; readonly version: number }
  | { readonly type: "createRevision"; readonly createRevision: number }
  | { readonly type: "modRevision"; readonly modRevision: number }
  | { readonly type: "value"; readonly value: Uint8Array }
  | { readonly type: "lease"; readonly lease: string };

export interface Compare {
  readonly result: number;
  readonly target: number;
  readonly key: Binary;
  readonly operand: Operand | undefined;
  readonly rangeEnd: Binary;
}

/** An operation of a transaction. */
export type RequestOp =
  | { readonly type: "range"; readonly range: RangeRequest }
  | { readonly type: "put"; readonly put: PutRequest }
  | { readonly type: "deleteRange"; readonly deleteRange: DeleteRangeRequest }
  | { readonly type: "txn"; readonly txn: TxnRequest }
  | { readonly type: "none" };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface CompactionRequest {
  readonly revision: number;
  readonly physical: boolean;
}
