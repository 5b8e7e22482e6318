/**
 * The services that a node can run, each with its group, its port and the
 * engines it runs on. A service to come is one more row here and one file that
 * prepares it. Nothing heavy is imported before a node needs it.
 */

import type { PrepareService } from "./service.ts";

export interface ServiceRow {
  readonly name: string;
  /** The replicated group's id: the same on every node, for ever. */
  readonly groupId: number;
  /** Its port, from the first of the node's block. */
  readonly portOffset: number;
  /** What can replicate it; the first unless told. */
  readonly engines: readonly string[];
  readonly load: () => Promise<PrepareService>;
}

export const catalogue: readonly ServiceRow[] = [
  {
    name: "etcd",
    groupId: 1,
    portOffset: 2,
    engines: ["raft"],
    load: async () => (await import("./etcd.ts")).prepareEtcd,
  },
];

export function serviceNames(): readonly string[] {
  return catalogue.map(({ name }) => name);
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
  return catalogue.map(({ name, engines }) => `${name} on ${engines.join(" or ")}`).join(", ");
}

/** Reads `etcd=raft,…`; undefined if a service or an engine is unknown, or a service is there twice. */
export function parseEngines(text: string): ReadonlyMap<string, string> | undefined {
  const engines = new Map<string, string>();
  for (const part of text.split(",")) {
    const [name = "", engine = "", ...rest] = part.split("=").map((each) => each.trim());
    const row = catalogue.find((each) => each.name === name);
    const known = row !== undefined && row.engines.includes(engine);
    if (!known || rest.length > 0 || engines.has(name)) return undefined;
    engines.set(name, engine);
  }
  return engines;
}
