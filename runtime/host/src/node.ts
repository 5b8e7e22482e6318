/**
 * One node of a cluster: its data directory, its log, its connections, and the
 * replicated groups that share them.
 */

import { createHash } from "node:crypto";

import {
  lineageMessageCodec,
  lineageRecordCodec,
  type LineageWords,
  members,
  Replica,
  REPLICA_DEFAULTS,
  type ReplicaConfig,
  replicaMessageCodec,
  replicaRecordCodec,
  replicaStandIn,
  type ReplicaWords,
  type StateMachine,
  traitsOf,
} from "@quorate/consensus";
import { type Codec, decode, MalformedInput, type NodeId, type Reader } from "@quorate/kernel";
import { DataDirectory, type Wal } from "@quorate/storage";

import { Driver, type SharedLog } from "./driver.ts";
import { type EngineName, engines, lineage, lineageStandIn, type LogSettings } from "./engines.ts";
import { HostError } from "./errors.ts";
import { Group } from "./group.ts";
import { HealthWatch } from "./health.ts";
import { DirectoryBook } from "./known-directories.ts";
import { createLogger, type Logger } from "./logging.ts";
import { NodeMetrics } from "./metrics.ts";
import { sentence } from "./notes.ts";
import type { Departure } from "./transport/handshake.ts";
import { type Address, parseAddress, type PeerTls, Transport } from "./transport/transport.ts";
import { Turn } from "./turn.ts";
import { isVacancy } from "./vacancy.ts";

export interface NodeOptions {
  readonly name: NodeId;
  /**
   * Members and where they listen for the others, this node included. Once the
   * log knows better it is asked; a node that joins needs enough of them to be found.
   */
  readonly members: ReadonlyMap<NodeId, Address>;
  /**
   * Who founded the cluster: the same on every node, for ever. All of `members`,
   * if left out. A node that is not among them joins: it waits to be added by
   * {@link Group.reconfigure} on another.
   */
  readonly founders?: readonly NodeId[];
  /** Where this node listens for the others, if not at its own address in `members`. */
  readonly listen?: Address;
  /** Tells clusters with the same members apart. */
  readonly clusterToken?: string;
  readonly dataDir: string;
  readonly tls?: PeerTls | undefined;
  /**
   * A node whose disk or event loop takes longer again and again is slow: it hands
   * leadership over to one that is not. Half of an election timeout by default.
   */
  readonly slowMs?: number;
  readonly logger?: Logger;
  /** Something made the node stop: it has, and says why. */
  readonly onFatal: (error: unknown) => void;
}

export interface GroupOptions<Result> {
  /** Between 1 and 1,000; the same on every node, for ever. */
  readonly id: number;
  readonly name: string;
  readonly machine: StateMachine<Result>;
  /**
   * Which protocol agrees on the order of commands when the cluster is founded;
   * `raft` unless told. The same on every founder. Later the data says which
   * ({@link Group.move}), whatever stands here.
   */
  readonly engine?: EngineName | undefined;
  readonly log?: LogSettings;
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
/** How often the event loop is watched. */
const HEALTH_MS = 200;
/** How long a write or the event loop may take, if {@link NodeOptions.slowMs} does not say. */
const SLOW_MS = 250;
/** How long a member that has left is still talked to. */
const FAREWELL_MS = 1000;

export class Node {
  readonly name: NodeId;
  readonly clusterId: string;
  readonly metrics: NodeMetrics = new NodeMetrics();
  readonly turn: Turn = new Turn();
  readonly logger: Logger;

  private readonly founders: readonly NodeId[];
  private readonly options: NodeOptions;
  private readonly hosted = new Map<number, Hosted>();
  private directory: DataDirectory | undefined;
  private wal: Wal | undefined;
  private transport: Transport | undefined;
  private readonly health: HealthWatch;
  private healthTimer: NodeJS.Timeout | undefined;
  private state: "new" | "running" | "stopped" = "new";
  /** Members that refused this node before any welcomed it in this life. */
  private readonly refusers = new Set<NodeId>();
  private welcomed = false;
  /** Drivers are made before the log is open; they find it here. */
  private readonly log: SharedLog = {
    append: (group, record, standIn) => {
      const place = this.openLog().append(group, record, standIn);
      this.health.written(place);
      return place;
    },
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
    this.health = new HealthWatch(options.slowMs ?? SLOW_MS, () => performance.now());
    this.founders = (options.founders ?? [...options.members.keys()]).toSorted();
    this.clusterId = clusterId(this.founders, options.clusterToken ?? "quorate");
    this.logger = options.logger ?? createLogger(options.name, "silent");
    this.metrics.observeGroups(() => this.groups);
  }

  private get isFounder(): boolean {
    return this.founders.includes(this.name);
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
    const initial = { voters: this.isFounder ? this.founders : [] };
    const log = lineage(options.engine ?? "raft", initial, options.log ?? {});
    const config = { ...REPLICA_DEFAULTS, ...options.replica };
    const replica = new Replica<LineageWords, Result>(log, options.machine, config);
    const messages = replicaMessageCodec<LineageWords>(lineageMessageCodec(engines));
    const records = replicaRecordCodec<LineageWords>(lineageRecordCodec(engines));
    const logger = this.logger.child({ group: options.name });
    const driver: Driver<ReplicaWords<LineageWords, Result>> = new Driver({
      self: this.name,
      group: options.id,
      process: replica,
      messages,
      records,
      standIn: replicaStandIn<LineageWords>(lineageStandIn),
      log: this.log,
      transport: { send: (to, id, codec, message) => this.transport?.send(to, id, codec, message) },
      turn: this.turn,
      onOutput: (output) => {
        if (output.type === "configuration") this.onMembers(output.committed);
        group.emit(output);
      },
      onNote: (note) => {
        const fact = note.type === "log" ? note.note : note;
        this.metrics.noted(options.name, fact.type);
        logger.info(fact, sentence(fact) ?? fact.type);
      },
      onFatal: (error) => this.fail(error),
      stopped: { type: "rejected", reason: "stopped", leader: undefined, definite: false },
    });
    const group: Group<Result> = new Group(options.name, driver, replica, log);
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
      if (this.departure(name) === "certain") throw new HostError({ code: "removed", node: name });
      this.checkDamage(this.wal.statistics.recordsLost);
      this.metrics.observeLog(this.wal);
      const address = await this.join(directory);
      this.state = "running";
      for (const each of this.hosted.values()) each.start();
      this.transport?.connect();
      this.watchHealth();
      return address;
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  /** Hands leadership over, then stops. Nothing acknowledged is lost; safe to call twice. */
  async stop({ graceMs = 1000 }: { graceMs?: number } = {}): Promise<void> {
    if (this.state === "running" && this.peerAddresses().size > 0) {
      const leading = this.groups.filter((group) => group.isLeader);
      // Best effort: without a successor in time the others elect one by themselves.
      await Promise.allSettled(leading.map((group) => group.transfer(undefined, graceMs)));
    }
    this.state = "stopped";
    for (const each of this.hosted.values()) each.stop();
    await this.release();
  }

  /** Entries that were lost are sent again by others. @throws HostError if there are none. */
  private checkDamage(records: number): void {
    if (records > 0) {
      this.logger.warn({ records }, "damaged records in the log; what they held is fetched again");
    }
    for (const { name, log } of this.groups) {
      const entries = log.damaged?.size ?? 0;
      if (entries === 0 || members(log.configuration).length !== 1) continue;
      throw new HostError({ code: "beyondRepair", group: name, entries });
    }
  }

  private async join(directory: DataDirectory): Promise<Address> {
    const { name, clusterId, options, turn, logger } = this;
    const own = options.listen ?? options.members.get(name)!;
    const peers = this.peerAddresses();
    const transport = new Transport({
      identity: { node: name, cluster: clusterId, directory: directory.identity.directoryId },
      listen: own,
      peers,
      known: new DirectoryBook(options.dataDir),
      departure: (node) => this.departure(node),
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
        // One that joins is refused until it is added.
        if (this.joins && reason === "unknownNode") return logger.debug({ peer }, text);
        if (reason === "leavingNode") return logger.info({ peer }, text);
        logger.error({ peer, reason }, text);
        // The others remember what this directory has forgotten: it must not take part.
        const forgotten =
          reason === "replacedDirectory" && text.includes(directory.identity.directoryId);
        // A removal that one member knows to be committed is final for all: names do not come back.
        if (reason === "removedNode") this.fail(new HostError({ code: "removed", node: name }));
        else if (forgotten || this.isOutcast(peer))
          this.fail(new HostError({ code: "refused", peer, reason: text }));
      },
      onMisbehaviour: (from, what) => logger.warn({ from }, what),
    });
    this.transport = transport;
    for (const [id, each] of this.hosted) transport.register(id, each);
    this.metrics.observeTransport(transport);
    return transport.listen();
  }

  /** Whom this node talks to: the members that its logs name, or those it was told of. */
  private peerAddresses(): ReadonlyMap<NodeId, Address> {
    const { members: told } = this.options;
    const addresses = new Map<NodeId, Address>();
    const informed = this.groups.filter(({ log }) => log.configuration.voters.length > 0);
    // A node that joins is let in by those it was told of, until it hears who they all are.
    const configurations = informed.map(({ log }) => log.configuration);
    const named =
      configurations.length === 0 ? told.keys() : configurations.flatMap((one) => members(one));
    for (const peer of named) {
      if (peer === this.name || isVacancy(peer)) continue;
      const traits = configurations.map((one) => traitsOf(one, peer).address);
      const address = parseAddress(traits.find((one) => one !== "")) ?? told.get(peer);
      if (address !== undefined) addresses.set(peer, address);
    }
    return addresses;
  }

  /** Whether it has yet to hear who the members are. */
  private get joins(): boolean {
    return this.groups.every(({ log }) => log.configuration.voters.length === 0);
  }

  /** Follows a change of membership. */
  private onMembers(committed: boolean): void {
    const { transport } = this;
    if (transport === undefined) return;
    for (const [peer, address] of this.peerAddresses()) transport.admit(peer, address);
    // Whoever left is told so by what is still on its way to it; and a leader that leaves hands over.
    const timer = setTimeout(() => {
      transport.retain(this.peerAddresses());
      if (committed && this.departure(this.name) === "certain")
        this.fail(new HostError({ code: "removed", node: this.name }));
    }, FAREWELL_MS);
    timer.unref();
  }

  /** Whether every group does without a node, as far as this one knows. */
  private departure(name: NodeId): Departure {
    const { groups } = this;
    const gone = groups.filter(({ log }) => log.configuration.removed.includes(name));
    if (groups.length === 0 || gone.length < groups.length) return undefined;
    // Until it is committed the removal may be taken back, and the node be needed for that.
    const isCertain = gone.every(({ log }) => log.configurationIndex <= log.commitIndex);
    return isCertain ? "certain" : "pending";
  }

  /**
   * Whether so many members refuse a node that just started that it can be part of no
   * majority. One refusal may be the refuser's mistake and must not stop the others; nor
   * must members that were reconfigured stop one that has been at work.
   */
  private isOutcast(peer: NodeId): boolean {
    if (this.joins) return false;
    this.refusers.add(peer);
    const size = this.peerAddresses().size + 1;
    return !this.welcomed && size - this.refusers.size <= size >> 1;
  }

  /** Watches disk and event loop, and tells the groups when their node has become slow. */
  private watchHealth(): void {
    let before = performance.now();
    let ticks = 0;
    this.healthTimer = setInterval(() => {
      const now = performance.now();
      this.health.observe(now - before - HEALTH_MS);
      before = now;
      if (++ticks % (1000 / HEALTH_MS) !== 0) return;
      const slow = this.health.judge();
      if (slow === undefined) return;
      this.logger.warn({ slow }, slow ? "disk or event loop has become slow" : "well again");
      for (const group of this.groups) group.reportHealth(slow);
    }, HEALTH_MS);
    this.healthTimer.unref();
  }

  private onDurable(place: number): void {
    this.health.durable(place);
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
    clearInterval(this.healthTimer);
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
  driver: Driver<ReplicaWords<LineageWords, Result>>,
  group: Group<Result>,
  messages: Codec<ReplicaWords<LineageWords, Result>["Message"]>,
  records: Codec<ReplicaWords<LineageWords, Result>["Record"]>,
): Hosted {
  return {
    // Results are only produced by a group, so a group of some result is one of unknown result
    // as far as status and listeners go, which is all the node uses.
    group: group as unknown as Group<unknown>,
    // What is decoded refers to the bytes, which are the log's to reuse.
    recover: (record) => driver.recover(decodeOwn(group.name, records, record.slice())),
    start: () => driver.start(),
    stop: () => driver.stop(),
    onDurable: (place) => driver.onDurable(place),
    unreachable: (peer) => driver.unreachable(peer),
    accept: (from, reader) => driver.receive(from, messages.read(reader)),
  };
}

/** @throws HostError for a whole record that no engine of this release wrote. */
function decodeOwn<T>(group: string, records: Codec<T>, record: Uint8Array): T {
  try {
    return decode(records, record);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    const reason = `the data of ${group} was written by another release, or by an engine that this one does not know (${error.message})`;
    throw new HostError({ code: "configuration", reason });
  }
}

/** The same for every node that was told of the same members. */
function clusterId(founders: readonly NodeId[], token: string): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([token, founders]));
  return hash.digest("hex").slice(0, 16);
}
