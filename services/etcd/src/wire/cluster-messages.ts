/** Messages of the Cluster service. */

import { bool, id64, message, type MessageCodec, nested, repeated, string } from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";

export interface Member {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export const member: MessageCodec<Member> = message("etcdserverpb.Member", {
  id: id64(1),
  name: string(2),
  peerUrls: repeated(string(3)),
  clientUrls: repeated(string(4)),
  isLearner: bool(5),
});

export interface MemberAddRequest {
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

export const memberAddRequest: MessageCodec<MemberAddRequest> = message(
  "etcdserverpb.MemberAddRequest",
  {
    peerUrls: repeated(string(1)),
    isLearner: bool(2),
  },
);

export interface MemberAddResponse {
  readonly header: HeaderMessage | undefined;
  readonly member: Member | undefined;
  readonly members: readonly Member[];
}

export const memberAddResponse: MessageCodec<MemberAddResponse> = message(
  "etcdserverpb.MemberAddResponse",
  {
    header: nested(1, headerMessage),
    member: nested(2, member),
    members: repeated(nested(3, member)),
  },
);

export interface MemberRemoveRequest {
  readonly id: string;
}

export const memberRemoveRequest: MessageCodec<MemberRemoveRequest> = message(
  "etcdserverpb.MemberRemoveRequest",
  {
    id: id64(1),
  },
);

export interface MemberUpdateRequest {
  readonly id: string;
  readonly peerUrls: readonly string[];
}

export const memberUpdateRequest: MessageCodec<MemberUpdateRequest> = message(
  "etcdserverpb.MemberUpdateRequest",
  {
    id: id64(1),
    peerUrls: repeated(string(2)),
  },
);

export interface MemberListRequest {
  readonly linearizable: boolean;
}

export const memberListRequest: MessageCodec<MemberListRequest> = message(
  "etcdserverpb.MemberListRequest",
  {
    linearizable: bool(1),
  },
);

export interface MemberPromoteRequest {
  readonly id: string;
}

export const memberPromoteRequest: MessageCodec<MemberPromoteRequest> = message(
  "etcdserverpb.MemberPromoteRequest",
  {
    id: id64(1),
  },
);

/** The same for list, remove, update and promote. */
export interface MemberListResponse {
  readonly header: HeaderMessage | undefined;
  readonly members: readonly Member[];
}

export const memberListResponse: MessageCodec<MemberListResponse> = message(
  "etcdserverpb.MemberListResponse",
  {
    header: nested(1, headerMessage),
    members: repeated(nested(2, member)),
  },
);
