/**
 * An ordered log to be checked, whatever its engine: the shipped class, a few
 * nodes, a few elections, a few entries, a change of membership perhaps, and disks
 * that take their time. What every engine promises alike is said here: a term has
 * one leader (where terms have), what is committed at an index stays, and who leads
 * later says nothing else. Beyond that counts whatever the class claims of itself
 * as it runs. What an engine calls these things is its row: a {@link LogEngine}.
 */

import type {
  Entry,
  Founding,
  LogRequest,
  LogWords,
  MembershipChange,
  OrderedLog,
} from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import { type Action, type Ask, type Model, Path, type View } from "@quorate/lab/checker";

export interface LogParameters {
  readonly nodes: number;
  /** So many of them vote at first, the others learn; all if left out. */
  readonly voters?: number;
  /** So many of them may ever lead, the others have priority 0; all if left out. */
  readonly candidates?: number;
  /** How many times an election timer may fire, all nodes together. */
  readonly elections: number;
  /** How many times a leader's heartbeat timer may. */
  readonly heartbeats: number;
  /** How many times a leader may find that it has not heard from a quorum. */
  readonly quorumChecks: number;
  /** How often timers may fire that only this engine has, by their names. */
  readonly timers?: Readonly<Record<string, number>>;
  /** How many commands each leader may be asked to append. */
  readonly proposals: number;
  /** Each leader may be asked, before that, to make voters of so many learners … */
  readonly joins?: number;
  /** … and to let so many of the first voters go, the last ones, all in one change. */
  readonly leaves?: number;
  /** Who may be asked, if it leads; by default everybody. */
  readonly proposers?: readonly NodeId[];
  readonly crashes: number;
  /** How many messages may arrive twice. */
  readonly duplicates?: number;
  /** States in later terms are left out; see {@link LogEngine.reached}. */
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

/** A leadership: its term, and whose it is where two nodes may lead in one. */
interface Reign {
  readonly term: number;
  /** Empty if the term says it all. */
  readonly node: NodeId;
}

/** What a node says of an index on behalf of a leadership. */
interface Claim {
  readonly reign: Reign;
  /** Nothing, if it says that nothing was committed there. */
  readonly entry: Entry | undefined;
}

/** How an engine differs from others, as its models see it. */
export interface LogEngine<L extends LogWords, P extends OrderedLog<L>, C> {
  /** Names of the promises in its PROTOCOL.md. */
  readonly promises: {
    /** A term has one leader; left out where it may have more. */
    readonly leader?: string;
    readonly agreement: string;
    /** What is committed is what every later leadership says. */
    readonly completeness: string;
    /** What is committed is on the disks of a quorum of the voters. */
    readonly durability: string;
  };
  settings(initial: Founding, appendBytes: number | undefined): C;
  make(settings: C): P;
  reign(log: P): Reign;
  claim(log: P, index: number): Claim | undefined;
  /** What a log has at an index. */
  entryAt(log: P, index: number): Entry | undefined;
  /** The highest term of which a log knows, where that may be above its own, and what it is called. */
  readonly reached?: { readonly name: string; of(log: P): number };
  /** Types of what only leaders send that are elected. */
  readonly leaders: readonly string[];
  markOf(note: L["Note"]): string;
  /** Marks that an election leaves. */
  readonly marks: readonly string[];
  /** No order of ids is used, so that like nodes may change places. */
  readonly isSymmetric: boolean;
}

const TERM = { name: "term", of: ({ term }: { readonly term: number }): number => term };

interface Committed {
  readonly entry: string;
  /** Of whoever told of it first. */
  readonly reign: Reign;
}

/** What the world remembers of a cluster, across crashes. */
export interface LogHistory {
  readonly leaders: Readonly<Record<number, NodeId>>;
  /** By index from 1: the entry that was committed there first. */
  readonly committed: readonly Committed[];
  /** Told of in the step at hand. */
  readonly news: readonly string[];
  readonly broken: Breach | undefined;
}

/** A broken promise: `who` did `what`. Names stand alone, so that nodes which are alike can change places. */
interface Breach {
  readonly promise: string;
  readonly who: readonly NodeId[];
  readonly what: string;
}

export type LogModel<L extends LogWords, P extends OrderedLog<L>> = Model<L, P, LogHistory>;

/** @param make - Makes the process of a node, for variants that are wrong on purpose. */
export function logModel<
  L extends LogWords & { Message: { readonly type: string } },
  P extends OrderedLog<L>,
  C,
>(
  engine: LogEngine<L, P, C>,
  parameters: LogParameters,
  make: (settings: C) => P = (settings) => engine.make(settings),
): LogModel<L, P> {
  const { elections, heartbeats, quorumChecks, crashes, duplicates = 0, terms } = parameters;
  const { reached = TERM } = engine;
  const nodes = Object.freeze(Array.from({ length: parameters.nodes }, (_, i) => `n${i + 1}`));
  const settings = engine.settings(foundingOf(nodes, parameters), parameters.appendBytes);
  const changes = changesOf(nodes, parameters);
  return {
    nodes,
    create: () => make(settings),
    network: "merging",
    ...(parameters.electionsOnly
      ? { loses: ({ message }) => engine.leaders.includes(message.type) }
      : {}),
    disk: (node) => (isSlow(parameters.slowDisk, node) ? "asynchronous" : "instant"),
    asks: (parameters.proposers ?? nodes).flatMap((node) =>
      asksOf<L, P>(node, changes, parameters),
    ),
    budgets: {
      crashes,
      ...(duplicates === 0 ? {} : { duplicates }),
      ...(parameters.inFlight === 0 ? {} : { inFlight: parameters.inFlight }),
      timeoutsOf: {
        election: elections,
        heartbeat: heartbeats,
        quorum: quorumChecks,
        ...parameters.timers,
      },
    },
    beyond: (log) => (reached.of(log) > terms ? `${reached.name} at most ${terms}` : undefined),
    history: {
      initial: { leaders: {}, committed: [], news: [], broken: undefined },
      after(history, node, happening) {
        if (happening.type === "step") return stepped(engine, history, node, happening.process);
        if (happening.type !== "output" || happening.value.type !== "committed") return history;
        const { index, entries } = happening.value;
        return told(engine, history, node, index, entries.map(identityOf));
      },
      broken: ({ broken }) =>
        broken && `${broken.promise}: ${broken.who.join(" and ")} ${broken.what}`,
    },
    // Whose disks count would depend on how far a change is known.
    ...(changes.length > 0 ? {} : { always: (view) => volatile(engine, view) }),
    markOf: (note) => engine.markOf(note),
    marks: elections > 0 ? engine.marks : [],
    ...(parameters.electionsOnly ? {} : { sometimes: sometimesOf(changes) }),
    ...(engine.isSymmetric && isAlike(parameters, changes)
      ? { symmetry: { nodes, alike: ["config", "configuration"] } }
      : {}),
  };
}

/** The steps by which the first node becomes the leader of term 1, heard by all. */
export function firstLeader<L extends LogWords, P extends OrderedLog<L>>(
  model: LogModel<L, P>,
): readonly Action<L>[] {
  const path = new Path(model);
  path.startAll();
  path.timeout(model.nodes[0]!, "election");
  path.settle();
  path.timeout(model.nodes[0]!, "heartbeat");
  path.settle();
  return path.actions;
}

function foundingOf(nodes: readonly NodeId[], parameters: LogParameters): Founding {
  const { voters = nodes.length, candidates = nodes.length } = parameters;
  const traits = nodes.slice(candidates).map((node) => ({ node, address: "", priority: 0 }));
  return Object.freeze({
    voters: Object.freeze(nodes.slice(0, voters)),
    outgoing: [],
    learners: nodes.slice(voters),
    traits,
  });
}

function changesOf(nodes: readonly NodeId[], parameters: LogParameters): MembershipChange[] {
  const { voters = nodes.length, joins = 0, leaves = 0 } = parameters;
  return [
    ...nodes.slice(voters, voters + joins).map((node) => ({ type: "promote", node }) as const),
    ...nodes.slice(voters - leaves, voters).map((node) => ({ type: "remove", node }) as const),
  ];
}

function asksOf<L extends LogWords, P extends OrderedLog<L>>(
  node: NodeId,
  changes: readonly MembershipChange[],
  { proposals }: LogParameters,
): Ask<L, P>[] {
  const requests: LogRequest[] = Array.from({ length: proposals }, (_, i) => ({
    type: "propose",
    data: Uint8Array.of(i + 1),
  }));
  if (changes.length > 0) requests.unshift({ type: "reconfigure", changes, basedOn: undefined });
  return requests.map((request) => ({ node, request, when: (log) => log.role === "leader" }));
}

/** States that must be reachable, or the model says less than it seems to. */
function sometimesOf(
  changes: readonly MembershipChange[],
): Record<string, (view: { readonly history: LogHistory }) => boolean> {
  const commits = (kind: string) => (view: { readonly history: LogHistory }) =>
    view.history.committed.some(({ entry }) => entry.startsWith(kind));
  return {
    "an entry is committed": commits(""),
    ...(changes.length === 0 ? {} : { "a change is committed": commits("configuration") }),
  };
}

function isSlow(slow: LogParameters["slowDisk"], node: NodeId): boolean {
  return typeof slow === "boolean" ? slow : slow.includes(node);
}

/** Whether nothing tells one node from another. */
function isAlike(parameters: LogParameters, changes: readonly MembershipChange[]): boolean {
  const { nodes, voters = nodes, candidates = nodes, proposers, slowDisk } = parameters;
  const same = voters === nodes && candidates === nodes && changes.length === 0;
  return same && proposers === undefined && typeof slowDisk === "boolean";
}

function identityOf(entry: Entry): string {
  return `${entry.kind} ${entry.data.join(".")} of term ${entry.term}`;
}

/** What a history is judged by. */
type Judge<L extends LogWords, P extends OrderedLog<L>> = Pick<
  LogEngine<L, P, unknown>,
  "promises" | "reign" | "claim" | "entryAt"
>;

/** A node told that entries are committed, from index `first` on. */
function told<L extends LogWords, P extends OrderedLog<L>>(
  { promises }: Judge<L, P>,
  history: LogHistory,
  node: NodeId,
  first: number,
  entries: readonly string[],
): LogHistory {
  const news = [...history.news];
  for (const [i, entry] of entries.entries()) {
    const index = first + i;
    const { length } = history.committed;
    const before = history.committed[index - 1]?.entry ?? (news[index - 1 - length] ??= entry);
    if (before === entry) continue;
    const what = `commits "${entry}" at ${index}, where "${before}" was committed`;
    return { ...history, broken: { promise: promises.agreement, who: [node], what } };
  }
  return news.length === history.news.length ? history : { ...history, news };
}

/** A node has taken a step: what is new was told under its present leadership. */
function stepped<L extends LogWords, P extends OrderedLog<L>>(
  engine: Judge<L, P>,
  before: LogHistory,
  node: NodeId,
  log: P,
): LogHistory {
  const reign = engine.reign(log);
  const news = before.news.map((entry) => ({ entry, reign }));
  const history =
    news.length === 0 ? before : { ...before, committed: [...before.committed, ...news], news: [] };
  return contradicted(engine, history, node, log) ?? led(engine, history, node, log);
}

/** What a node says for a leadership is what earlier ones have committed. */
function contradicted<L extends LogWords, P extends OrderedLog<L>>(
  engine: Judge<L, P>,
  history: LogHistory,
  node: NodeId,
  log: P,
): LogHistory | undefined {
  for (const [i, { entry, reign }] of history.committed.entries()) {
    const claim = engine.claim(log, i + 1);
    if (claim === undefined || !isLater(claim.reign, reign)) continue;
    if (claim.entry !== undefined && identityOf(claim.entry) === entry) continue;
    const { term } = claim.reign;
    const own = claim.entry === undefined ? "" : ` and with "${identityOf(claim.entry)}"`;
    const what = `leads term ${term} without "${entry}"${own}`;
    const who = [claim.reign.node || node];
    return { ...history, broken: { promise: engine.promises.completeness, who, what } };
  }
  return undefined;
}

/** What is committed, and not on the disks of a majority: a crash could take it back. */
function volatile<L extends LogWords, P extends OrderedLog<L>>(
  { promises, entryAt }: Judge<L, P>,
  { nodes, history }: View<L, P, LogHistory>,
): string | undefined {
  for (const [i, { entry }] of history.committed.entries()) {
    const holders = nodes.filter(({ recovered }) => {
      const held = entryAt(recovered, i + 1);
      return held !== undefined && identityOf(held) === entry;
    });
    if (2 * holders.length > nodes.length) continue;
    return `${promises.durability}: "${entry}" is committed, and on too few disks`;
  }
  return undefined;
}

function isLater(one: Reign, other: Reign): boolean {
  return one.term > other.term || (one.term === other.term && one.node > other.node);
}

function led<L extends LogWords, P extends OrderedLog<L>>(
  { promises }: Judge<L, P>,
  history: LogHistory,
  node: NodeId,
  { role, term }: P,
): LogHistory {
  if (promises.leader === undefined || role !== "leader") return history;
  const leader = history.leaders[term];
  if (leader === node) return history;
  if (leader === undefined) {
    return { ...history, leaders: { ...history.leaders, [term]: node } };
  }
  const what = `both lead term ${term}`;
  return { ...history, broken: { promise: promises.leader, who: [leader, node], what } };
}
