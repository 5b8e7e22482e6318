/**
 * The contract between a protocol and the world.
 *
 * A protocol is a class whose fields are its state and whose handlers are its
 * only entry points. It owns no clock, socket, disk or dice: every handler is
 * lent a {@link Context} and speaks through it. Drivers decide what the words
 * mean: a TCP socket, a simulated network, a branch of a state-space search.
 *
 * The rules of both sides are numbered in `kernel/PROTOCOL.md`; the numbers
 * (K1, K2, …) appear in comments and in the driver conformance suite.
 */

/** Names a node. Stable across restarts, ordered as a string. */
export type NodeId = string;

/**
 * Counts the records a process has persisted. Grows by one with each; has a
 * meaning within one life of the process only (a restart counts anew).
 */
export type Position = number;

/** Pairs a local request with its reply. Chosen by the driver. */
export type RequestId = number;

/** The seven kinds of value a protocol may exchange with the world. */
export interface Vocabulary {
  /** Sent from node to node. */
  Message: unknown;
  /** Names of timers. Setting a timer again re-arms it. */
  Timer: string;
  /** Written to stable storage, read back in order after a restart. */
  Record: unknown;
  /** Asked of this node by its local user. */
  Request: unknown;
  /** Answered to a request. */
  Response: unknown;
  /** Handed to the layer above: a committed entry, a membership change. */
  Output: unknown;
  /** A typed fact for logs, metrics, timelines and coverage marks. */
  Note: unknown;
}

/** A full vocabulary in which every word left out of `V` is unspeakable. */
export type Speaks<V extends Partial<Vocabulary>> = {
  [Word in keyof Vocabulary]: Word extends keyof V
    ? V[Word] extends Vocabulary[Word]
      ? V[Word]
      : never
    : never;
};

/**
 * What a handler may see and do. Lent for the length of one step; keeping a
 * reference past the handler's return is an error.
 *
 * `send`, `reply` and `output` obey the write-ahead rule: they take effect once
 * everything this process has persisted before them is durable, so that nobody
 * ever learns of a state that a crash could take back (K4). Their `Eagerly`
 * forms take effect at once (K5).
 */
export interface Context<V extends Vocabulary> {
  readonly self: NodeId;

  /** Local time in milliseconds. Monotonic, constant within a step, unrelated to other nodes'. */
  readonly now: number;

  /** Sends a message. It may be lost, repeated, reordered or delayed for ever (K3). */
  send(to: NodeId, message: V["Message"]): void;

  /** Sends without waiting for the disk: for what a crash may forget. */
  sendEagerly(to: NodeId, message: V["Message"]): void;

  /** Appends to stable storage. {@link Process.onDurable} reports completion. */
  persist(record: V["Record"]): Position;

  /**
   * Offers `records` in place of everything persisted so far. Recovering from
   * them must give the same state as recovering from what they replace, so the
   * driver may complete the replacement at any time, or never (K7). They may be
   * produced lazily, over many steps; they must not depend on later changes.
   */
  checkpoint(records: Iterable<V["Record"]>): void;

  /** Arms `timer` to fire in `delayMs`, plus up to `jitterMs` picked by the driver. */
  setTimer(timer: V["Timer"], delayMs: number, jitterMs?: number): void;

  cancelTimer(timer: V["Timer"]): void;

  /** Answers a local request, once. */
  reply(request: RequestId, response: V["Response"]): void;

  /** Answers without waiting for the disk: for what is durable elsewhere, on a quorum say. */
  replyEagerly(request: RequestId, response: V["Response"]): void;

  /** Tells the layer above. */
  output(value: V["Output"]): void;

  /** Tells the layer above without waiting for the disk. */
  outputEagerly(value: V["Output"]): void;

  /** States a fact worth logging, counting or drawing. Never influences the protocol. */
  note(observation: V["Note"]): void;

  /** Picks an integer in `[0, count)`. A model checker explores every choice. */
  choose(count: number): number;
}

/**
 * A deterministic protocol.
 *
 * Fields hold plain data only: primitives, arrays, `Map`s, `Set`s,
 * `Uint8Array`s, plain objects, and instances of classes that do the same
 * (K2). Frozen values are shared between copies; everything else is copied.
 */
export interface Process<V extends Vocabulary> {
  /** Rebuilds state from one record. Called in order before {@link onStart}. */
  recover?(record: V["Record"]): void;

  onStart(ctx: Context<V>): void;

  onMessage(ctx: Context<V>, from: NodeId, message: V["Message"]): void;

  onTimer?(ctx: Context<V>, timer: V["Timer"]): void;

  onRequest?(ctx: Context<V>, id: RequestId, request: V["Request"]): void;

  /** Every record up to and including `position` has reached stable storage. */
  onDurable?(ctx: Context<V>, position: Position): void;

  /** The driver has no more input for now: the place to send what was batched. */
  onIdle?(ctx: Context<V>): void;

  /** The driver believes that a peer is gone. A hint: it may be wrong, late, or never come (K3). */
  onUnreachable?(ctx: Context<V>, peer: NodeId): void;
}
