/**
 * What the lab must be told about a protocol in order to examine it.
 *
 * The lab knows the kernel's contract and nothing else. A {@link Subject} says
 * the rest: how a cluster is made, what its clients ask, what must hold after
 * every step, what "it works again" means once the faults stop, where a nemesis
 * should aim, and which mistakes the lab has to find (the exam). One subject
 * serves the simulator, the fleet of seeds, the exam and the page.
 *
 * All members are methods, so that subjects of different vocabularies fit one
 * list (`readonly Subject[]`).
 */

import type { NodeId, Position, Process, Random, Vocabulary } from "@quorate/kernel";

import type { Substitute } from "./simulator/disk.ts";

/** A protocol under examination. Immutable and shared by all runs. */
export interface Subject<V extends Vocabulary = Vocabulary, P extends Process<V> = Process<V>> {
  /** As it is named on the command line and in runs: `raft`. Letters, digits and `-`. */
  readonly name: string;
  /** Raised whenever recorded runs may replay differently: protocol, workload or witness changed. */
  readonly version: number;
  /** One line, without a full stop. */
  readonly summary: string;
  /** Whole numbers that a run may set; `nodes` should be one of them. */
  readonly parameters: Parameters;
  /** What must hold, numbered as in the protocol's PROTOCOL.md. */
  readonly claims: readonly Claim[];
  /** What should happen in some run or other; a fleet reports those it never saw. */
  readonly marks: readonly Mark[];
  /** Mistakes to be planted and found. */
  readonly bugs: readonly Bug[];
  readonly words: Words<V, P>;

  /**
   * What a process recovers in the place of a record that its disk has lost, or `undefined` if it
   * cannot do without that one. Left out if it can do without none: then no disk loses any.
   */
  standIn?(record: V["Record"]): Substitute<V["Record"]> | undefined;

  /**
   * A cluster as `settings` describe it (every parameter is present and within
   * its bounds). With `bug`, the name of one of {@link bugs}, its nodes make
   * that mistake.
   */
  open(settings: Settings, bug: string | undefined): Cluster<V, P>;
}

/** By name. */
export type Parameters = { readonly [name: string]: Parameter };

export interface Parameter {
  readonly summary: string;
  readonly fallback: number;
  /** Least and greatest value allowed. */
  readonly min: number;
  readonly max: number;
  /** What a fleet of seeds draws from where its user has not said otherwise. */
  readonly swarm?: readonly number[];
}

export type Settings = { readonly [parameter: string]: number };

/** A numbered promise. */
export interface Claim {
  /** As in PROTOCOL.md: `I3`. */
  readonly id: string;
  /** The promise as a sentence. */
  readonly text: string;
}

/** Something worth reaching, as in "sometimes a leader steps down with entries that are not committed". */
export interface Mark {
  readonly name: string;
  readonly text: string;
}

/** A broken promise, as seen in a run. */
export interface Broken {
  /** A {@link Claim.id}. */
  readonly claim: string;
  /** Who, what, where: one line. */
  readonly text: string;
}

/** A mistake that can be planted in the production class. */
export interface Bug {
  /** Short and stable; the id of a named scenario where there is one: `E14-unsynced-tail`. */
  readonly name: string;
  /** The sentence that it breaks, and where it stands. */
  readonly sentence: string;
  /**
   * Claims one of which must be reported. Besides numbered ones: `stops` (a process threw without
   * naming a claim), `livelock`, `liveness`.
   */
  readonly breaks: readonly string[];
  /** Parameters without which it cannot show. */
  readonly settings?: Settings;
  /** Scenarios in which to look for it, the likeliest first. */
  readonly scenarios: readonly string[];
}

/** Short, stable renderings, each on one line. None may throw or change its argument. */
export interface Words<V extends Vocabulary, P extends Process<V>> {
  message(message: V["Message"]): string;
  record(record: V["Record"]): string;
  request(request: V["Request"]): string;
  response(response: V["Response"]): string;
  output(output: V["Output"]): string;
  note(note: V["Note"]): string;
  /** A process in one line: what a reader of a trace wants to see change. */
  state(process: P): string;
}

/** What the protocol's fault model allows. Faults beyond it are not findings, so the lab keeps within. */
export interface Tolerance {
  /** How many nodes may be gone for good while the others must still serve. */
  readonly lost: number;
  /** How much faster one node's clock may run than another's, in parts per thousand. */
  readonly driftPermille: number;
  /** Clocks may jump forward. */
  readonly clockSteps: boolean;
  /** A node may come back under its name with an empty disk. */
  readonly wipe: boolean;
}

/** A cluster of one run, before it starts. */
export interface Cluster<V extends Vocabulary = Vocabulary, P extends Process<V> = Process<V>> {
  readonly nodes: readonly NodeId[];
  readonly tolerates: Tolerance;
  /** How many releases of the software {@link create} knows; 1 if there is nothing to upgrade to. */
  readonly releases: number;
  /** How long, in milliseconds, a core may take to converge and serve once the faults have stopped. */
  readonly patienceMs: number;
  /** A fresh process, as at each start of a node. `release` counts from 0. */
  create(node: NodeId, release: number): P;
  /** Who watches the run. Called once, before the nodes start. */
  witness(world: World<V, P>): Witness<V, P>;
}

/** What a witness may look at and say. */
export interface World<V extends Vocabulary = Vocabulary, P extends Process<V> = Process<V>> {
  /** Milliseconds since the run began: nobody's clock. */
  readonly now: number;
  /** The process on a node, or `undefined` while it is down. */
  process(node: NodeId): P | undefined;
  /** Asks something of a node on behalf of the layer above its process. No client's operation: nobody counts it. */
  request(node: NodeId, request: V["Request"]): void;
  /** Whether {@link Witness.history} will be asked for; writing it down takes time and memory. */
  readonly wantsHistory: boolean;
  /** Counts a {@link Mark}. */
  mark(name: string): void;
}

/** What came of an operation. */
export type Settled =
  /** It succeeded: the cluster serves. */
  | { readonly type: "served" }
  /** It was refused; another node may know more. */
  | { readonly type: "refused"; readonly elsewhere: NodeId | undefined }
  /** Its answer breaks a promise. */
  | { readonly type: "broken"; readonly broken: Broken };

/**
 * Watches one run: feeds its clients, judges every step, knows where to aim.
 * Holds what it has seen; the lab calls it in the order in which things happen.
 * Everything but `stepped` and the clients is optional.
 */
export interface Witness<V extends Vocabulary = Vocabulary, P extends Process<V> = Process<V>> {
  /**
   * After every step of `node`: the first broken promise, if any. Called a
   * million times a second, so it looks at what this node changed.
   */
  stepped(node: NodeId, process: P): Broken | undefined;

  started?(node: NodeId, process: P): void;
  /** A life ended. Of the records that were not reported durable, the first `kept` are on the disk all the same. */
  stopped?(node: NodeId, kept: number): void;
  /** Everything on the node's disk is gone; it is down. */
  wiped?(node: NodeId): void;
  persisted?(node: NodeId, record: V["Record"], position: Position): void;
  /** Records up to `position` of this life are on the disk; before the process is told. */
  durable?(node: NodeId, position: Position): void;
  /** A checkpoint is complete: these records are in the place of all that came before it. */
  checkpointed?(node: NodeId, records: readonly V["Record"][]): void;
  sent?(from: NodeId, to: NodeId, message: V["Message"]): void;
  noted?(node: NodeId, note: V["Note"]): void;
  said?(node: NodeId, output: V["Output"]): void;

  /**
   * The layer above a process that takes no checkpoints itself, after a step in which the node's
   * input was drained: compacts what the process holds, and returns records that may take the place
   * of all that it has persisted. Without it memory grows for as long as a run goes on.
   */
  checkpoint?(node: NodeId, process: P): readonly V["Record"][] | undefined;

  /**
   * Operation number `op` of the run, about to be asked of `node`. A function of
   * the number and of `dice`, which belongs to this operation alone: a run that
   * leaves out other operations asks the same.
   */
  ask(op: number, dice: Random, node: NodeId): V["Request"];
  /** Its answer, once the step that gave it is over. Never called for an operation that the client has given up. */
  answered(op: number, response: V["Response"]): Settled;
  /** The client stops waiting: the outcome is unknown. */
  abandoned?(op: number): void;

  /** Nodes that lead or coordinate, or think they do. */
  leaders?(): readonly NodeId[];
  /** Nodes that rely on time: on a lease, a lock, a session. */
  leaseHolders?(): readonly NodeId[];
  /**
   * Faults have stopped within `core`; the other nodes are down or cut off for
   * good. What still keeps the core from having converged, in words, or `undefined`.
   */
  missing(core: readonly NodeId[]): string | undefined;
  /** What the clients did, in the format that `quorate judge` reads: JSON lines. */
  history?(): string;
}
