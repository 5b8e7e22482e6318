/**
 * One node of a cluster: its data directory, its log, its connections, and the
 * replicated groups that share them.
 */

import { createHash } from "node:crypto";

import {
  lan,
  Raft,
  type RaftConfig,
  raftMessageCodec,
  raftRecordCodec,
  type RaftWords,
  Replica,
  REPLICA_DEFAULTS,
  type ReplicaConfig,
  replicaMessageCodec,
  replicaRecordCodec,
  type ReplicaWords,
  type StateMachine,
} from "@quorate/consensus";
import { type Codec, decode, type NodeId, type Reader } from "@quorate/kernel";
import { DataDirectory, type Wal } from "@quorate/storage";

import { Driver, type SharedLog } from "./driver.ts";
import { HostError } from "./errors.ts";
import { Group } from "./group.ts";
import { DirectoryBook } from "./known-directories.ts";
import { createLogger, type Logger } from "./logging.ts";
import { NodeMetrics } from "./metrics.ts";
import { type Address, type PeerTls, Transport } from "./transport/transport.ts";
import { Turn } from "./turn.ts";

export interface NodeOptions {
  readonly name: NodeId;
  /** Every voting member and where it listens for the others, this node included. */
  readonly members: ReadonlyMap<NodeId, Address>;
  /** Where this node listens for the others, if not at its own address in `members`. */
  readonly listen?: Address;
  /** Tells clusters with the same members apart. */
  readonly clusterToken?: string;
  readonly dataDir: string;
  readonly tls?: PeerTls | undefined;
  readonly logger?: Logger;
  /** Something made the node stop: it has, and says why. */
  readonly onFatal: (error: unknown) => void;
}

export interface GroupOptions<Result> {
  /** Between 1 and 1,000; the same on every node, for ever. */
  readonly id: number;
  readonly name: string;
  readonly machine: StateMachine<Result>;
  readonly raft?: Partial<Omit<RaftConfig, "initial">>;
  readonly replica?: Partial<ReplicaConfig>;
}

/** What the node does with every group, whatever its results are. */
interface Hosted {
  readonly group: Group<unknown>;
  recover(record: Uint8Array): void;
  start(): void;
  stop(): void;
  onDurable(place: number): void;
  unreachable(peer: NodeId): void;
  accept(from: NodeId, reader: Reader): void;
}

const FRAME_BYTES = 64 << 20;

export class Node {
  readonly name: NodeId;
  readonly clusterId: string;
  readonly metrics: NodeMetrics = new NodeMetrics();
  readonly turn: Turn = new Turn();
  readonly logger: Logger;

  private readonly options: NodeOptions;
  private readonly hosted = new Map<number, Hosted>();
  private directory: DataDirectory | undefined;
  private wal: Wal | undefined;
  private transport: Transport | undefined;
  private state: "new" | "running" | "stopped" = "new";
  /** Members that refused this node before any welcomed it in this life. */
  private readonly refusers = new Set<NodeId>();
  private welcomed = false;
  /** Drivers are made before the log is open; they find it here. */
  private readonly log: SharedLog = {
    append: (group, record) => this.openLog().append(group, record),
    flush: () => this.openLog().flush(),
    checkpoint: (group, records) => this.openLog().checkpoint(group, records),
  };

  /** @throws HostError if the options contradict each other. */
  constructor(options: NodeOptions) {
    if (!options.members.has(options.name)) {
      const reason = `${options.name} is not among the members ${[...options.members.keys()].join(", ")}`;
      throw new HostError({ code: "configuration", reason });
    }
    this.options = options;
    this.name = options.name;
    this.clusterId = clusterId(options.members, options.clusterToken ?? "quorate");
    this.logger = options.logger ?? createLogger(options.name, "silent");
    this.metrics.observeGroups(() => this.groups);
  }

  get groups(): readonly Group<unknown>[] {
    return [...this.hosted.values()].map(({ group }) => group);
  }

  /** Whether this node can send to each other member. */
  get peers(): ReadonlyMap<NodeId, boolean> {
    const links = this.transport?.links ?? new Map<NodeId, { isUp: boolean }>();
    return new Map([...links].map(([peer, link]) => [peer, link.isUp]));
  }

  /** Hosts a replicated state machine. Before {@link start}. */
  replicate<Result>(options: GroupOptions<Result>): Group<Result> {
    if (this.state !== "new" || this.hosted.has(options.id)) {
      const reason = `group ${options.id} cannot be added: groups have ids of their own and come before start`;
      throw new HostError({ code: "configuration", reason });
    }
    const voters = [...this.options.members.keys()].toSorted();
    const initial = { voters, outgoing: [], learners: [] };
    const raft = new Raft({ ...lan(initial), ...options.raft });
    const config = { ...REPLICA_DEFAULTS, ...options.replica };
    const replica = new Replica<RaftWords, Result>(raft, options.machine, config);
    const messages = replicaMessageCodec<RaftWords>(raftMessageCodec);
    const records = replicaRecordCodec<RaftWords>(raftRecordCodec);
    const logger = this.logger.child({ group: options.name });
    const driver: Driver<ReplicaWords<RaftWords, Result>> = new Driver({
      self: this.name,
      group: options.id,
      process: replica,
      messages,
      records,
      log: this.log,
      transport: { send: (to, id, codec, message) => this.transport?.send(to, id, codec, message) },
      turn: this.turn,
      onOutput: (output) => group.emit(output),
      onNote: (note) => {
        const fact = note.type === "log" ? note.note : note;
        this.metrics.noted(options.name, fact.type);
        logger.info(fact, fact.type);
      },
      onFatal: (error) => this.fail(error),
      stopped: { type: "rejected", reason: "stopped", leader: undefined, definite: false },
    });
    const group: Group<Result> = new Group(options.name, driver, replica);
    this.hosted.set(options.id, hosted(driver, group, messages, records));
    return group;
  }

  /**
   * Opens the data directory, recovers, and joins the others.
   * @throws StorageError for a directory that is in use, damaged or another node's.
   * @throws HostError if the address is taken.
   */
  async start(): Promise<Address> {
    const { name, clusterId, options } = this;
    const owner = { clusterId, nodeId: name };
    const directory = await DataDirectory.open({ path: options.dataDir, ...owner });
    this.directory = directory;
    try {
      this.wal = await directory.openWal(
        {
          onDurable: (place) => this.onDurable(place),
          onFailure: (error) => this.fail(error),
          onSync: (durationMs) => this.metrics.syncSeconds.observe(durationMs / 1000),
        },
        (group, record) => this.hosted.get(group)?.recover(record),
      );
      this.metrics.observeLog(this.wal);
      const address = await this.join(directory);
      this.state = "running";
      for (const each of this.hosted.values()) each.start();
      this.transport?.connect();
      return address;
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  /** Hands leadership over, then stops. Nothing acknowledged is lost; safe to call twice. */
  async stop({ graceMs = 1000 }: { graceMs?: number } = {}): Promise<void> {
    if (this.state === "running" && this.options.members.size > 1) {
      const leading = this.groups.filter((group) => group.isLeader);
      // Best effort: without a successor in time the others elect one by themselves.
      await Promise.allSettled(leading.map((group) => group.transfer(undefined, graceMs)));
    }
    this.state = "stopped";
    for (const each of this.hosted.values()) each.stop();
    await this.release();
  }

  private async join(directory: DataDirectory): Promise<Address> {
    const { name, clusterId, options, turn, logger } = this;
    const own = options.listen ?? options.members.get(name)!;
    const peers = new Map([...options.members].filter(([peer]) => peer !== name));
    const transport = new Transport({
      identity: { node: name, cluster: clusterId, directory: directory.identity.directoryId },
      listen: own,
      peers,
      known: new DirectoryBook(options.dataDir),
      turn,
      tls: options.tls,
      frameBytes: FRAME_BYTES,
      onPeer: (peer, state) => {
        logger.debug({ peer, state }, "peer");
        if (state === "up") this.welcomed = true;
        if (state === "unreachable")
          for (const each of this.hosted.values()) each.unreachable(peer);
      },
      onRefused: (peer, { reason, text }) => {
        logger.error({ peer, reason }, text);
        // The others remember what this directory has forgotten: it must not take part.
        const forgotten =
          reason === "replacedDirectory" && text.includes(directory.identity.directoryId);
        if (forgotten || this.isOutcast(peer)) {
          this.fail(new HostError({ code: "refused", peer, reason: text }));
        }
      },
      onMisbehaviour: (from, what) => logger.warn({ from }, what),
    });
    this.transport = transport;
    for (const [id, each] of this.hosted) transport.register(id, each);
    this.metrics.observeTransport(transport);
    return transport.listen();
  }

  /**
   * Whether so many members refuse a node that just started that it can be part of no
   * majority. One refusal may be the refuser's mistake and must not stop the others; nor
   * must members that were reconfigured stop one that has been at work.
   */
  private isOutcast(peer: NodeId): boolean {
    this.refusers.add(peer);
    const { size } = this.options.members;
    return !this.welcomed && size - this.refusers.size <= size >> 1;
  }

  private onDurable(place: number): void {
    for (const each of this.hosted.values()) each.onDurable(place);
  }

  private fail(error: unknown): void {
    if (this.state === "stopped") return;
    this.state = "stopped";
    for (const each of this.hosted.values()) each.stop();
    this.logger.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    this.options.onFatal(error);
  }

  private async release(): Promise<void> {
    // Each is given up whatever becomes of the others; the directory last, it holds the lock.
    const closed = await Promise.allSettled([this.transport?.close(), this.wal?.close()]);
    closed.push(...(await Promise.allSettled([this.directory?.close()])));
    for (const result of closed) {
      if (result.status === "rejected")
        this.logger.error({ err: result.reason as unknown }, "closing");
    }
    this.transport = undefined;
    this.wal = undefined;
    this.directory = undefined;
  }

  private openLog(): Wal {
    if (this.wal === undefined) throw new HostError({ code: "stopped" });
    return this.wal;
  }
}

function hosted<Result>(
  driver: Driver<ReplicaWords<RaftWords, Result>>,
  group: Group<Result>,
  messages: Codec<ReplicaWords<RaftWords, Result>["Message"]>,
  records: Codec<ReplicaWords<RaftWords, Result>["Record"]>,
): Hosted {
  return {
    // Results are only produced by a group, so a group of some result is one of unknown result
    // as far as status and listeners go, which is all the node uses.
    group: group as unknown as Group<unknown>,
    // What is decoded refers to the bytes, which are the log's to reuse.
    recover: (record) => driver.recover(decode(records, record.slice())),
    start: () => driver.start(),
    stop: () => driver.stop(),
    onDurable: (place) => driver.onDurable(place),
    unreachable: (peer) => driver.unreachable(peer),
    accept: (from, reader) => driver.receive(from, messages.read(reader)),
  };
}

/** The same for every node that was told of the same members. */
function clusterId(members: ReadonlyMap<NodeId, Address>, token: string): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([token, [...members.keys()].toSorted()]));
  return hash.digest("hex").slice(0, 16);
}
