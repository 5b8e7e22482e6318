/** Keys and values as text: bytes as they are for pipes, JSON for programs. */

import { isUtf8 } from "node:buffer";

import type {
  EventMessage as WatchEvent,
  KeyValueMessage as KeyValue,
  RangeResponseMessage as RangeResponse,
} from "@quorate/etcd/wire";

/** A key-value pair in JSON. What is not UTF-8 comes as `keyBase64` and `valueBase64`. */
function kvJson(kv: KeyValue): Readonly<Record<string, unknown>> {
  const { createRevision, modRevision, version, lease } = kv;
  return {
    ...asText("key", kv.key),
    ...asText("value", kv.value),
    createRevision,
    modRevision,
    version,
    ...(lease === "" ? {} : { lease }),
  };
}

export function rangeJson({ header, kvs, more, count }: RangeResponse): string {
  const revision = header?.revision ?? 0;
  return `${JSON.stringify({ revision, count, more, kvs: kvs.map((kv) => kvJson(kv)) })}\n`;
}

/** The value alone, as it was stored, and a newline. */
export function valueLine({ value }: KeyValue): Uint8Array {
  return Buffer.concat([value, NEWLINE]);
}

/** `key<TAB>value`, as they were stored. */
export function pairLine({ key, value }: KeyValue): Uint8Array {
  return Buffer.concat([key, TAB, value, NEWLINE]);
}

export function keyLine({ key }: KeyValue): Uint8Array {
  return Buffer.concat([key, NEWLINE]);
}

export function eventJson({ type, kv }: WatchEvent): string {
  const event = type === 0 ? "put" : "delete";
  return `${JSON.stringify({ event, ...(kv === undefined ? {} : kvJson(kv)) })}\n`;
}

/** `put<TAB>key<TAB>value` or `delete<TAB>key`. */
export function eventLine({ type, kv }: WatchEvent): Uint8Array {
  const key = kv?.key ?? NOTHING;
  if (type !== 0) return Buffer.concat([Buffer.from("delete\t"), key, NEWLINE]);
  return Buffer.concat([Buffer.from("put\t"), key, TAB, kv?.value ?? NOTHING, NEWLINE]);
}

const NEWLINE = Buffer.from("\n");
const TAB = Buffer.from("\t");
const NOTHING = Buffer.alloc(0);

function asText(name: string, data: Uint8Array): Readonly<Record<string, string>> {
  // A view, not a copy.
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (isUtf8(buffer)) return { [name]: buffer.toString("utf8") };
  return { [`${name}Base64`]: buffer.toString("base64") };
}
