/** What a node says of itself at `/status`, checked when another reads it. */

import * as v from "valibot";

const count = v.pipe(v.number(), v.finite());
const text = v.pipe(v.string(), v.maxLength(1000));

const groupSchema = v.object({
  name: text,
  role: text,
  term: count,
  leader: v.nullable(text),
  commitIndex: count,
  appliedIndex: count,
  lastIndex: count,
  voters: v.array(text),
  learners: v.array(text),
  /** Learners that will vote once they have caught up. */
  promotable: v.optional(v.array(text), []),
  /** Which protocol replicates it; "" if the node does not say. */
  engine: v.optional(text, ""),
  /** The how manieth engine that is for the group. */
  generation: v.optional(count, 1),
  /** Figures of the service on the group. */
  figures: v.record(v.string(), count),
});

const memberSchema = v.object({
  name: text,
  peer: text,
  http: text,
  services: v.record(v.string(), text),
});

const reportSchema = v.object({
  name: text,
  version: text,
  clusterId: text,
  /** What a node that joins needs to know of the cluster. */
  clusterToken: v.optional(text, ""),
  founders: v.optional(v.array(v.object({ name: text, peer: text })), []),
  /** Members of before, whose names are used up. */
  removed: v.optional(v.array(text), []),
  pid: count,
  /** Whether it serves, in the words of /health. */
  healthy: v.boolean(),
  reason: text,
  uptimeMs: count,
  members: v.array(memberSchema),
  /** Whether it can send to each other member. */
  peers: v.record(v.string(), v.boolean()),
  groups: v.array(groupSchema),
  /** How members are, as the node's gossip has it: name → status. Nodes of before do not say. */
  gossip: v.optional(v.record(v.string(), text), {}),
  counters: v.record(v.string(), count),
});

export interface GroupReport {
  readonly name: string;
  readonly role: string;
  readonly term: number;
  readonly leader: string | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  readonly promotable: readonly string[];
  readonly engine: string;
  readonly generation: number;
  readonly figures: Readonly<Record<string, number>>;
}

export interface MemberReport {
  readonly name: string;
  /** Addresses, `host:port`. */
  readonly peer: string;
  readonly http: string;
  readonly services: Readonly<Record<string, string>>;
}

export interface NodeReport {
  readonly name: string;
  readonly version: string;
  readonly clusterId: string;
  readonly clusterToken: string;
  readonly founders: readonly { readonly name: string; readonly peer: string }[];
  readonly removed: readonly string[];
  readonly pid: number;
  readonly healthy: boolean;
  readonly reason: string;
  readonly uptimeMs: number;
  readonly members: readonly MemberReport[];
  readonly peers: Readonly<Record<string, boolean>>;
  readonly groups: readonly GroupReport[];
  readonly gossip: Readonly<Record<string, string>>;
  readonly counters: Readonly<Record<string, number>>;
}

/** Reads a report; undefined if it is none. */
export function parseReport(value: unknown): NodeReport | undefined {
  const result = v.safeParse(reportSchema, value);
  return result.success ? result.output : undefined;
}
