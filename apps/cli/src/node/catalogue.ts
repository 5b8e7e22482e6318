/**
 * The services that a node can run, each with its group, its port and the
 * engines it runs on. A service to come is one more row here and one file that
 * prepares it. Nothing heavy is imported before a node needs it.
 */

import type { EngineName } from "@quorate/host";

import { SERF_OFFSET, SERF_RPC_OFFSET } from "../cluster/ports.ts";
import type { PrepareService } from "./service.ts";

interface ServicePort {
  readonly name: string;
  /** From the first port of the node's block. */
  readonly portOffset: number;
}

export interface ServiceRow {
  readonly name: string;
  /** The replicated group's id: the same on every node, for ever. 0 for what is not replicated. */
  readonly groupId: number;
  /** Its port, from the first of the node's block. */
  readonly portOffset: number;
  /** Where else it listens, by name. */
  readonly alsoAt?: readonly ServicePort[];
  /** What can replicate it; the first unless told. None for what is not replicated. */
  readonly engines: readonly EngineName[];
  readonly load: () => Promise<PrepareService>;
}

export const catalogue: readonly ServiceRow[] = [
  {
    name: "etcd",
    groupId: 1,
    portOffset: 2,
    engines: ["raft", "paxos", "zab"],
    load: async () => (await import("./etcd.ts")).prepareEtcd,
  },
  {
    name: "serf",
    groupId: 0,
    portOffset: SERF_OFFSET,
    alsoAt: [{ name: "serf-rpc", portOffset: SERF_RPC_OFFSET }],
    engines: [],
    load: async () => (await import("./serf.ts")).prepareSerf,
  },
];

export function serviceNames(): readonly string[] {
  return catalogue.map(({ name }) => name);
}

/** Every port of some services, by name. */
export function portsOf(rows: readonly ServiceRow[]): readonly ServicePort[] {
  return rows.flatMap(({ name, portOffset, alsoAt = [] }) => [{ name, portOffset }, ...alsoAt]);
}

/** The rows of some services, in the order of the catalogue. */
export function rowsOf(names: readonly string[]): readonly ServiceRow[] {
  return catalogue.filter(({ name }) => names.includes(name));
}

/** For messages: `etcd`. */
export function serviceChoices(): string {
  return serviceNames().join(", ");
}

/** For messages: `etcd on raft`. */
export function engineChoices(): string {
  return catalogue
    .filter(({ engines }) => engines.length > 0)
    .map(({ name, engines }) => `${name} on ${engines.join(" or ")}`)
    .join(", ");
}

/** Reads `etcd=raft,…`; undefined if a service or an engine is unknown, or a service is there twice. */
export function parseEngines(text: string): ReadonlyMap<string, EngineName> | undefined {
  const engines = new Map<string, EngineName>();
  for (const part of text.split(",")) {
    const [name = "", asked = "", ...rest] = part.split("=").map((each) => each.trim());
    const row = catalogue.find((each) => each.name === name);
    const engine = row?.engines.find((each) => each === asked);
    if (engine === undefined || rest.length > 0 || engines.has(name)) return undefined;
    engines.set(name, engine);
  }
  return engines;
}
