/**
 * KV messages by description, for the JSON gateway, tools and tests. Keys are
 * bytes here. What must be fast goes through `kv-codecs.ts` and
 * `kv-responses.ts`, which agree with these.
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
} from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";

export interface KeyValueMessage {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: string;
}

export const keyValueMessage: MessageCodec<KeyValueMessage> = message("mvccpb.KeyValue", {
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  version: int64(4),
  value: bytes(5),
  lease: id64(6),
});

export interface RangeRequestMessage {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
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

export const rangeRequestMessage: MessageCodec<RangeRequestMessage> = message(
  "etcdserverpb.RangeRequest",
  {
    key: bytes(1),
    rangeEnd: bytes(2),
    limit: int64(3),
    revision: int64(4),
    sortOrder: enumeration(5),
    sortTarget: enumeration(6),
    serializable: bool(7),
    keysOnly: bool(8),
    countOnly: bool(9),
    minModRevision: int64(10),
    maxModRevision: int64(11),
    minCreateRevision: int64(12),
    maxCreateRevision: int64(13),
  },
);

export interface RangeResponseMessage {
  readonly header: HeaderMessage | undefined;
  readonly kvs: readonly KeyValueMessage[];
  readonly more: boolean;
  readonly count: number;
}

export const rangeResponseMessage: MessageCodec<RangeResponseMessage> = message(
  "etcdserverpb.RangeResponse",
  {
    header: nested(1, headerMessage),
    kvs: repeated(nested(2, keyValueMessage)),
    more: bool(3),
    count: int64(4),
  },
);

export interface PutRequestMessage {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease: string;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export const putRequestMessage: MessageCodec<PutRequestMessage> = message(
  "etcdserverpb.PutRequest",
  {
    key: bytes(1),
    value: bytes(2),
    lease: id64(3),
    prevKv: bool(4),
    ignoreValue: bool(5),
    ignoreLease: bool(6),
  },
);

export interface PutResponseMessage {
  readonly header: HeaderMessage | undefined;
  readonly prevKv: KeyValueMessage | undefined;
}

export const putResponseMessage: MessageCodec<PutResponseMessage> = message(
  "etcdserverpb.PutResponse",
  {
    header: nested(1, headerMessage),
    prevKv: nested(2, keyValueMessage),
  },
);

export interface DeleteRangeRequestMessage {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
  readonly prevKv: boolean;
}

export const deleteRangeRequestMessage: MessageCodec<DeleteRangeRequestMessage> = message(
  "etcdserverpb.DeleteRangeRequest",
  {
    key: bytes(1),
    rangeEnd: bytes(2),
    prevKv: bool(3),
  },
);

export interface DeleteRangeResponseMessage {
  readonly header: HeaderMessage | undefined;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValueMessage[];
}

export const deleteRangeResponseMessage: MessageCodec<DeleteRangeResponseMessage> = message(
  "etcdserverpb.DeleteRangeResponse",
  {
    header: nested(1, headerMessage),
    deleted: int64(2),
    prevKvs: repeated(nested(3, keyValueMessage)),
  },
);

export type CompareMessageTargetUnion =
  | { readonly type: "version"; readonly value: number }
  | { readonly type: "createRevision"; readonly value: number }
  | { readonly type: "modRevision"; readonly value: number }
  | { readonly type: "value"; readonly value: Uint8Array }
  | { readonly type: "lease"; readonly value: string };

export interface CompareMessage {
  readonly result: number;
  readonly target: number;
  readonly key: Uint8Array;
  readonly targetUnion: CompareMessageTargetUnion | undefined;
  readonly rangeEnd: Uint8Array;
}

export const compareMessage: MessageCodec<CompareMessage> = message("etcdserverpb.Compare", {
  result: enumeration(1),
  target: enumeration(2),
  key: bytes(3),
  targetUnion: oneof({
    version: int64(4),
    createRevision: int64(5),
    modRevision: int64(6),
    value: bytes(7),
    lease: id64(8),
  }),
  rangeEnd: bytes(64),
});

export type RequestOpMessageRequest =
  | { readonly type: "requestRange"; readonly value: RangeRequestMessage }
  | { readonly type: "requestPut"; readonly value: PutRequestMessage }
  | { readonly type: "requestDeleteRange"; readonly value: DeleteRangeRequestMessage }
  | { readonly type: "requestTxn"; readonly value: TxnRequestMessage };

export interface RequestOpMessage {
  readonly request: RequestOpMessageRequest | undefined;
}

export const requestOpMessage: MessageCodec<RequestOpMessage> = message("etcdserverpb.RequestOp", {
  request: oneof({
    requestRange: nested(1, rangeRequestMessage),
    requestPut: nested(2, putRequestMessage),
    requestDeleteRange: nested(3, deleteRangeRequestMessage),
    requestTxn: nested(4, () => txnRequestMessage),
  }),
});

export interface TxnRequestMessage {
  readonly compare: readonly CompareMessage[];
  readonly success: readonly RequestOpMessage[];
  readonly failure: readonly RequestOpMessage[];
}

export const txnRequestMessage: MessageCodec<TxnRequestMessage> = message(
  "etcdserverpb.TxnRequest",
  {
    compare: repeated(nested(1, compareMessage)),
    success: repeated(nested(2, requestOpMessage)),
    failure: repeated(nested(3, requestOpMessage)),
  },
);

export type ResponseOpMessageResponse =
  | { readonly type: "responseRange"; readonly value: RangeResponseMessage }
  | { readonly type: "responsePut"; readonly value: PutResponseMessage }
  | { readonly type: "responseDeleteRange"; readonly value: DeleteRangeResponseMessage }
  | { readonly type: "responseTxn"; readonly value: TxnResponseMessage };

export interface ResponseOpMessage {
  readonly response: ResponseOpMessageResponse | undefined;
}

export const responseOpMessage: MessageCodec<ResponseOpMessage> = message(
  "etcdserverpb.ResponseOp",
  {
    response: oneof({
      responseRange: nested(1, rangeResponseMessage),
      responsePut: nested(2, putResponseMessage),
      responseDeleteRange: nested(3, deleteRangeResponseMessage),
      responseTxn: nested(4, () => txnResponseMessage),
    }),
  },
);

export interface TxnResponseMessage {
  readonly header: HeaderMessage | undefined;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOpMessage[];
}

export const txnResponseMessage: MessageCodec<TxnResponseMessage> = message(
  "etcdserverpb.TxnResponse",
  {
    header: nested(1, headerMessage),
    succeeded: bool(2),
    responses: repeated(nested(3, responseOpMessage)),
  },
);

export interface CompactionRequestMessage {
  readonly revision: number;
  readonly physical: boolean;
}

export const compactionRequestMessage: MessageCodec<CompactionRequestMessage> = message(
  "etcdserverpb.CompactionRequest",
  {
    revision: int64(1),
    physical: bool(2),
  },
);

export interface CompactionResponseMessage {
  readonly header: HeaderMessage | undefined;
}

export const compactionResponseMessage: MessageCodec<CompactionResponseMessage> = message(
  "etcdserverpb.CompactionResponse",
  {
    header: nested(1, headerMessage),
  },
);
