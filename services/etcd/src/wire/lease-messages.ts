/** Messages of the Lease service. Durations are seconds. */

import {
  bool,
  bytes,
  id64,
  int64,
  message,
  type MessageCodec,
  nested,
  repeated,
  string,
} from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";

export interface LeaseGrantRequest {
  readonly ttl: number;
  readonly id: string;
}

export const leaseGrantRequest: MessageCodec<LeaseGrantRequest> = message(
  "etcdserverpb.LeaseGrantRequest",
  {
    ttl: int64(1),
    id: id64(2),
  },
);

export interface LeaseGrantResponse {
  readonly header: HeaderMessage | undefined;
  readonly id: string;
  readonly ttl: number;
  readonly error: string;
}

export const leaseGrantResponse: MessageCodec<LeaseGrantResponse> = message(
  "etcdserverpb.LeaseGrantResponse",
  {
    header: nested(1, headerMessage),
    id: id64(2),
    ttl: int64(3),
    error: string(4),
  },
);

export interface LeaseRevokeRequest {
  readonly id: string;
}

export const leaseRevokeRequest: MessageCodec<LeaseRevokeRequest> = message(
  "etcdserverpb.LeaseRevokeRequest",
  {
    id: id64(1),
  },
);

export interface LeaseRevokeResponse {
  readonly header: HeaderMessage | undefined;
}

export const leaseRevokeResponse: MessageCodec<LeaseRevokeResponse> = message(
  "etcdserverpb.LeaseRevokeResponse",
  {
    header: nested(1, headerMessage),
  },
);

export interface LeaseKeepAliveRequest {
  readonly id: string;
}

export const leaseKeepAliveRequest: MessageCodec<LeaseKeepAliveRequest> = message(
  "etcdserverpb.LeaseKeepAliveRequest",
  {
    id: id64(1),
  },
);

export interface LeaseKeepAliveResponse {
  readonly header: HeaderMessage | undefined;
  readonly id: string;
  readonly ttl: number;
}

export const leaseKeepAliveResponse: MessageCodec<LeaseKeepAliveResponse> = message(
  "etcdserverpb.LeaseKeepAliveResponse",
  {
    header: nested(1, headerMessage),
    id: id64(2),
    ttl: int64(3),
  },
);

export interface LeaseTimeToLiveRequest {
  readonly id: string;
  readonly keys: boolean;
}

export const leaseTimeToLiveRequest: MessageCodec<LeaseTimeToLiveRequest> = message(
  "etcdserverpb.LeaseTimeToLiveRequest",
  {
    id: id64(1),
    keys: bool(2),
  },
);

export interface LeaseTimeToLiveResponse {
  readonly header: HeaderMessage | undefined;
  readonly id: string;
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly Uint8Array[];
}

export const leaseTimeToLiveResponse: MessageCodec<LeaseTimeToLiveResponse> = message(
  "etcdserverpb.LeaseTimeToLiveResponse",
  {
    header: nested(1, headerMessage),
    id: id64(2),
    ttl: int64(3),
    grantedTtl: int64(4),
    keys: repeated(bytes(5)),
  },
);

export interface LeaseStatus {
  readonly id: string;
}

export const leaseStatus: MessageCodec<LeaseStatus> = message("etcdserverpb.LeaseStatus", {
  id: id64(1),
});

export interface LeaseLeasesResponse {
  readonly header: HeaderMessage | undefined;
  readonly leases: readonly LeaseStatus[];
}

export const leaseLeasesResponse: MessageCodec<LeaseLeasesResponse> = message(
  "etcdserverpb.LeaseLeasesResponse",
  {
    header: nested(1, headerMessage),
    leases: repeated(nested(2, leaseStatus)),
  },
);
