/** Messages of the Auth service. */

import {
  bool,
  bytes,
  enumeration,
  message,
  type MessageCodec,
  nested,
  repeated,
  string,
  uint64,
} from "@quorate/grpc";
import { type HeaderMessage, headerMessage } from "./header.ts";

/** `permType`: 0 read, 1 write, 2 both. */
export interface Permission {
  readonly permType: number;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export const permission: MessageCodec<Permission> = message("authpb.Permission", {
  permType: enumeration(1),
  key: bytes(2),
  rangeEnd: bytes(3),
});

export interface UserAddOptions {
  readonly noPassword: boolean;
}

export const userAddOptions: MessageCodec<UserAddOptions> = message("authpb.UserAddOptions", {
  noPassword: bool(1),
});

export interface AuthenticateRequest {
  readonly name: string;
  readonly password: string;
}

export const authenticateRequest: MessageCodec<AuthenticateRequest> = message(
  "etcdserverpb.AuthenticateRequest",
  {
    name: string(1),
    password: string(2),
  },
);

export interface AuthenticateResponse {
  readonly header: HeaderMessage | undefined;
  readonly token: string;
}

export const authenticateResponse: MessageCodec<AuthenticateResponse> = message(
  "etcdserverpb.AuthenticateResponse",
  {
    header: nested(1, headerMessage),
    token: string(2),
  },
);

export interface AuthStatusResponse {
  readonly header: HeaderMessage | undefined;
  readonly enabled: boolean;
  readonly authRevision: number;
}

export const authStatusResponse: MessageCodec<AuthStatusResponse> = message(
  "etcdserverpb.AuthStatusResponse",
  {
    header: nested(1, headerMessage),
    enabled: bool(2),
    authRevision: uint64(3),
  },
);

export interface AuthUserAddRequest {
  readonly name: string;
  readonly password: string;
  readonly options: UserAddOptions | undefined;
  readonly hashedPassword: string;
}

export const authUserAddRequest: MessageCodec<AuthUserAddRequest> = message(
  "etcdserverpb.AuthUserAddRequest",
  {
    name: string(1),
    password: string(2),
    options: nested(3, userAddOptions),
    hashedPassword: string(4),
  },
);

export interface AuthUserChangePasswordRequest {
  readonly name: string;
  readonly password: string;
  readonly hashedPassword: string;
}

export const authUserChangePasswordRequest: MessageCodec<AuthUserChangePasswordRequest> = message(
  "etcdserverpb.AuthUserChangePasswordRequest",
  {
    name: string(1),
    password: string(2),
    hashedPassword: string(3),
  },
);

export interface AuthUserGrantRoleRequest {
  readonly user: string;
  readonly role: string;
}

export const authUserGrantRoleRequest: MessageCodec<AuthUserGrantRoleRequest> = message(
  "etcdserverpb.AuthUserGrantRoleRequest",
  {
    user: string(1),
    role: string(2),
  },
);

export interface AuthUserRevokeRoleRequest {
  readonly name: string;
  readonly role: string;
}

export const authUserRevokeRoleRequest: MessageCodec<AuthUserRevokeRoleRequest> = message(
  "etcdserverpb.AuthUserRevokeRoleRequest",
  {
    name: string(1),
    role: string(2),
  },
);

export interface AuthUserGetResponse {
  readonly header: HeaderMessage | undefined;
  readonly roles: readonly string[];
}

export const authUserGetResponse: MessageCodec<AuthUserGetResponse> = message(
  "etcdserverpb.AuthUserGetResponse",
  {
    header: nested(1, headerMessage),
    roles: repeated(string(2)),
  },
);

export interface AuthUserListResponse {
  readonly header: HeaderMessage | undefined;
  readonly users: readonly string[];
}

export const authUserListResponse: MessageCodec<AuthUserListResponse> = message(
  "etcdserverpb.AuthUserListResponse",
  {
    header: nested(1, headerMessage),
    users: repeated(string(2)),
  },
);

/** Gets or deletes a role. */
export interface AuthRoleRequest {
  readonly role: string;
}

export const authRoleRequest: MessageCodec<AuthRoleRequest> = message(
  "etcdserverpb.AuthRoleGetRequest",
  {
    role: string(1),
  },
);

export interface AuthRoleGetResponse {
  readonly header: HeaderMessage | undefined;
  readonly perm: readonly Permission[];
}

export const authRoleGetResponse: MessageCodec<AuthRoleGetResponse> = message(
  "etcdserverpb.AuthRoleGetResponse",
  {
    header: nested(1, headerMessage),
    perm: repeated(nested(2, permission)),
  },
);

export interface AuthRoleListResponse {
  readonly header: HeaderMessage | undefined;
  readonly roles: readonly string[];
}

export const authRoleListResponse: MessageCodec<AuthRoleListResponse> = message(
  "etcdserverpb.AuthRoleListResponse",
  {
    header: nested(1, headerMessage),
    roles: repeated(string(2)),
  },
);

export interface AuthRoleGrantPermissionRequest {
  readonly name: string;
  readonly perm: Permission | undefined;
}

export const authRoleGrantPermissionRequest: MessageCodec<AuthRoleGrantPermissionRequest> = message(
  "etcdserverpb.AuthRoleGrantPermissionRequest",
  {
    name: string(1),
    perm: nested(2, permission),
  },
);

export interface AuthRoleRevokePermissionRequest {
  readonly role: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export const authRoleRevokePermissionRequest: MessageCodec<AuthRoleRevokePermissionRequest> =
  message("etcdserverpb.AuthRoleRevokePermissionRequest", {
    role: string(1),
    key: bytes(2),
    rangeEnd: bytes(3),
  });

/** Of users got or deleted and roles added. */
export interface AuthNameRequest {
  readonly name: string;
}

export const authNameRequest: MessageCodec<AuthNameRequest> = message(
  "etcdserverpb.AuthUserGetRequest",
  {
    name: string(1),
  },
);

/** Of all that answers nothing else. */
export interface HeaderResponse {
  readonly header: HeaderMessage | undefined;
}

export const headerResponse: MessageCodec<HeaderResponse> = message(
  "etcdserverpb.AuthEnableResponse",
  {
    header: nested(1, headerMessage),
  },
);
