/**
 * Anti-entropy with deltas (Almeida, Shoker and Baquero, _Delta state
 * replicated data types_, 2018, algorithm 2) as a process on the kernel's
 * contract: keeps the replicas of one value the same over a network that
 * loses, repeats and reorders, and over crashes.
 *
 * - What is edited in a turn is one delta: written down, sent to all, and kept
 *   among the recent ones. A delta names what its sender had seen before; who
 *   has not seen that merges nothing and says what it has seen (D01). So values
 *   grow in causal order everywhere.
 * - From time to time a node tells another what it has seen. The other sends
 *   what is lacking: recent deltas, or the whole state if they do not reach
 *   back far enough.
 * - What was said to have been seen is on that node's disk (K4). What all have
 *   seen is stable, and garbage is collected up to there. A dead node stops
 *   that until it is evicted.
 * - A node without memory edits nothing before it has heard from another, lest
 *   it act without knowing what is stable. One that hears of its own future
 *   goes on as another actor.
 */

import { type Actor, Incarnations, type VersionVector } from "@quorate/clocks";
import {
  type Context,
  invariant,
  type NodeId,
  type Process,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import { CrdtError } from "../errors.ts";
import { Replica } from "../replica.ts";
import { type Type } from "../types/type.ts";
import { Recent } from "./recent.ts";
import { type SyncMessage, type SyncRecord, type SyncRequest, type SyncWords } from "./words.ts";

export interface SyncConfig {
  /** Pause between two questions to others, and as much again for jitter. Bounds how late a lost delta arrives. */
  readonly gossipMs: number;
  /** Deltas kept for those who lack some. A node that was away for longer gets the whole state. */
  readonly recentBytes: number;
  /** The log is replaced by the state when it is so many times as long, and longer than `recentBytes`. */
  readonly checkpointFactor: number;
  /** Where this process's disk is, as `Incarnations` asks: a copy of it has another. */
  readonly place: string;
}

export const SYNC_DEFAULTS: SyncConfig = Object.freeze({
  gossipMs: 1_000,
  recentBytes: 1 << 20,
  checkpointFactor: 4,
  place: "",
});

/** How a command is carried out. Frozen: it is shared by copies of the process. */
export interface Editor<Handle, Command> {
  apply(handle: Handle, command: Command): void;
}

type Ctx<Command, Value> = Context<SyncWords<Command, Value>>;

const NONCES = 2 ** 32;

export class DeltaSync<Value, Handle, Command> implements Process<SyncWords<Command, Value>> {
  private readonly type: Type<Value, Handle>;
  private readonly editor: Editor<Handle, Command>;
  private readonly config: SyncConfig;
  private readonly incarnations: Incarnations;
  /** The others that are counted on. */
  private peers: readonly NodeId[];

  private replica: Replica<Value, Handle> | undefined = undefined;
  private readonly recent: Recent;
  /** What was seen when the last change was made or merged. */
  private shared: VersionVector | undefined = undefined;
  /** Whether this node may edit. */
  private joined = false;
  /** Edits whose delta has yet to be written down. */
  private waiting: RequestId[] = [];
  /** Of each peer, what it has seen and this node has, too. */
  private readonly seen: Map<NodeId, VersionVector> = new Map();
  /** When each peer was last asked because of a gap. */
  private readonly askedMs: Map<NodeId, number> = new Map();
  private logBytes = 0;

  /**
   * @param self - This node's name, without `~`.
   * @param peers - The other nodes.
   */
  constructor(
    type: Type<Value, Handle>,
    editor: Editor<Handle, Command>,
    self: NodeId,
    peers: readonly NodeId[],
    config: SyncConfig = SYNC_DEFAULTS,
  ) {
    invariant(Object.isFrozen(editor), "an editor is frozen");
    this.type = type;
    this.editor = editor;
    this.incarnations = new Incarnations(self);
    this.peers = peers.filter((peer) => peer !== self);
    this.config = config;
    this.recent = new Recent(config.recentBytes);
  }

  recover(record: SyncRecord): void {
    switch (record.type) {
      case "actor":
        this.incarnations.recover(record.incarnation);
        return this.become(this.incarnations.actor);
      case "merged":
        this.joined = true;
        this.logBytes += record.bytes.length;
        return this.mine.recover(record.bytes);
      default:
        return unreachable(record);
    }
  }

  onStart(ctx: Ctx<Command, Value>): void {
    const nonce = ctx.choose(NONCES);
    const actor = this.incarnations.start(disk(ctx), this.config.place, nonce);
    this.become(actor);
    this.shared = this.mine.version;
    if (this.peers.length === 0) this.joined = true;
    for (const peer of this.peers) this.ask(ctx, peer);
    this.armGossip(ctx);
  }

  onRequest(ctx: Ctx<Command, Value>, id: RequestId, request: SyncRequest<Command>): void {
    switch (request.type) {
      case "edit":
        if (!this.joined) return ctx.reply(id, { type: "joining" });
        this.mine.mutate((handle) => this.editor.apply(handle, request.command), request.wallMs);
        this.waiting.push(id);
        return;
      case "read":
        return ctx.reply(id, { type: "value", value: this.mine.value });
      case "evict":
        this.peers = this.peers.filter((peer) => peer !== request.node);
        this.seen.delete(request.node);
        return ctx.reply(id, { type: "evicted" });
      default:
        return unreachable(request);
    }
  }

  /** What was edited in this turn is one change. */
  onIdle(ctx: Ctx<Command, Value>): void {
    const bytes = this.mine.delta();
    if (bytes !== undefined) {
      const after = this.note(ctx, bytes);
      for (const peer of this.peers) ctx.send(peer, { type: "delta", after, bytes });
    }
    for (const id of this.waiting.splice(0)) {
      ctx.reply(id, { type: "edited", version: this.mine.version });
    }
  }

  onMessage(ctx: Ctx<Command, Value>, from: NodeId, message: SyncMessage): void {
    // One that is not counted on may not know what is stable: it comes back as a new node.
    if (!this.peers.includes(from)) return;
    switch (message.type) {
      case "delta":
        if (this.mine.version.includes(message.after)) return this.merge(ctx, from, message.bytes);
        ctx.note({ type: "gap", from });
        return this.askOnce(ctx, from);
      case "state":
        this.merge(ctx, from, message.bytes);
        return this.join(ctx);
      case "digest":
        return this.onDigest(ctx, from, message.version, message.answer);
      default:
        return unreachable(message);
    }
  }

  onTimer(ctx: Ctx<Command, Value>): void {
    if (this.peers.length > 0) this.ask(ctx, this.peers[ctx.choose(this.peers.length)]!);
    this.collect(ctx);
    this.shorten(ctx);
    this.armGossip(ctx);
  }

  /** The value as it is here and now. */
  get value(): Value {
    return this.mine.value;
  }

  get version(): VersionVector {
    return this.mine.version;
  }

  private onDigest(
    ctx: Ctx<Command, Value>,
    from: NodeId,
    theirs: VersionVector,
    answer: boolean,
  ): void {
    if (theirs.get(this.mine.actor) > this.mine.version.get(this.mine.actor)) this.renew(ctx);
    const ours = this.mine.version;
    if (ours.includes(theirs)) {
      this.seen.set(from, theirs.merge(this.seen.get(from) ?? theirs));
      if (answer) this.join(ctx);
    }
    if (!answer) ctx.send(from, { type: "digest", version: ours, answer: true });
    else if (!ours.includes(theirs)) this.askOnce(ctx, from);
    if (!theirs.includes(ours)) this.supply(ctx, from, theirs);
  }

  /** Sends what another lacks. */
  private supply(ctx: Ctx<Command, Value>, to: NodeId, theirs: VersionVector): void {
    const changes = this.recent.since(theirs);
    if (changes === undefined) {
      const bytes = this.mine.encode();
      ctx.note({ type: "sentState", to, bytes: bytes.length });
      return ctx.send(to, { type: "state", bytes });
    }
    for (const { after, bytes } of changes) ctx.send(to, { type: "delta", after, bytes });
  }

  private merge(ctx: Ctx<Command, Value>, from: NodeId, bytes: Uint8Array): void {
    try {
      if (!this.mine.merge(bytes)) return;
    } catch (error) {
      if (!(error instanceof CrdtError)) throw error;
      ctx.note({ type: "refused", from, code: error.code });
      if (error.code === "duplicateActor") {
        this.renew(ctx);
        this.ask(ctx, from);
      }
      return;
    }
    this.note(ctx, bytes);
    ctx.output({ type: "changed" });
  }

  /** Writes a change down and keeps it for others. Returns what had been seen before it. */
  private note(ctx: Ctx<Command, Value>, bytes: Uint8Array): VersionVector {
    const after = this.shared!;
    ctx.persist({ type: "merged", bytes });
    this.logBytes += bytes.length;
    this.recent.add({ after, bytes });
    this.shared = this.mine.version;
    return after;
  }

  private join(ctx: Ctx<Command, Value>): void {
    if (this.joined) return;
    this.joined = true;
    ctx.note({ type: "joined" });
  }

  private ask(ctx: Ctx<Command, Value>, peer: NodeId): void {
    ctx.send(peer, { type: "digest", version: this.mine.version, answer: false });
  }

  /** Asks, but not for every one of many deltas behind one gap. */
  private askOnce(ctx: Ctx<Command, Value>, peer: NodeId): void {
    const lastMs = this.askedMs.get(peer);
    if (lastMs !== undefined && ctx.now < lastMs + this.config.gossipMs / 4) return;
    this.askedMs.set(peer, ctx.now);
    this.ask(ctx, peer);
  }

  /** Collects what all peers have seen. The first by name does it for all: the others hear of it. */
  private collect(ctx: Ctx<Command, Value>): void {
    if (this.peers.some((peer) => peer < ctx.self)) return;
    let frontier = this.mine.version;
    for (const peer of this.peers) {
      const theirs = this.seen.get(peer);
      if (theirs === undefined) return;
      frontier = frontier.meet(theirs);
    }
    const entries = this.mine.stable(frontier);
    if (entries > 0) ctx.note({ type: "collected", entries });
  }

  /** Replaces a log that has grown long. */
  private shorten(ctx: Ctx<Command, Value>): void {
    const { recentBytes, checkpointFactor } = this.config;
    if (this.logBytes < recentBytes) return;
    const bytes = this.mine.encode();
    if (this.logBytes < bytes.length * checkpointFactor) return;
    this.logBytes = bytes.length;
    const incarnation = this.incarnations.current!;
    ctx.checkpoint([
      { type: "actor", incarnation },
      { type: "merged", bytes },
    ]);
  }

  /** Somebody acts, or has acted, under this node's actor: it goes on under another. */
  private renew(ctx: Ctx<Command, Value>): void {
    // What was edited in this turn is still of the old one.
    this.onIdle(ctx);
    const actor = this.incarnations.renew(disk(ctx), ctx.choose(NONCES));
    this.become(actor);
    ctx.note({ type: "renewed", actor });
  }

  private become(actor: Actor): void {
    const { replica } = this;
    if (replica?.actor === actor) return;
    this.replica =
      replica === undefined
        ? new Replica(this.type, actor)
        : Replica.decode(this.type, actor, replica.encode());
  }

  private armGossip(ctx: Ctx<Command, Value>): void {
    ctx.setTimer("gossip", this.config.gossipMs, this.config.gossipMs);
  }

  private get mine(): Replica<Value, Handle> {
    invariant(this.replica !== undefined, "a process is started before it is used");
    return this.replica;
  }
}

/** A context as incarnations see it. */
function disk<Command, Value>(
  ctx: Ctx<Command, Value>,
): { persist(incarnation: Extract<SyncRecord, { type: "actor" }>["incarnation"]): void } {
  return { persist: (incarnation) => void ctx.persist({ type: "actor", incarnation }) };
}
