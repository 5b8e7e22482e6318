/**
 * The messages of etcd's v3 API that these commands speak, with the fields they
 * use. They are written here rather than taken from `@quorate/etcd`, which does
 * not export its own and would bring a whole store into a client.
 */

import {
  bool,
  bytes,
  enumeration,
  id64,
  int64,
  message,
  type MessageCodec,
  nested,
  oneof,
  repeated,
  string,
} from "@quorate/grpc";

interface Header {
  readonly revision: number;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: string;
}

const header: MessageCodec<Header> = message("etcdserverpb.ResponseHeader", { revision: int64(3) });

const keyValue: MessageCodec<KeyValue> = message("mvccpb.KeyValue", {
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: id64(6),
});

export interface RangeRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly limit: number;
  readonly revision: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
}

export interface RangeResponse {
  readonly header: Header | undefined;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: string;
}

export interface PutResponse {
  readonly header: Header | undefined;
}

export interface DeleteRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface DeleteResponse {
  readonly header: Header | undefined;
  readonly deleted: number;
}

/** One kind of call: where it goes and what it carries. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
  /** Whether asking twice is as good as asking once. */
  readonly readOnly: boolean;
}

export const range: Method<RangeRequest, RangeResponse> = {
  path: "/etcdserverpb.KV/Range",
  readOnly: true,
  request: message("etcdserverpb.RangeRequest", {
    key: bytes(1),
    rangeEnd: bytes(2),
    limit: int64(3),
    revision: int64(4),
    serializable: bool(7),
    keysOnly: bool(8),
  }),
  response: message("etcdserverpb.RangeResponse", {
    header: nested(1, header),
    kvs: repeated(nested(2, keyValue)),
    more: bool(3),
    count: int64(4),
  }),
};

export const putMethod: Method<PutRequest, PutResponse> = {
  path: "/etcdserverpb.KV/Put",
  readOnly: false,
  request: message("etcdserverpb.PutRequest", { key: bytes(1), value: bytes(2), lease: id64(3) }),
  response: message("etcdserverpb.PutResponse", { header: nested(1, header) }),
};

export const deleteMethod: Method<DeleteRequest, DeleteResponse> = {
  path: "/etcdserverpb.KV/DeleteRange",
  readOnly: false,
  request: message("etcdserverpb.DeleteRangeRequest", { key: bytes(1), rangeEnd: bytes(2) }),
  response: message("etcdserverpb.DeleteRangeResponse", {
    header: nested(1, header),
    deleted: int64(2),
  }),
};

export interface WatchCreate {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
}

export interface WatchRequest {
  readonly create: { readonly type: "createRequest"; readonly value: WatchCreate } | undefined;
}

export interface WatchEvent {
  /** 0 for a put, 1 for a deletion. */
  readonly type: number;
  readonly kv: KeyValue | undefined;
}

export interface WatchResponse {
  readonly header: Header | undefined;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly events: readonly WatchEvent[];
}

const watchCreate: MessageCodec<WatchCreate> = message("etcdserverpb.WatchCreateRequest", {
  key: bytes(1),
  rangeEnd: bytes(2),
  startRevision: int64(3),
});

const watchEvent: MessageCodec<WatchEvent> = message("mvccpb.Event", {
  type: enumeration(1),
  kv: nested(2, keyValue),
});

export const watchMethod: Method<WatchRequest, WatchResponse> = {
  path: "/etcdserverpb.Watch/Watch",
  readOnly: true,
  request: message("etcdserverpb.WatchRequest", {
    create: oneof({ createRequest: nested(1, watchCreate) }),
  }),
  response: message("etcdserverpb.WatchResponse", {
    header: nested(1, header),
    created: bool(3),
    canceled: bool(4),
    compactRevision: int64(5),
    cancelReason: string(6),
    events: repeated(nested(11, watchEvent)),
  }),
};
