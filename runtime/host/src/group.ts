/**
 * A replicated state machine as its users on this node see it: execute a
 * command exactly once, read at three levels, hand leadership over.
 *
 * @example
 * const group = node.replicate({ id: 1, name: "journal", machine: new Journal() });
 * await node.start();
 * const line = await group.execute(new TextEncoder().encode("hello"));
 */

import type {
  Index,
  Once,
  OrderedLog,
  RaftWords,
  Replica,
  ReplicaOutput,
  ReplicaResponse,
  ReplicaWords,
  Role,
  StateMachine,
  Term,
} from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";

import type { Driver } from "./driver.ts";
import { HostError } from "./errors.ts";

export type ReadLevel = "linearizable" | "lease" | "local";

export interface GroupStatus {
  readonly name: string;
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly lastIndex: Index;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
}

const DEFAULT_TIMEOUT_MS = 10_000;

export class Group<Result> {
  readonly name: string;
  private readonly driver: Driver<ReplicaWords<RaftWords, Result>>;
  private readonly replica: Replica<RaftWords, Result>;
  private readonly listeners = new Set<(output: ReplicaOutput) => void>();

  constructor(
    name: string,
    driver: Driver<ReplicaWords<RaftWords, Result>>,
    replica: Replica<RaftWords, Result>,
  ) {
    this.name = name;
    this.driver = driver;
    this.replica = replica;
  }

  /** The state machine of this node. For reading only, after {@link whenReadable}. */
  get machine(): StateMachine<Result> {
    return this.replica.machine;
  }

  get log(): OrderedLog<RaftWords> {
    return this.replica.log;
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

  /** Checkpoints the state now, rather than when enough log has gathered. */
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
    return {
      name,
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
    request: ReplicaWords<RaftWords, Result>["Request"],
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

function failure(response: ReplicaResponse<unknown>): HostError {
  if (response.type === "sessionLost") return new HostError({ code: "sessionLost" });
  if (response.type === "rejected") {
    const { reason, definite } = response;
    if (reason === "overloaded") return new HostError({ code: "overloaded" });
    return new HostError({ code: "rejected", reason, definite });
  }
  return new HostError({ code: "rejected", reason: response.type, definite: false });
}
