/** Messages of the Lock and Election services. */

import { bytes, id64, int64, message, type MessageCodec, nested } from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";
import { type KeyValueMessage, keyValueMessage } from "./kv-messages.ts";

export interface LockRequest {
  readonly name: Uint8Array;
  readonly lease: string;
}

export const lockRequest: MessageCodec<LockRequest> = message("v3lockpb.LockRequest", {
  name: bytes(1),
  lease: id64(2),
});

export interface LockResponse {
  readonly header: HeaderMessage | undefined;
  readonly key: Uint8Array;
}

export const lockResponse: MessageCodec<LockResponse> = message("v3lockpb.LockResponse", {
  header: nested(1, headerMessage),
  key: bytes(2),
});

export interface UnlockRequest {
  readonly key: Uint8Array;
}

export const unlockRequest: MessageCodec<UnlockRequest> = message("v3lockpb.UnlockRequest", {
  key: bytes(1),
});

export interface UnlockResponse {
  readonly header: HeaderMessage | undefined;
}

export const unlockResponse: MessageCodec<UnlockResponse> = message("v3lockpb.UnlockResponse", {
  header: nested(1, headerMessage),
});

export interface LeaderKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
  readonly rev: number;
  readonly lease: string;
}

export const leaderKey: MessageCodec<LeaderKey> = message("v3electionpb.LeaderKey", {
  name: bytes(1),
  key: bytes(2),
  rev: int64(3),
  lease: id64(4),
});

export interface CampaignRequest {
  readonly name: Uint8Array;
  readonly lease: string;
  readonly value: Uint8Array;
}

export const campaignRequest: MessageCodec<CampaignRequest> = message(
  "v3electionpb.CampaignRequest",
  {
    name: bytes(1),
    lease: id64(2),
    value: bytes(3),
  },
);

export interface CampaignResponse {
  readonly header: HeaderMessage | undefined;
  readonly leader: LeaderKey | undefined;
}

export const campaignResponse: MessageCodec<CampaignResponse> = message(
  "v3electionpb.CampaignResponse",
  {
    header: nested(1, headerMessage),
    leader: nested(2, leaderKey),
  },
);

export interface ProclaimRequest {
  readonly leader: LeaderKey | undefined;
  readonly value: Uint8Array;
}

export const proclaimRequest: MessageCodec<ProclaimRequest> = message(
  "v3electionpb.ProclaimRequest",
  {
    leader: nested(1, leaderKey),
    value: bytes(2),
  },
);

export interface ProclaimResponse {
  readonly header: HeaderMessage | undefined;
}

export const proclaimResponse: MessageCodec<ProclaimResponse> = message(
  "v3electionpb.ProclaimResponse",
  {
    header: nested(1, headerMessage),
  },
);

/** Also asks to observe. */
export interface LeaderRequest {
  readonly name: Uint8Array;
}

export const leaderRequest: MessageCodec<LeaderRequest> = message("v3electionpb.LeaderRequest", {
  name: bytes(1),
});

export interface LeaderResponse {
  readonly header: HeaderMessage | undefined;
  readonly kv: KeyValueMessage | undefined;
}

export const leaderResponse: MessageCodec<LeaderResponse> = message("v3electionpb.LeaderResponse", {
  header: nested(1, headerMessage),
  kv: nested(2, keyValueMessage),
});

export interface ResignRequest {
  readonly leader: LeaderKey | undefined;
}

export const resignRequest: MessageCodec<ResignRequest> = message("v3electionpb.ResignRequest", {
  leader: nested(1, leaderKey),
});

export interface ResignResponse {
  readonly header: HeaderMessage | undefined;
}

export const resignResponse: MessageCodec<ResignResponse> = message("v3electionpb.ResignResponse", {
  header: nested(1, headerMessage),
});
