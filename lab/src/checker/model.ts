/**
 * What is to be checked: a few nodes of a protocol, the network between them,
 * what may go wrong and how often, and the promises that must hold all the same.
 *
 * Time is abstracted: an armed timer may fire at any moment, whatever its delay.
 * Everything that would make the state space infinite has a budget or a bound,
 * and the verdict says which of them it rests on.
 */

import type { NodeId, Process, RequestId, Vocabulary } from "@quorate/kernel";

/**
 * What becomes of messages on their way (K3). All of them may be delayed for
 * ever, which is how messages are lost: only an ordered link needs a budget for it.
 *
 * - `bag`: in no order, each delivered at most once, unless the budget allows a duplicate.
 * - `merging`: a bag in which a message equal to one on its way adds nothing. Keeps what is
 *   sent again and again finite.
 * - `persistent`: a set from which nothing is ever taken: every message may arrive any number of
 *   times. The strongest adversary.
 * - `ordered`: first in, first out between each two nodes.
 */
export type Network = "bag" | "merging" | "persistent" | "ordered";

/** How often each kind of event may happen along one run. What is left out never happens. */
export interface Budgets {
  /** Crashes, whichever suffix of what is not durable they lose. */
  readonly crashes?: number;
  /** Messages lost. Of use only on ordered links: elsewhere a loss is a long delay. */
  readonly drops?: number;
  /** Messages delivered without being taken from the network. */
  readonly duplicates?: number;
  /** Timers that fire; without it as many as like. */
  readonly timeouts?: number;
  /** The same for timers by name. */
  readonly timeoutsOf?: Readonly<Record<string, number>>;
  /** Hints that a peer is gone (`onUnreachable`). */
  readonly hints?: number;
  /** Steps of the clock that every node reads, each of {@link Model.tickMs}. */
  readonly ticks?: number;
  /**
   * How many messages may be on their way at one time. Any of them may then be lost at any time;
   * steps that would send more are cut off, which is a bound and not a budget.
   */
  readonly inFlight?: number;
}

export type Disk = "instant" | "asynchronous";

/** A request that the local user of a node may make, once, at any time after those listed before it for that node. */
export interface Ask<V extends Vocabulary, P> {
  readonly node: NodeId;
  readonly request: V["Request"];
  /** Spares states in which it would only be refused. */
  when?(process: P): boolean;
}

/** A node as promises see it. */
export interface NodeView<P> {
  readonly id: NodeId;
  /** Undefined while the node is down. */
  readonly process: P | undefined;
  /** What recovery from this node's disk would give. */
  readonly recovered: P;
}

/** A state of the whole as promises see it. Good for the length of one call. */
export interface View<V extends Vocabulary, P, H> {
  readonly nodes: readonly NodeView<P>[];
  readonly history: H;
  /** Messages on their way. Made when asked for. */
  readonly messages: () => readonly Envelope<V>[];
}

export interface Envelope<V extends Vocabulary> {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: V["Message"];
}

/** Something that a node told its users, or that became of it: what history variables see. */
export type Happening<V extends Vocabulary, P> =
  | { readonly type: "request"; readonly id: RequestId; readonly request: V["Request"] }
  | { readonly type: "reply"; readonly id: RequestId; readonly response: V["Response"] }
  | { readonly type: "output"; readonly value: V["Output"] }
  /** The last of every step: what the node is now. */
  | { readonly type: "step"; readonly process: P; readonly recovered: P };

/**
 * A history variable (Abadi & Lamport 1991): what an observer remembers of the
 * run so far. It is a part of the state, so it should remember no more than the
 * promise about it needs. Values are plain data and never change.
 */
export interface History<V extends Vocabulary, P, H> {
  readonly initial: H;
  after(history: H, node: NodeId, happening: Happening<V, P>): H;
  /** Names the promise that the run so far has broken. A function of the history alone. */
  broken?(history: H): string | undefined;
}

/**
 * Nodes that may change places without anything changing but names. Declared
 * only where it is true: no order of ids is used, by the protocol or by a promise,
 * and requests treat the nodes alike. Wherever state, messages, timers or the
 * history name such a node, the name is a text of its own, or stands between colons
 * (`doubt:a`).
 */
export interface Symmetry {
  readonly nodes: readonly NodeId[];
  /** Fields of processes that name every node alike, such as the list of members: not renamed. */
  readonly alike?: readonly string[];
}

export interface Model<V extends Vocabulary, P extends Process<V>, H = undefined> {
  readonly nodes: readonly NodeId[];
  /** Makes the process of a node with an empty disk. */
  create(node: NodeId): P;
  readonly network: Network;
  readonly asks?: readonly Ask<V, P>[];
  readonly budgets?: Budgets;
  /** Messages that never arrive: a model of one part of a protocol leaves out the others. */
  loses?(envelope: Envelope<V>): boolean;
  /**
   * `instant`: what is persisted is durable when the step ends. `asynchronous`: any prefix of
   * what waits may become durable at any later time. Default: `asynchronous`.
   */
  readonly disk?: Disk | ((node: NodeId) => Disk);
  /**
   * `atOnce`: a crashed node is up again in the same step. Nothing is lost by that where crashed
   * nodes come back: being down is a long delay. `later`: crash and restart are steps of their own.
   * `never`: a crashed node stays down. Default: `atOnce`.
   */
  readonly restarts?: "atOnce" | "later" | "never";
  /** Milliseconds of one tick. */
  readonly tickMs?: number;
  /** Names the bound that a process is beyond. Steps into such a state are cut off. */
  beyond?(process: P, node: NodeId): string | undefined;
  readonly history?: History<V, P, H>;
  /** Names the promise that a state breaks. */
  always?(view: View<V, P, H>): string | undefined;
  /** Names the promise that a state breaks in which nothing more can happen. */
  atEnd?(view: View<V, P, H>): string | undefined;
  /** States that must be reachable, or the model says less than it seems to. */
  readonly sometimes?: Readonly<Record<string, (view: View<V, P, H>) => boolean>>;
  /** Names the mark that a note stands for. Every name in {@link marks} must be reached. */
  markOf?(note: V["Note"], node: NodeId): string | undefined;
  readonly marks?: readonly string[];
  readonly symmetry?: Symmetry;
}
