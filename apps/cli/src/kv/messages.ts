/** The calls of etcd's v3 API that these commands make. */

import {
  type DeleteRangeRequestMessage,
  deleteRangeRequestMessage,
  type DeleteRangeResponseMessage,
  deleteRangeResponseMessage,
  type PutRequestMessage,
  putRequestMessage,
  type PutResponseMessage,
  putResponseMessage,
  type RangeRequestMessage,
  rangeRequestMessage,
  type RangeResponseMessage,
  rangeResponseMessage,
  type WatchRequest,
  watchRequest,
  type WatchResponse,
  watchResponse,
} from "@quorate/etcd/wire";
import { type MessageCodec } from "@quorate/grpc";

/** One kind of call: where it goes and what it carries. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
  /** Whether asking twice is as good as asking once. */
  readonly readOnly: boolean;
}

export const range: Method<RangeRequestMessage, RangeResponseMessage> = {
  path: "/etcdserverpb.KV/Range",
  readOnly: true,
  request: rangeRequestMessage,
  response: rangeResponseMessage,
};

export const putMethod: Method<PutRequestMessage, PutResponseMessage> = {
  path: "/etcdserverpb.KV/Put",
  readOnly: false,
  request: putRequestMessage,
  response: putResponseMessage,
};

export const deleteMethod: Method<DeleteRangeRequestMessage, DeleteRangeResponseMessage> = {
  path: "/etcdserverpb.KV/DeleteRange",
  readOnly: false,
  request: deleteRangeRequestMessage,
  response: deleteRangeResponseMessage,
};

export const watchMethod: Method<WatchRequest, WatchResponse> = {
  path: "/etcdserverpb.Watch/Watch",
  readOnly: true,
  request: watchRequest,
  response: watchResponse,
};
