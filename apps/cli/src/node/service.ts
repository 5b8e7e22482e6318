/** What a node and a service on it know of each other. */

import type { ChangeMembers } from "@quorate/etcd";
import type { Address, GroupOptions, Logger, Node } from "@quorate/host";

import type { Member } from "../cluster/members.ts";
import type { Operation } from "../http/operations.ts";

/** Certificates shown to clients, and whether theirs are asked for. As PEM. */
export interface ClientTls {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requireClientCertificate: boolean;
}

/** What a service is given before the node starts. */
export interface ServiceHost {
  readonly node: Node;
  readonly logger: Logger;
  readonly listen: Address;
  readonly tls: ClientTls | undefined;
  /** Members that the node was told of, itself among them. */
  readonly members: readonly Member[];
  /** Who founded the cluster, and where each was then. */
  readonly founders: readonly Member[];
  /** Changes the members of the whole cluster. */
  readonly changeMembers: ChangeMembers;
  readonly clusterToken: string;
  /** For the group that replicates the service's state. */
  readonly group: Pick<GroupOptions<unknown>, "id" | "name" | "engine" | "log" | "replica">;
  /** Bytes of state beyond which the service refuses what adds to it. */
  readonly quotaBytes: number;
  /** Where the service listens on each member. */
  readonly portOffset: number;
  readonly peersUseTls: boolean;
  /** Seals gossip; "" for none. */
  readonly gossipKey: string;
}

/** A service whose group is hosted, before and after the node starts. */
export interface PreparedService {
  /** Serves clients. After the node's start. */
  readonly listen: () => Promise<Address>;
  /** Refuses new calls, waits `graceMs` for the running ones, hangs up. Also if it never listened. */
  readonly close: (graceMs: number) => Promise<void>;
  /** Figures of its own for the status: name → number. */
  readonly figures: () => Readonly<Record<string, number>>;
  /** Whom it knows in the cluster, and how they are: name → status. */
  readonly membership?: () => Readonly<Record<string, string>>;
  /** What it can be told to do over the node's HTTP port. */
  readonly operations?: readonly Operation[];
}

/** Hosts the service's group on the node. */
export type PrepareService = (host: ServiceHost) => PreparedService;
