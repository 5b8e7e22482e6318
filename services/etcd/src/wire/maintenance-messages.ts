/** Messages of the Maintenance service. */

import {
  bool,
  bytes,
  enumeration,
  id64,
  int64,
  message,
  type MessageCodec,
  nested,
  repeated,
  string,
  uint32,
  uint64,
} from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";

/** `action`: 0 get, 1 activate, 2 deactivate; `alarm`: 0 none, 1 no space, 2 corrupt. */
export interface AlarmRequest {
  readonly action: number;
  readonly memberId: string;
  readonly alarm: number;
}

export const alarmRequest: MessageCodec<AlarmRequest> = message("etcdserverpb.AlarmRequest", {
  action: enumeration(1),
  memberId: id64(2),
  alarm: enumeration(3),
});

export interface AlarmMember {
  readonly memberId: string;
  readonly alarm: number;
}

export const alarmMember: MessageCodec<AlarmMember> = message("etcdserverpb.AlarmMember", {
  memberId: id64(1),
  alarm: enumeration(2),
});

export interface AlarmResponse {
  readonly header: HeaderMessage | undefined;
  readonly alarms: readonly AlarmMember[];
}

export const alarmResponse: MessageCodec<AlarmResponse> = message("etcdserverpb.AlarmResponse", {
  header: nested(1, headerMessage),
  alarms: repeated(nested(2, alarmMember)),
});

export interface DowngradeInfo {
  readonly enabled: boolean;
  readonly targetVersion: string;
}

export const downgradeInfo: MessageCodec<DowngradeInfo> = message("etcdserverpb.DowngradeInfo", {
  enabled: bool(1),
  targetVersion: string(2),
});

export interface StatusResponse {
  readonly header: HeaderMessage | undefined;
  readonly version: string;
  readonly dbSize: number;
  readonly leader: string;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly dbSizeInUse: number;
  readonly isLearner: boolean;
  readonly storageVersion: string;
  readonly dbSizeQuota: number;
  readonly downgradeInfo: DowngradeInfo | undefined;
}

export const statusResponse: MessageCodec<StatusResponse> = message("etcdserverpb.StatusResponse", {
  header: nested(1, headerMessage),
  version: string(2),
  dbSize: int64(3),
  leader: id64(4),
  raftIndex: uint64(5),
  raftTerm: uint64(6),
  raftAppliedIndex: uint64(7),
  errors: repeated(string(8)),
  dbSizeInUse: int64(9),
  isLearner: bool(10),
  storageVersion: string(11),
  dbSizeQuota: int64(12),
  downgradeInfo: nested(13, downgradeInfo),
});

export interface DefragmentResponse {
  readonly header: HeaderMessage | undefined;
}

export const defragmentResponse: MessageCodec<DefragmentResponse> = message(
  "etcdserverpb.DefragmentResponse",
  {
    header: nested(1, headerMessage),
  },
);

export interface HashResponse {
  readonly header: HeaderMessage | undefined;
  readonly hash: number;
}

export const hashResponse: MessageCodec<HashResponse> = message("etcdserverpb.HashResponse", {
  header: nested(1, headerMessage),
  hash: uint32(2),
});

export interface HashKvRequest {
  readonly revision: number;
}

export const hashKvRequest: MessageCodec<HashKvRequest> = message("etcdserverpb.HashKVRequest", {
  revision: int64(1),
});

export interface HashKvResponse {
  readonly header: HeaderMessage | undefined;
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
}

export const hashKvResponse: MessageCodec<HashKvResponse> = message("etcdserverpb.HashKVResponse", {
  header: nested(1, headerMessage),
  hash: uint32(2),
  compactRevision: int64(3),
  hashRevision: int64(4),
});

export interface SnapshotResponse {
  readonly header: HeaderMessage | undefined;
  readonly remainingBytes: number;
  readonly blob: Uint8Array;
  readonly version: string;
}

export const snapshotResponse: MessageCodec<SnapshotResponse> = message(
  "etcdserverpb.SnapshotResponse",
  {
    header: nested(1, headerMessage),
    remainingBytes: uint64(2),
    blob: bytes(3),
    version: string(4),
  },
);

export interface MoveLeaderRequest {
  readonly targetId: string;
}

export const moveLeaderRequest: MessageCodec<MoveLeaderRequest> = message(
  "etcdserverpb.MoveLeaderRequest",
  {
    targetId: id64(1),
  },
);

export interface MoveLeaderResponse {
  readonly header: HeaderMessage | undefined;
}

export const moveLeaderResponse: MessageCodec<MoveLeaderResponse> = message(
  "etcdserverpb.MoveLeaderResponse",
  {
    header: nested(1, headerMessage),
  },
);
