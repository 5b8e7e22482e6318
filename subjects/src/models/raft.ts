/**
 * Raft to be checked: the shipped class, a few nodes, a few elections, a few
 * entries, and disks that take their time. The promises are I3 (a term has one
 * leader), I8 (what is committed at an index stays), I11 (a leader has everything
 * committed before it), and whatever the class claims of itself as it runs.
 */

import { type Entry, lan, Raft, type RaftConfig, type RaftWords } from "@quorate/consensus";
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
  /** Who may be asked, if it leads; by default everybody. */
  readonly proposers?: readonly NodeId[];
  readonly crashes: number;
  /** States in later terms are left out. */
  readonly terms: number;
  /** How many messages may be on their way at one time; 0: as many as like. */
  readonly inFlight: number;
  /** The most entry bytes in one message; by default as many as shipped. */
  readonly appendBytes?: number;
  /** Whether what leaders send is lost, so that only elections remain. */
  readonly electionsOnly: boolean;
  /** Whether a write takes time of its own, everywhere or at some nodes. */
  readonly slowDisk: boolean | readonly NodeId[];
}

/** What the world remembers of a cluster, across crashes. */
export interface RaftHistory {
  readonly leaders: Readonly<Record<number, NodeId>>;
  /** By index from 1: the entry that was committed there first. */
  readonly committed: readonly string[];
  readonly broken: Breach | undefined;
}

/** A broken promise: `who` did `what`. Names stand alone, so that nodes which are alike can change places. */
interface Breach {
  readonly promise: string;
  readonly who: readonly NodeId[];
  readonly what: string;
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
  const { appendBytes = config.appendBytes } = parameters;
  return {
    nodes,
    create: () => create({ ...config, appendBytes }),
    network: "merging",
    ...(parameters.electionsOnly
      ? { loses: ({ message: { type } }) => type === "append" || type === "heartbeat" }
      : {}),
    disk: (node) => (isSlow(parameters.slowDisk, node) ? "asynchronous" : "instant"),
    asks: (parameters.proposers ?? nodes).flatMap((node) =>
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
      broken: ({ broken }) =>
        broken && `${broken.promise}: ${broken.who.join(" and ")} ${broken.what}`,
    },
    markOf: (note) => (note.type === "campaigning" && note.pre ? "askingAround" : note.type),
    marks: elections > 0 ? ["askingAround", "campaigning", "elected"] : [],
    ...(parameters.electionsOnly
      ? {}
      : {
          sometimes: {
            "an entry is committed": ({ history }) => history.committed.length > 0,
          },
        }),
    ...(isAlike(parameters) ? { symmetry: { nodes, alike: ["config", "configuration"] } } : {}),
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

function isSlow(slow: RaftParameters["slowDisk"], node: NodeId): boolean {
  return typeof slow === "boolean" ? slow : slow.includes(node);
}

/** Whether nothing tells one node from another. */
function isAlike({ proposers, slowDisk }: RaftParameters): boolean {
  return proposers === undefined && typeof slowDisk === "boolean";
}

function entryAt({ log }: Raft, index: number): string | undefined {
  return index <= log.lastIndex ? identityOf(log.at(index)) : undefined;
}

function identityOf(entry: Entry): string {
  return `${entry.kind} ${entry.data.join(".")} of term ${entry.term}`;
}

function led(history: RaftHistory, node: NodeId, raft: Raft): RaftHistory {
  if (raft.role !== "leader") return history;
  const leader = history.leaders[raft.term];
  if (leader === node) return history;
  if (leader === undefined) {
    const missing = history.committed.findIndex((entry, i) => entryAt(raft, i + 1) !== entry);
    if (missing >= 0) {
      const what = `leads term ${raft.term} without "${history.committed[missing]}"`;
      return { ...history, broken: { promise: "I11", who: [node], what } };
    }
    return { ...history, leaders: { ...history.leaders, [raft.term]: node } };
  }
  const what = `both lead term ${raft.term}`;
  return { ...history, broken: { promise: "I3", who: [leader, node], what } };
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
    const what = `commits "${entry}" at ${index}, where "${before}" was committed`;
    return { ...history, broken: { promise: "I8", who: [node], what } };
  }
  return all.length === history.committed.length ? history : { ...history, committed: all };
}
