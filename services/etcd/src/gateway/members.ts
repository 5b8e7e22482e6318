/**
 * Who the members are, as etcd's clients see it: ids made as etcd makes them
 * (a member's from its peer URLs and the cluster's token, the cluster's from its
 * founders'), and the rest from the configuration in the log.
 *
 * Ids must never change and never be used twice. A founder's is made of the URLs
 * that it was founded with, which every node was told; that of a member added by
 * etcd's API of the URLs and the time, so it is kept in the log, behind the
 * address; that of any other of its name, since names are used once.
 */

import { createHash } from "node:crypto";

import { type Group, isVacancy, type Member } from "@quorate/host";
import { type NodeId } from "@quorate/kernel";

/** Where a member can be reached. */
export interface MemberUrls {
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

export interface KnownMember extends MemberUrls {
  readonly node: NodeId;
  /** As clients are told: `""` until a node has taken the place. */
  readonly name: string;
  /** Lower-case hexadecimal without leading zeros, like all ids. */
  readonly id: string;
  /** Stays a learner until somebody promotes it. */
  readonly isLearner: boolean;
}

export interface RosterOptions {
  readonly self: NodeId;
  /** Where the founders served when they founded the cluster. */
  readonly founders: ReadonlyMap<NodeId, MemberUrls>;
  readonly token: string;
  readonly group: {
    readonly members: readonly Member[];
    readonly log: Pick<Group<unknown>["log"], "configuration">;
  };
  /** Where a member serves that is reached at `HOST:PORT`; undefined if none can be there. */
  readonly urlsAt: (address: string) => MemberUrls | undefined;
}

const NOWHERE: MemberUrls = { peerUrls: [], clientUrls: [] };
const NOTE = "#";

export class Roster {
  readonly clusterId: string;
  private readonly options: RosterOptions;
  /** What {@link members} and {@link self} were made of. */
  private seen: unknown;
  private known: readonly KnownMember[] = [];
  private own: KnownMember;

  constructor(options: RosterOptions) {
    this.options = options;
    const { founders, token, self } = options;
    const ids = [...founders.values()].map((urls) => padded(foundersId(urls, token))).toSorted();
    this.clusterId = hex(firstEightBytes(Buffer.from(ids.join(""), "hex")));
    this.own = this.describe({ node: self, part: "voter", address: "" });
  }

  /** By id. */
  get members(): readonly KnownMember[] {
    this.look();
    return this.known;
  }

  /** This node, also while it is no member. The same object while nothing changes. */
  get self(): KnownMember {
    this.look();
    return this.own;
  }

  /** The address as the log has it, with what must be remembered of the member. */
  addressOf({ node, id }: Pick<KnownMember, "node" | "id">, address: string): string {
    const isDerived = this.derivedId(node) === id;
    return isDerived ? address : address + NOTE + id;
  }

  private look(): void {
    const { group, founders, self } = this.options;
    const { configuration } = group.log;
    if (configuration === this.seen) return;
    this.seen = configuration;
    const told = [...founders.keys()].map(
      (node) => ({ node, part: "voter", address: "" }) as const,
    );
    // One that joins has yet to hear who they are.
    const listed = group.members.length === 0 ? told : group.members;
    this.known = listed
      .map((member) => this.describe(member))
      .toSorted((a, b) => (padded(a.id) < padded(b.id) ? -1 : 1));
    this.own = this.known.find(({ node }) => node === self) ?? this.own;
  }

  private describe({
    node,
    part,
    address,
  }: Pick<Member, "node" | "part" | "address">): KnownMember {
    const { founders, urlsAt } = this.options;
    const [place = "", note] = address.split(NOTE, 2);
    const urls = (place === "" ? founders.get(node) : urlsAt(place)) ?? NOWHERE;
    const vacant = isVacancy(node);
    return {
      node,
      name: vacant ? "" : node,
      id: note ?? this.derivedId(node),
      peerUrls: urls.peerUrls,
      clientUrls: vacant ? [] : urls.clientUrls,
      isLearner: part === "learner",
    };
  }

  private derivedId(node: NodeId): string {
    const { founders, token } = this.options;
    const urls = founders.get(node);
    return urls === undefined ? hex(firstEightBytes(node + token)) : foundersId(urls, token);
  }
}

/** The id of a member that is added now, in milliseconds of the day's clock. */
export function newId(peerUrls: readonly string[], token: string, now: number): string {
  return hex(firstEightBytes([...peerUrls.toSorted(), token, String(now)].join("")));
}

function foundersId({ peerUrls }: MemberUrls, token: string): string {
  return hex(firstEightBytes([...peerUrls.toSorted(), token].join("")));
}

function firstEightBytes(data: string | Buffer): Buffer {
  return createHash("sha1").update(data).digest().subarray(0, 8);
}

function hex(id: Buffer): string {
  return id.toString("hex").replace(/^0+(?=.)/, "");
}

function padded(id: string): string {
  return id.padStart(16, "0");
}
