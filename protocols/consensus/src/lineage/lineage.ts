/**
 * One log made of several: it moves from engine to engine while it is in use.
 * The idea is the stop-sign of Stoppable Paxos (Lamport, Malkhi & Zhou 2008) and
 * OmniPaxos (Ng, Haridi & Carbone 2023, §6): the last entry of one protocol's log
 * says who goes on, nothing that comes after it in that log counts, and the next
 * log begins where it stands. Here what goes on is another engine, with the same
 * members (PROTOCOL.md D13, L8).
 *
 * The layer above sees one log. The seal of a move is an entry without effect,
 * indices go on, terms go up. Every word of an engine is said with the number of
 * its generation, so none is heard by another; those of the first look as if
 * there were no others. Rules G1–G8 are those of PROTOCOL.md.
 *
 * It does not make the engines agree on anything but the seal, and it does not
 * take anything back: to move back is to move once more.
 */

import { invariant, type NodeId, type Position, type RequestId } from "@quorate/kernel";

import type { Configuration, Entry, Generation, Index, SnapshotMeta, Term } from "../entry.ts";
import type { ChangeProblem } from "../membership.ts";
import type {
  LogOutput,
  LogRequest,
  LogWords,
  OrderedLog,
  PeerStatus,
  Role,
} from "../ordered-log.ts";
import { members } from "../quorum.ts";
import {
  Branch,
  type Ctx,
  FIRST,
  Hurried,
  plainMeta,
  recordOf,
  timerParts,
  voice,
} from "./branch.ts";
import { type Move, readMove } from "./move.ts";
import type { LineageConfig, LineageMessage, LineageRecord, LineageWords } from "./words.ts";

/**
 * A generation's first term is this much above its seal's. A log that was sealed
 * may still elect leaders, for those who lag; their terms stay below.
 */
const TERMS_APART = 1000;
/** No generation's: those have numbers from 1 on. */
const LINGER = "0:linger";
const LINGER_MS = 1000;
/** So long a generation that lingers is left to bring on by itself a member that lags in it. */
const PATIENCE_MS = 3000;
/** So many turns does a generation linger for members that have not reached its end. */
const LINGER_TURNS = 60;

type Inner = Extract<LineageMessage, { type: "inner" }>;
type Committed = Extract<LogOutput, { type: "committed" }>;

export class Lineage implements OrderedLog<LineageWords> {
  private readonly config: LineageConfig;
  /** Oldest first. The last counts; the others linger for members that lag. */
  private branches: Branch[];
  /** Nothing is known of any generation here: this node waits to be told of one. */
  private isUnborn: boolean;
  /** Something was recovered. */
  private isRecovered = false;
  /** The layer above was told everything up to here, or knows it from a snapshot. */
  private told: Index = 0;
  /** Recovered entries after `told` that a seal on this disk proves to be committed. */
  private untold: Entry[] = [];
  /** Members, and the generations that they have reached, durably. */
  private readonly reached: Map<NodeId, number> = new Map();
  /** Local time since when a member is known to lag in the generation that it reached. */
  private readonly lagging: Map<NodeId, number> = new Map();
  private slow = false;
  /** The current generation has ended with this entry; the next begins when the step is over. */
  private due: { readonly index: Index; readonly engine: string } | undefined;

  /** @throws RangeError if the first engine is not among the makers. */
  constructor(config: LineageConfig) {
    const { engine, initial, makers } = config;
    if (makers[engine] === undefined) throw new RangeError(`there is no engine "${engine}"`);
    this.config = Object.freeze(config);
    this.branches = [this.make({ number: FIRST, engine }, 0)];
    this.isUnborn = initial.voters.length === 0;
  }

  /** The one that counts. */
  private get current(): Branch {
    return this.branches.at(-1)!;
  }

  get generation(): Generation {
    return this.current.generation;
  }

  get role(): Role {
    return this.current.log.role;
  }

  get term(): Term {
    return this.current.log.term;
  }

  get leader(): NodeId | undefined {
    return this.current.log.leader;
  }

  get commitIndex(): Index {
    return this.current.log.commitIndex;
  }

  get lastIndex(): Index {
    return this.current.log.lastIndex;
  }

  get configuration(): Configuration {
    return this.current.log.configuration;
  }

  get configurationIndex(): Index {
    return this.current.log.configurationIndex;
  }

  get peers(): readonly PeerStatus[] {
    return this.current.log.peers;
  }

  get damaged(): ReadonlySet<Index> | undefined {
    return this.current.log.damaged;
  }

  /** The logs that take part in anything, oldest first: for whoever watches their promises. */
  get logs(): readonly { readonly generation: Generation; readonly log: OrderedLog<LogWords> }[] {
    return this.branches;
  }

  // Recovery.

  recover(record: LineageRecord): void {
    switch (record.type) {
      case "inner":
        // What a generation wrote that lingered beyond a checkpoint has nothing to stand on (G7).
        this.recovered(record.generation)?.log.recover?.(record.record);
        break;
      case "begin": {
        const { generation, seal } = record;
        this.prove(this.current, seal.index);
        this.succeed(generation, seal);
        break;
      }
      case "snapshot": {
        const branch = this.recovered(record.meta.generation ?? this.generation);
        invariant(branch !== undefined, "a snapshot is of a generation that counts");
        branch.log.recover?.({ type: "snapshot", meta: plainMeta(record.meta) });
        branch.isFinal ||= record.meta.sealed;
        this.told = record.meta.index;
        this.untold = [];
      }
    }
    this.isRecovered = true;
    this.isUnborn = false;
  }

  /** The branch that a record is of; the first record of all says which there is. */
  private recovered(generation: Generation): Branch | undefined {
    const { number } = generation;
    if (!this.isRecovered || number > this.generation.number) {
      this.branches = [this.make(generation, 0)];
    }
    return this.branches.find((branch) => branch.generation.number === number);
  }

  /** What is on disk up to a seal that was committed is committed; whoever told the old log is gone, maybe (G4). */
  private prove(branch: Branch, seal: Index): void {
    const first = this.told + this.untold.length + 1;
    if (first > seal) return;
    const entries = branch.log.entries(first, seal);
    this.untold = [...this.untold, ...entries.slice(0, -1), hidden(entries.at(-1)!)];
  }

  private make(generation: Generation, start: Index): Branch {
    const { initial, makers } = this.config;
    const maker = makers[generation.engine];
    invariant(maker !== undefined, `this release knows the engine "${generation.engine}"`);
    const founding = generation.number === FIRST ? initial : { voters: [] };
    return new Branch(this, generation, maker.create(founding), start);
  }

  /** The current generation has ended with the entry that `seal` describes: another counts from here. */
  private succeed(generation: Generation, seal: SnapshotMeta): Branch {
    this.current.end = seal.index;
    const branch = this.make(generation, seal.index);
    const meta = { ...seal, term: seal.term + TERMS_APART, sealed: false };
    branch.log.recover?.({ type: "snapshot", meta });
    this.branches.push(branch);
    return branch;
  }

  // Steps.

  onStart(ctx: Ctx): void {
    const { engine } = this.config;
    if (this.generation.engine !== engine) {
      ctx.note({ type: "otherEngine", set: engine, found: this.generation.engine });
    }
    if (this.isUnborn) return;
    if (this.untold.length > 0) {
      const entries = this.untold;
      const index = this.told + 1;
      this.untold = [];
      this.told += entries.length;
      ctx.outputEagerly({ type: "committed", index, entries });
    }
    for (const branch of this.branches) branch.log.onStart(voice(ctx, branch));
    if (this.branches.length > 1) ctx.setTimer(LINGER, LINGER_MS);
  }

  onMessage(ctx: Ctx, from: NodeId, message: LineageMessage): void {
    if (message.type === "at") return this.onAt(ctx, from, message);
    const branch = this.branchOf(message.generation.number);
    if (branch === undefined || this.isUnborn) return this.onStrange(ctx, from, message);
    if (branch.generation.engine === message.generation.engine) {
      branch.log.onMessage(voice(ctx, branch), from, message.message);
      return this.moveIfDue(ctx);
    }
    ctx.note({ type: "engineDiffers", peer: from, generation: message.generation });
  }

  onTimer(ctx: Ctx, name: string): void {
    if (name === LINGER) return this.onLinger(ctx);
    const [number, timer] = timerParts(name);
    const branch = this.branchOf(number);
    if (branch !== undefined) branch.log.onTimer?.(voice(ctx, branch), timer);
    this.moveIfDue(ctx);
  }

  onDurable(ctx: Ctx, position: Position): void {
    if (this.isUnborn) return;
    for (const branch of this.branches) branch.log.onDurable?.(voice(ctx, branch), position);
    this.moveIfDue(ctx);
  }

  onIdle(ctx: Ctx): void {
    if (this.isUnborn) return;
    for (const branch of this.branches) branch.log.onIdle?.(voice(ctx, branch));
    this.moveIfDue(ctx);
  }

  onUnreachable(ctx: Ctx, peer: NodeId): void {
    if (this.isUnborn) return;
    for (const branch of this.branches) branch.log.onUnreachable?.(voice(ctx, branch), peer);
    this.moveIfDue(ctx);
  }

  onRequest(ctx: Ctx, id: RequestId, request: LogRequest): void {
    switch (request.type) {
      case "install":
        return this.install(ctx, id, request.meta);
      case "snapshotSent":
        for (const branch of this.branches) {
          // Whoever was sent a state of later has the whole of an earlier log, and of a later one nothing.
          const index = Math.min(request.index, branch.end ?? Infinity);
          if (index >= branch.start) this.ask(ctx, branch, id, { ...request, index });
        }
        return;
      case "health":
        this.slow = request.slow;
        for (const branch of this.branches) this.ask(ctx, branch, id, request);
        return;
      case "snapshotFailed":
        for (const branch of this.branches) this.ask(ctx, branch, id, request);
        return;
      case "seal": {
        const move = readMove(request.data);
        const problem = move === undefined ? undefined : this.whyNot(move);
        if (problem !== undefined) {
          return ctx.reply(id, { type: "changeRefused", problem, node: undefined });
        }
        return this.ask(ctx, this.current, id, request);
      }
      default:
        return this.ask(ctx, this.current, id, request);
    }
  }

  private ask(ctx: Ctx, branch: Branch, id: RequestId, request: LogRequest): void {
    const { type } = request;
    if (this.isUnborn) {
      if (type === "snapshotSent" || type === "snapshotFailed" || type === "health") return;
      const leader = undefined;
      return ctx.reply(id, { type: "rejected", reason: "notLeader", leader, definite: true });
    }
    if (type === "read" || type === "transfer" || type === "reconfigure" || type === "seal") {
      branch.asked.set(id, type);
    }
    branch.log.onRequest?.(voice(ctx, branch), id, request);
    this.moveIfDue(ctx);
  }

  /** Why a move is refused that a leader could make (G1). */
  private whyNot({ from, to }: Move): ChangeProblem | undefined {
    if (this.role !== "leader") return undefined;
    if (this.config.makers[to] === undefined) return "unknownEngine";
    if (from !== this.generation.number) return "outdated";
    return to === this.generation.engine ? "sameEngine" : undefined;
  }

  // What a branch says.

  hear(ctx: Ctx, branch: Branch, value: LogOutput): void {
    // A member that lags in an earlier generation is sent the state as it is now.
    if (value.type === "snapshotWanted") return ctx.outputEagerly(value);
    if (branch !== this.current) return;
    if (value.type === "committed") {
      // Nothing after the seal of a move counts (L8).
      return this.due === undefined ? this.onCommitted(ctx, branch, value) : undefined;
    }
    if (value.type !== "installed") return ctx.outputEagerly(value);
    const { generation } = branch;
    this.told = value.meta.index;
    branch.isFinal ||= value.meta.sealed;
    ctx.output({ type: "installed", meta: { ...value.meta, generation } });
  }

  private onCommitted(ctx: Ctx, branch: Branch, { index, entries }: Committed): void {
    const at = branch.isFinal ? -1 : entries.findIndex(({ kind }) => kind === "seal");
    const move = at < 0 ? undefined : readMove(entries[at]!.data);
    branch.isFinal ||= at >= 0 && move === undefined;
    if (move === undefined) {
      this.told += entries.length;
      return ctx.outputEagerly({ type: "committed", index, entries });
    }
    this.told += at + 1;
    const shown = [...entries.slice(0, at), hidden(entries[at]!)];
    this.due = { index: index + at, engine: move.to };
    ctx.outputEagerly({ type: "committed", index, entries: shown });
  }

  /**
   * The seal of a move is committed: the next engine goes on after it (G2). Only
   * once the step is over, so that everything before the seal is written before
   * the record that relies on it (G4).
   */
  private moveIfDue(ctx: Ctx): void {
    if (this.due === undefined) return;
    // A log may tell of what it writes only when its turn is over.
    this.current.log.onIdle?.(voice(ctx, this.current));
    const { index, engine } = this.due;
    this.due = undefined;
    const { log, generation: before } = this.current;
    const seal = log.snapshotMeta(index);
    const led = log.role === "leader";
    const branch = this.succeed({ number: before.number + 1, engine }, seal);
    const { generation } = branch;
    ctx.persist({ type: "begin", generation, seal });
    ctx.note({ type: "moved", generation, index });
    ctx.setTimer(LINGER, LINGER_MS);
    this.begin(ctx, branch, led);
  }

  /** Starts the log that counts from now on, and tells everyone that this node has it. */
  private begin(ctx: Ctx, branch: Branch, led: boolean): void {
    branch.log.onStart(led ? Hurried.of(ctx, branch) : voice(ctx, branch));
    // No answer comes to this, so any number will do.
    if (this.slow) this.ask(ctx, branch, 0, { type: "health", slow: true });
    const { configuration, configurationIndex: index, role, term, leader } = branch.log;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed: true });
    ctx.outputEagerly({ type: "role", role, term, leader });
    for (const peer of members(configuration)) this.sayWhere(ctx, peer, false);
  }

  // Generations of others.

  /** A word of a generation that this node does not run. */
  private onStrange(ctx: Ctx, from: NodeId, message: Inner): void {
    const { number } = message.generation;
    if (!this.isUnborn || number !== FIRST) return this.sayWhere(ctx, from, false);
    // Whoever joins learns from the others which engine the cluster was founded on.
    this.isUnborn = false;
    this.branches = [this.make({ ...message.generation }, 0)];
    this.current.log.onStart(voice(ctx, this.current));
    this.onMessage(ctx, from, message);
  }

  /** `send` waits until the beginning of the generation is durable: others rely on it (G5). */
  private sayWhere(ctx: Ctx, to: NodeId, asks: boolean): void {
    if (to === ctx.self) return;
    const generation = this.isUnborn ? 0 : this.generation.number;
    ctx.send(to, { type: "at", generation, asks });
  }

  private onAt(
    ctx: Ctx,
    from: NodeId,
    { generation, asks }: Extract<LineageMessage, { type: "at" }>,
  ): void {
    const known = this.reached.get(from) ?? 0;
    if (generation > known) {
      this.reached.set(from, generation);
      this.lagging.delete(from);
    }
    const own = this.isUnborn ? 0 : this.generation.number;
    if (asks || generation > own) this.sayWhere(ctx, from, false);
    if (generation < own && generation >= known) this.help(ctx, from, generation);
  }

  /** A member is in an earlier generation: its log brings it here, or else a snapshot must (G6). */
  private help(ctx: Ctx, to: NodeId, generation: number): void {
    if (this.role !== "leader" || !members(this.configuration).includes(to)) return;
    const since = this.lagging.get(to) ?? ctx.now;
    this.lagging.set(to, since);
    const leader = this.branchOf(generation)?.log.leader;
    // That log may have a leader, and that one may wait for a snapshot which nobody sends any more.
    if (leader !== undefined && ctx.now - since < PATIENCE_MS) return;
    const sources = [ctx.self];
    ctx.outputEagerly({ type: "snapshotWanted", to, atLeast: this.told, sources });
  }

  private install(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
    const { generation = this.generation, index } = meta;
    const own = this.isUnborn ? 0 : this.generation.number;
    if (generation.number === own) {
      return this.ask(ctx, this.current, id, { type: "install", meta: plainMeta(meta) });
    }
    const known = this.config.makers[generation.engine] !== undefined;
    if (generation.number < own || !known || index <= this.told) {
      const { leader } = this;
      return ctx.reply(id, { type: "rejected", reason: "stale", leader, definite: true });
    }
    for (const branch of this.branches) this.retire(ctx, branch);
    ctx.persist({ type: "snapshot", meta });
    this.recover({ type: "snapshot", meta });
    ctx.note({ type: "moved", generation, index });
    ctx.output({ type: "installed", meta });
    ctx.reply(id, { type: "installed" });
    this.begin(ctx, this.current, false);
  }

  // Lingering.

  private onLinger(ctx: Ctx): void {
    const behind = members(this.configuration).filter(
      (node) => node !== ctx.self && (this.reached.get(node) ?? 0) < this.generation.number,
    );
    const last = Math.min(...behind.map((node) => this.reached.get(node) ?? 0));
    const over = this.branches.filter((branch) => {
      if (branch === this.current) return false;
      return branch.generation.number < last || ++branch.turns > LINGER_TURNS;
    });
    for (const branch of over) this.retire(ctx, branch);
    this.branches = this.branches.filter((branch) => !over.includes(branch));
    if (this.branches.length === 1) return;
    for (const node of behind) this.sayWhere(ctx, node, true);
    ctx.setTimer(LINGER, LINGER_MS);
  }

  /** Nobody is served by it any more: whoever still waits for its answers is told so (G8). */
  private retire(ctx: Ctx, branch: Branch): void {
    for (const [id, type] of branch.asked) {
      const { leader } = this;
      const definite = type === "read";
      ctx.reply(id, { type: "rejected", reason: "lostLeadership", leader, definite });
    }
    branch.asked.clear();
    ctx.note({ type: "retired", generation: branch.generation });
  }

  // Snapshots.

  entries(first: Index, last: Index): readonly Entry[] {
    return this.current.log.entries(first, last);
  }

  snapshotMeta(index: Index): SnapshotMeta {
    return { ...this.current.log.snapshotMeta(index), generation: this.generation };
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    this.current.log.compact(plainMeta(meta), keepBytes, Math.max(keepAfter, this.current.start));
  }

  image(meta: SnapshotMeta): readonly LineageRecord[] {
    const records = this.current.log.image(plainMeta(meta));
    return records.map((record) => recordOf(this.generation, record));
  }

  private branchOf(number: number): Branch | undefined {
    if (number === this.generation.number) return this.current;
    return this.branches.find((branch) => branch.generation.number === number);
  }
}

/** An entry that moved the log, as the layer above sees it. */
function hidden({ term }: Entry): Entry {
  return { term, kind: "noop", data: new Uint8Array(0) };
}
