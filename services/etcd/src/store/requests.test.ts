/** Requests and commands in few words, for the other tests. */

import { binaryOf, bytesOf } from "../wire/binary.ts";
import {
  COMPARE_TARGET,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "../wire/kv.ts";
import {
  compactionRequestMessage,
  type CompareMessage,
  deleteRangeRequestMessage,
  putRequestMessage,
  type RequestOpMessage,
  type TxnRequestMessage,
  txnRequestMessage,
  type RangeRequestMessage,
} from "../wire/kv-messages.ts";
import { leaseGrantRequest, leaseRevokeRequest } from "../wire/lease-messages.ts";
import { readRange } from "../wire/kv-codecs.ts";
import { requestCommand } from "./commands.ts";
import { type EtcdResult } from "./results.ts";
import { type EtcdStore } from "./store.ts";

type Put = Partial<Omit<PutRequest, "value">> & { readonly value?: string };

/** A value as text. */
export function textOf(value: Uint8Array): string {
  return binaryOf(value);
}

function putMessage(put: Put): ReturnType<typeof putRequestMessage.create> {
  const { key = "", value = "", ...rest } = put;
  return putRequestMessage.create({ ...rest, key: bytesOf(key), value: bytesOf(value) });
}

export function put(key: string, value: string = "", more: Put = {}): Uint8Array {
  return requestCommand("put", putRequestMessage.toBytes(putMessage({ key, value, ...more })));
}

export function remove(key: string, rangeEnd: string = "", prevKv: boolean = false): Uint8Array {
  return requestCommand(
    "deleteRange",
    deleteRangeRequestMessage.toBytes({ key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), prevKv }),
  );
}

export function compact(revision: number): Uint8Array {
  return requestCommand("compact", compactionRequestMessage.toBytes({ revision, physical: false }));
}

export function grant(id: string, ttl: number = 60): Uint8Array {
  return requestCommand("leaseGrant", leaseGrantRequest.toBytes({ id, ttl }));
}

export function revoke(id: string): Uint8Array {
  return requestCommand("leaseRevoke", leaseRevokeRequest.toBytes({ id }));
}

export function rangeOf(request: Partial<RangeRequest>): RangeRequest {
  return { ...readRange(new Uint8Array(0), 0, 0), ...request };
}

/** A transaction as a command. */
export function txn(request: Partial<TxnRequest>): Uint8Array {
  return requestCommand("txn", txnBytes(request));
}

/** The protobuf bytes of a transaction. */
export function txnBytes(request: Partial<TxnRequest>): Uint8Array {
  return txnRequestMessage.toBytes(
    txnMessage({ compare: [], success: [], failure: [], ...request }),
  );
}

function txnMessage(request: TxnRequest): TxnRequestMessage {
  return {
    compare: request.compare.map(compareMessage),
    success: request.success.map(opMessage),
    failure: request.failure.map(opMessage),
  };
}

function compareMessage({
  key,
  rangeEnd,
  operand,
  ...rest
}: TxnRequest["compare"][number]): CompareMessage {
  const union =
    operand === undefined
      ? undefined
      : ({ type: operand.type, value: Object.values(operand)[1] } as CompareMessage["targetUnion"]);
  return { ...rest, key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), targetUnion: union };
}

function opMessage(op: TxnRequest["success"][number]): RequestOpMessage {
  switch (op.type) {
    case "range":
      return { request: { type: "requestRange", value: rangeMessage(op.range) } };
    case "put": {
      const value = { ...op.put, key: bytesOf(op.put.key) };
      return { request: { type: "requestPut", value } };
    }
    case "deleteRange": {
      const { key, rangeEnd, prevKv } = op.deleteRange;
      const value = { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), prevKv };
      return { request: { type: "requestDeleteRange", value } };
    }
    case "txn":
      return { request: { type: "requestTxn", value: txnMessage(op.txn) } };
    default:
      return { request: undefined };
  }
}

export function rangeMessage(request: RangeRequest): RangeRequestMessage {
  return { ...request, key: bytesOf(request.key), rangeEnd: bytesOf(request.rangeEnd) };
}

/** Operations of transactions. */
export const op = {
  range: (key: string, more: Partial<RangeRequest> = {}) =>
    ({ type: "range", range: rangeOf({ key, ...more }) }) as const,
  put: (key: string, value: string = "", more: Partial<PutRequest> = {}) =>
    ({
      type: "put",
      put: {
        key,
        value: bytesOf(value),
        lease: "",
        prevKv: false,
        ignoreValue: false,
        ignoreLease: false,
        ...more,
      },
    }) as const,
  remove: (key: string, rangeEnd: string = "", more: Partial<DeleteRangeRequest> = {}) =>
    ({ type: "deleteRange", deleteRange: { key, rangeEnd, prevKv: false, ...more } }) as const,
  txn: (request: Partial<TxnRequest>) =>
    ({ type: "txn", txn: { compare: [], success: [], failure: [], ...request } }) as const,
};

/** A condition on the version of a key. */
export function versionIs(
  key: string,
  version: number,
  result: number = 0,
  rangeEnd: string = "",
): TxnRequest["compare"][number] {
  const target = COMPARE_TARGET.version;
  return { key, rangeEnd, result, target, operand: { type: "version", version } };
}

/** Applies commands and returns the last result. */
export function run(store: EtcdStore, ...commands: Uint8Array[]): EtcdResult {
  let result: EtcdResult | undefined;
  for (const command of commands) result = store.apply(command);
  return result!;
}

/** Keys and values of a range, as `key=value`. */
export function listed(store: EtcdStore, request: Partial<RangeRequest> = {}): string[] {
  const result = store.range(rangeOf({ key: "\0", rangeEnd: "\0", ...request }));
  if (result.type === "error") return [result.message];
  return result.kvs.map((kv) => `${kv.key}=${textOf(kv.value)}`);
}

/** The message of a refusal. */
export function refusal(result: { readonly type: string }): string {
  return "message" in result ? String(result.message).replace("etcdserver: ", "") : result.type;
}
