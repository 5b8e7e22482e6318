/** What many services share: the header of every response, and messages that say nothing. */

import { id64, int64, message, type MessageCodec, uint64 } from "@quorate/grpc";

export interface HeaderMessage {
  readonly clusterId: string;
  readonly memberId: string;
  readonly revision: number;
  readonly raftTerm: number;
}

export const headerMessage: MessageCodec<HeaderMessage> = message("etcdserverpb.ResponseHeader", {
  clusterId: id64(1),
  memberId: id64(2),
  revision: int64(3),
  raftTerm: uint64(4),
});

/** Whatever has no fields: many a request, etcdserverpb.WatchProgressRequest among them. */
export type EmptyMessage = Readonly<Record<string, never>>;

export const emptyMessage: MessageCodec<EmptyMessage> = message("etcdserverpb.Empty", {});
