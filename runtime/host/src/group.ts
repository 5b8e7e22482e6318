/**
 * A replicated state machine as its users on this node see it: execute a
 * command exactly once, read at three levels, hand leadership over.
 *
 * @example
 * const group = node.replicate({ id: 1, name: "journal", machine: new Journal() });
 * await node.start();
 * const line = await group.execute(new TextEncoder().encode("hello"));
 */

import {
  type Configuration,
  type Generation,
  type Index,
  type Lineage,
  type LineageWords,
  members as allMembers,
  type MembershipChange,
  type Once,
  type OrderedLog,
  type PeerStatus,
  type Replica,
  type ReplicaOutput,
  type ReplicaResponse,
  type ReplicaWords,
  type Role,
  type StateMachine,
  type Term,
  traitsOf,
  writeMove,
} from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";

import type { Driver } from "./driver.ts";
import type { EngineName } from "./engines.ts";
import { HostError } from "./errors.ts";

export type ReadLevel = "linearizable" | "lease" | "local";

export interface GroupStatus {
  readonly name: string;
  /** The engine that the group is on, and how many it has been on. */
  readonly engine: string;
  readonly generation: number;
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

export interface Member {
  readonly node: NodeId;
  /** `promotable`: a learner that votes once it has caught up. `leaving`: votes until the change is over. */
  readonly part: "voter" | "learner" | "promotable" | "leaving";
  /** `HOST:PORT`, or `""` for founders. */
  readonly address: string;
  readonly priority: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

export class Group<Result> {
  readonly name: string;
  private readonly driver: Driver<ReplicaWords<LineageWords, Result>>;
  private readonly replica: Replica<LineageWords, Result>;
  private readonly lineage: Lineage;
  private readonly listeners = new Set<(output: ReplicaOutput) => void>();

  constructor(
    name: string,
    driver: Driver<ReplicaWords<LineageWords, Result>>,
    replica: Replica<LineageWords, Result>,
    lineage: Lineage,
  ) {
    this.name = name;
    this.driver = driver;
    this.replica = replica;
    this.lineage = lineage;
  }

  /** The state machine of this node. For reading only, after {@link whenReadable}. */
  get machine(): StateMachine<Result> {
    return this.replica.machine;
  }

  get log(): OrderedLog<LineageWords> {
    return this.replica.log;
  }

  /** The engine that this node's log is on, and the how manieth. */
  get generation(): Generation {
    return this.lineage.generation;
  }

  get appliedIndex(): Index {
    return this.replica.applied;
  }

  get isLeader(): boolean {
    return this.replica.log.role === "leader";
  }

  /**
   * Executes a command once. The hot path: no promise, and no deadline but the
   * caller's. The command's bytes are handed over.
   */
  submit(command: Uint8Array, onResponse: (response: ReplicaResponse<Result>) => void): void {
    const timeMs = Date.now();
    this.driver.request({ type: "execute", command, timeMs, once: undefined }, onResponse);
  }

  /** Calls back when {@link machine} may be read at `level`, or with a rejection. */
  whenReadable(level: ReadLevel, onResponse: (response: ReplicaResponse<Result>) => void): void {
    this.driver.request({ type: "read", level }, onResponse);
  }

  /**
   * Executes a command once and resolves to its result.
   * @throws HostError `overloaded`, `rejected`, `timeout` (unknown outcome) or `sessionLost`.
   */
  async execute(
    command: Uint8Array,
    { timeoutMs = DEFAULT_TIMEOUT_MS, once }: { timeoutMs?: number; once?: Once } = {},
  ): Promise<Result> {
    const request = { type: "execute", command, timeMs: Date.now(), once } as const;
    const response = await this.ask(request, timeoutMs);
    if (response.type === "executed") return response.result;
    throw failure(response);
  }

  /** Resolves when {@link machine} may be read at `level`. */
  async read(level: ReadLevel, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<void> {
    const response = await this.ask({ type: "read", level }, timeoutMs);
    if (response.type !== "readable") throw failure(response);
  }

  /**
   * Begins a session: a client that repeats a command after an unknown outcome,
   * here or on another node, has it executed once.
   */
  async openSession(timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<ClientSession<Result>> {
    const response = await this.ask({ type: "open", timeMs: Date.now() }, timeoutMs);
    if (response.type !== "opened") throw failure(response);
    return new ClientSession(this, response.session);
  }

  /** Hands leadership to `to`, or to whoever is best suited. Resolves to the new leader. */
  async transfer(to?: NodeId, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<NodeId> {
    const response = await this.ask({ type: "transfer", to }, timeoutMs);
    if (response.type === "transferred") return response.leader;
    throw failure(response);
  }

  /**
   * Changes who takes part: all of `changes`, or nothing. Any node passes it on to
   * the leader. Resolves when the new configuration is committed and rules alone;
   * one change at a time.
   *
   * A new voter is added with `as: "voter"`: it begins as a learner and votes once
   * it has caught up, of which {@link members} and the `configuration` output tell.
   * Its address, `HOST:PORT`, is how the others reach it.
   *
   * @throws HostError `changeRefused` with the reason, `rejected`, or `timeout` (unknown outcome).
   */
  async reconfigure(
    changes: readonly MembershipChange[],
    {
      timeoutMs = DEFAULT_TIMEOUT_MS,
      basedOn,
    }: { readonly timeoutMs?: number; readonly basedOn?: Index } = {},
  ): Promise<readonly Member[]> {
    const response = await this.ask({ type: "reconfigure", changes, basedOn }, timeoutMs);
    if (response.type === "reconfigured") return membersOf(response.configuration);
    throw failure(response);
  }

  /**
   * Moves the group to another engine, at work as it is: the log of the present
   * one ends, and the other's goes on from there. Any node passes it on to the
   * leader. Resolves to the generation that this node has come to; the others
   * follow as they hear of it.
   *
   * @throws HostError `changeRefused` with the reason, `rejected`, or `timeout` (unknown outcome).
   */
  async move(to: EngineName, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Generation> {
    const { number: from } = this.generation;
    const deadlineMs = performance.now() + timeoutMs;
    const response = await this.ask({ type: "seal", data: writeMove({ from, to }) }, timeoutMs);
    // Whoever asks through a follower may hear that the leader is gone: it has moved, maybe.
    const unknown = response.type === "rejected" && !response.definite;
    if (response.type !== "sealed" && !unknown) throw failure(response);
    const arrived = await this.leaves(from, deadlineMs - performance.now());
    if (arrived && this.generation.engine === to) return this.generation;
    throw unknown ? failure(response) : new HostError({ code: "timeout", afterMs: timeoutMs });
  }

  /** Resolves to whether this node goes on in a later generation within that time. */
  private leaves(generation: number, withinMs: number): Promise<boolean> {
    const left = (): boolean => this.generation.number > generation;
    if (left()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stop();
        resolve(left());
      };
      const timer = setTimeout(end, withinMs);
      // Its role is told anew in every generation.
      const stop = this.listen(() => {
        if (left()) end();
      });
    });
  }

  /** Who takes part, as far as this node knows. */
  get members(): readonly Member[] {
    return membersOf(this.log.configuration);
  }

  /** What a leader knows of the others; empty elsewhere. */
  get peers(): readonly PeerStatus[] {
    return this.log.peers;
  }

  /** Tells the log that this node's disk or event loop has become slow, or is well again. */
  reportHealth(slow: boolean): void {
    this.driver.request({ type: "health", slow }, () => {});
  }

  /**
   * Checkpoints the state now, rather than when enough log has gathered, or once the snapshot is
   * here that arrives.
   *
   * @throws HostError `checkpointRefused` if too many wait for that already, or `timeout`.
   */
  async checkpoint(timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Index> {
    const response = await this.ask({ type: "checkpoint" }, timeoutMs);
    if (response.type === "checkpointed") return response.index;
    throw failure(response);
  }

  status(): GroupStatus {
    const { log, applied } = this.replica;
    const { role, term, leader, commitIndex, lastIndex, configuration } = log;
    const { voters, learners } = configuration;
    const { name } = this;
    const { engine, number: generation } = this.generation;
    return {
      name,
      engine,
      generation,
      role,
      term,
      leader,
      commitIndex,
      appliedIndex: applied,
      lastIndex,
      voters,
      learners,
    };
  }

  /** Hears of changes of role, applied entries and restored snapshots. Returns how to stop. */
  listen(listener: (output: ReplicaOutput) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For the node: passes on what the replica says. */
  emit(output: ReplicaOutput): void {
    for (const listener of this.listeners) listener(output);
  }

  private ask(
    request: ReplicaWords<LineageWords, Result>["Request"],
    timeoutMs: number,
  ): Promise<ReplicaResponse<Result>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new HostError({ code: "timeout", afterMs: timeoutMs }));
      }, timeoutMs);
      this.driver.request(request, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
    });
  }
}

/** A client that numbers its commands, one at a time. */
export class ClientSession<Result> {
  readonly id: string;
  private readonly group: Group<Result>;
  private sequence = 0;
  private busy = false;

  constructor(group: Group<Result>, id: string) {
    this.group = group;
    this.id = id;
  }

  /**
   * Executes the next command. After a `timeout`, call again with the same
   * command: it is executed once all the same.
   * @throws HostError as {@link Group.execute}.
   */
  async execute(command: Uint8Array, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<Result> {
    if (this.busy) {
      const reason = "a session executes one command at a time; await the one before";
      throw new HostError({ code: "configuration", reason });
    }
    this.busy = true;
    try {
      const once = { session: this.id, sequence: this.sequence + 1 };
      const result = await this.group.execute(command, { timeoutMs, once });
      this.sequence++;
      return result;
    } finally {
      this.busy = false;
    }
  }
}

function membersOf(configuration: Configuration): readonly Member[] {
  const { voters, learners, promotable } = configuration;
  return allMembers(configuration).map((node) => {
    const { address, priority } = traitsOf(configuration, node);
    const learner = promotable.includes(node) ? "promotable" : "learner";
    const other = learners.includes(node) ? learner : "leaving";
    return { node, part: voters.includes(node) ? "voter" : other, address, priority };
  });
}

function failure(response: ReplicaResponse<unknown>): HostError {
  if (response.type === "sessionLost") return new HostError({ code: "sessionLost" });
  if (response.type === "changeRefused") {
    const { problem, node } = response;
    return new HostError({ code: "changeRefused", problem, node });
  }
  if (response.type === "checkpointRefused") {
    return new HostError({ code: "checkpointRefused", waiting: response.waiting });
  }
  if (response.type === "rejected") {
    const { reason, definite } = response;
    if (reason === "overloaded") return new HostError({ code: "overloaded" });
    return new HostError({ code: "rejected", reason, definite });
  }
  return new HostError({ code: "rejected", reason: response.type, definite: false });
}
