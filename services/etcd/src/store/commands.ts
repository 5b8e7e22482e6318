/**
 * Commands as they stand in the log: a tag, then the request as the protobuf
 * bytes in which the client sent it. What a request leaves to the server (the
 * id of a lease, its least duration) the gateway fills in before it proposes.
 * What only members say to each other has encodings of its own.
 */

import { type Codec, list, struct, text, uint, Writer } from "@quorate/kernel";

/** First bytes of commands. They are on disks: append, never renumber. */
export const TAG = {
  put: 1,
  deleteRange: 2,
  txn: 3,
  compact: 4,
  leaseGrant: 5,
  leaseRevoke: 6,
  leaseExpire: 7,
  leaseKeepAlive: 8,
} as const;

/** Commands that carry a client's request. */
export type RequestKind = "put" | "deleteRange" | "txn" | "compact" | "leaseGrant" | "leaseRevoke";

/** A command around a client's request. */
export function requestCommand(kind: RequestKind, request: Uint8Array): Uint8Array {
  const command = new Uint8Array(request.length + 1);
  command[0] = TAG[kind];
  command.set(request, 1);
  return command;
}

/** Proposed by the leader for leases that ran out on its clock. */
export interface LeaseExpiry {
  /** Which leases, and the renewals counted when they ran out: with others since, they live. */
  readonly leases: readonly { readonly id: string; readonly renewals: number }[];
}

export const leaseExpiry: Codec<LeaseExpiry> = struct<LeaseExpiry>({
  leases: list(struct({ id: text, renewals: uint })),
});

/** Revokes leases on behalf of the clock, each in a revision of its own. */
export function expireCommand(leases: LeaseExpiry["leases"]): Uint8Array {
  return command(TAG.leaseExpire, leaseExpiry, { leases });
}

/** Counts a keep-alive. */
export function keepAliveCommand(id: string): Uint8Array {
  return command(TAG.leaseKeepAlive, text, id);
}

function command<T>(tag: number, codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer();
  writer.byte(tag);
  codec.write(writer, value);
  return writer.finish();
}
