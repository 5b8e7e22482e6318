/**
 * Raft to be checked: the shipped class, a few nodes, a few elections, a few
 * entries, and disks that take their time. The promises are I3 (a term has one
 * leader), I8 (what is committed at an index stays), and whatever the class claims
 * of itself as it runs.
 */

import { lan, Raft, type RaftConfig, type RaftWords } from "@quorate/consensus";
import { type Action, type Model, Path } from "@quorate/lab/checker";
import type { NodeId } from "@quorate/kernel";

export interface RaftParameters {
  readonly nodes: number;
  /** How many times an election timer may fire, all nodes together. */
  readonly elections: number;
  /** How many times a leader's heartbeat timer may. */
  readonly heartbeats: number;
  /** How many times a leader may find that it has not heard from a quorum. */
  readonly quorumChecks: number;
  /** How many commands each leader may be asked to append. */
  readonly proposals: number;
  readonly crashes: number;
  /** States in later terms are left out. */
  readonly terms: number;
  /** How many messages may be on their way at one time; 0: as many as like. */
  readonly inFlight: number;
  /** Whether what leaders send is lost, so that only elections remain. */
  readonly electionsOnly: boolean;
  /** Whether a write takes time of its own. */
  readonly slowDisk: boolean;
}

/** What the world remembers of a cluster, across crashes. */
export interface RaftHistory {
  readonly leaders: Readonly<Record<number, NodeId>>;
  /** By index from 1: the entry that was committed there first. */
  readonly committed: readonly string[];
  readonly broken: string | undefined;
}

/** Makes the process of a node. Variants that are wrong on purpose come in here. */
export type CreateRaft = (config: RaftConfig) => Raft;

export function raftModel(
  parameters: RaftParameters,
  create: CreateRaft = (config) => new Raft(config),
): Model<RaftWords, Raft, RaftHistory> {
  const { elections, heartbeats, quorumChecks, proposals, crashes, terms } = parameters;
  const nodes = Array.from({ length: parameters.nodes }, (_, i) => `n${i + 1}`);
  const config = lan(Object.freeze({ voters: Object.freeze(nodes), outgoing: [], learners: [] }));
  return {
    nodes,
    create: () => create({ ...config }),
    network: "merging",
    ...(parameters.electionsOnly
      ? { loses: ({ message: { type } }) => type === "append" || type === "heartbeat" }
      : {}),
    disk: parameters.slowDisk ? "asynchronous" : "instant",
    asks: nodes.flatMap((node) =>
      Array.from({ length: proposals }, (_, i) => ({
        node,
        request: { type: "propose", data: Uint8Array.of(i + 1) } as const,
        when: (raft: Raft) => raft.role === "leader",
      })),
    ),
    budgets: {
      crashes,
      ...(parameters.inFlight === 0 ? {} : { inFlight: parameters.inFlight }),
      timeoutsOf: { election: elections, heartbeat: heartbeats, quorum: quorumChecks },
    },
    beyond: ({ term }) => (term > terms ? `term at most ${terms}` : undefined),
    history: {
      initial: { leaders: {}, committed: [], broken: undefined },
      after(history, node, happening) {
        if (happening.type === "step") return led(history, node, happening.process);
        if (happening.type !== "output" || happening.value.type !== "committed") return history;
        const { index, entries } = happening.value;
        return committed(history, node, index, entries.map(identityOf));
      },
      broken: ({ broken }) => broken,
    },
    markOf: (note) => (note.type === "campaigning" && note.pre ? "askingAround" : note.type),
    marks: ["askingAround", "campaigning", "elected"],
    sometimes: {
      "an entry is committed": ({ history }) => history.committed.length > 0,
    },
    symmetry: { nodes, alike: ["config", "configuration"] },
  };
}

/** The steps by which the first node becomes the leader of term 1, with an entry that all have. */
export function firstLeader(
  model: Model<RaftWords, Raft, RaftHistory>,
): readonly Action<RaftWords>[] {
  const path = new Path(model);
  path.startAll();
  path.timeout(model.nodes[0]!, "election");
  path.settle();
  path.timeout(model.nodes[0]!, "heartbeat");
  path.settle();
  return path.actions;
}

function identityOf(entry: {
  readonly term: number;
  readonly kind: string;
  readonly data: Uint8Array;
}): string {
  return `${entry.kind} ${entry.data.join(".")} of term ${entry.term}`;
}

function led(history: RaftHistory, node: NodeId, raft: Raft): RaftHistory {
  if (raft.role !== "leader") return history;
  const leader = history.leaders[raft.term];
  if (leader === node) return history;
  if (leader === undefined) {
    return { ...history, leaders: { ...history.leaders, [raft.term]: node } };
  }
  return { ...history, broken: `I3: ${leader} and ${node} both lead term ${raft.term}` };
}

function committed(
  history: RaftHistory,
  node: NodeId,
  first: number,
  entries: readonly string[],
): RaftHistory {
  const all = [...history.committed];
  for (const [i, entry] of entries.entries()) {
    const index = first + i;
    const before = (all[index - 1] ??= entry);
    if (before === entry) continue;
    const broken = `I8: ${node} commits "${entry}" at ${index}, where "${before}" was committed`;
    return { ...history, broken };
  }
  return all.length === history.committed.length ? history : { ...history, committed: all };
}
