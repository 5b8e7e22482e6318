/**
 * Ids of members and of the cluster, made as etcd makes them: a member's from
 * its peer URLs and the cluster's token, the cluster's from its members'.
 */

import { createHash } from "node:crypto";

import { type NodeId } from "@quorate/kernel";

/** Where a member can be reached. */
export interface MemberUrls {
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

interface KnownMember extends MemberUrls {
  readonly name: NodeId;
  /** Lower-case hexadecimal without leading zeros, like all ids. */
  readonly id: string;
}

export interface Membership {
  readonly clusterId: string;
  readonly self: KnownMember;
  /** By id. */
  readonly members: readonly KnownMember[];
}

export function membership(
  self: NodeId,
  urls: ReadonlyMap<NodeId, MemberUrls>,
  token: string,
): Membership {
  const members = [...urls].map(([name, { peerUrls, clientUrls }]) => {
    const id = firstEightBytes([...peerUrls.toSorted(), token].join(""));
    return { name, id: hex(id), peerUrls, clientUrls };
  });
  const ids = members.map(({ id }) => id.padStart(16, "0")).toSorted();
  const own = members.find(({ name }) => name === self);
  if (own === undefined) throw new RangeError(`${self} is not among the members`);
  return {
    clusterId: hex(firstEightBytes(Buffer.from(ids.join(""), "hex"))),
    self: own,
    members: members.toSorted((a, b) => (a.id.padStart(16, "0") < b.id.padStart(16, "0") ? -1 : 1)),
  };
}

function firstEightBytes(data: string | Buffer): Buffer {
  return createHash("sha1").update(data).digest().subarray(0, 8);
}

function hex(id: Buffer): string {
  return id.toString("hex").replace(/^0+(?=.)/, "");
}
