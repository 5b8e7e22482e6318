/** Messages of the Watch service. */

import {
  bool,
  bytes,
  enumeration,
  int64,
  message,
  type MessageCodec,
  nested,
  oneof,
  repeated,
  string,
} from "@quorate/grpc";
import { type EmptyMessage, emptyMessage, type HeaderMessage, headerMessage } from "./header.ts";
import { type KeyValueMessage, keyValueMessage } from "./kv-messages.ts";

/** `type` is 0 for a put, 1 for a deletion. */
export interface EventMessage {
  readonly type: number;
  readonly kv: KeyValueMessage | undefined;
  readonly prevKv: KeyValueMessage | undefined;
}

export const eventMessage: MessageCodec<EventMessage> = message("mvccpb.Event", {
  type: enumeration(1),
  kv: nested(2, keyValueMessage),
  prevKv: nested(3, keyValueMessage),
});

/** `filters`: 0 hides puts, 1 deletions. */
export interface WatchCreateRequest {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly startRevision: number;
  readonly progressNotify: boolean;
  readonly filters: readonly number[];
  readonly prevKv: boolean;
  readonly watchId: number;
  readonly fragment: boolean;
}

export const watchCreateRequest: MessageCodec<WatchCreateRequest> = message(
  "etcdserverpb.WatchCreateRequest",
  {
    key: bytes(1),
    rangeEnd: bytes(2),
    startRevision: int64(3),
    progressNotify: bool(4),
    filters: repeated(enumeration(5)),
    prevKv: bool(6),
    watchId: int64(7),
    fragment: bool(8),
  },
);

export interface WatchCancelRequest {
  readonly watchId: number;
}

export const watchCancelRequest: MessageCodec<WatchCancelRequest> = message(
  "etcdserverpb.WatchCancelRequest",
  {
    watchId: int64(1),
  },
);

export type WatchRequestRequestUnion =
  | { readonly type: "createRequest"; readonly value: WatchCreateRequest }
  | { readonly type: "cancelRequest"; readonly value: WatchCancelRequest }
  | { readonly type: "progressRequest"; readonly value: EmptyMessage };

export interface WatchRequest {
  readonly requestUnion: WatchRequestRequestUnion | undefined;
}

export const watchRequest: MessageCodec<WatchRequest> = message("etcdserverpb.WatchRequest", {
  requestUnion: oneof({
    createRequest: nested(1, watchCreateRequest),
    cancelRequest: nested(2, watchCancelRequest),
    progressRequest: nested(3, emptyMessage),
  }),
});

export interface WatchResponse {
  readonly header: HeaderMessage | undefined;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly EventMessage[];
}

export const watchResponse: MessageCodec<WatchResponse> = message("etcdserverpb.WatchResponse", {
  header: nested(1, headerMessage),
  watchId: int64(2),
  created: bool(3),
  canceled: bool(4),
  compactRevision: int64(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(nested(11, eventMessage)),
});
