/**
 * Reads on their way: asked here or by another replica, confirmed by the leader
 * in rounds that many share, released once the machine has caught up.
 */

import type { NodeId, RequestId } from "@quorate/kernel";

import type { Index } from "../entry.ts";
import type { PlainMessage } from "./words.ts";

type Level = "linearizable" | "lease";

interface Round {
  readonly ids: readonly RequestId[];
  readonly peers: readonly Asker[];
}

/** Questions of other replicas that wait for one round. */
const MAX_ASKERS = 10_000;

/** A replica that asked the leader: its questions are numbered within each of its lives. */
interface Asker {
  readonly peer: NodeId;
  readonly epoch: number;
  readonly round: number;
}

/** The one thing a confirmed round needs of a context. */
interface Answers {
  sendEagerly(to: NodeId, message: Extract<PlainMessage, { type: "readAt" }>): void;
}

export class Reads {
  private asked: { readonly [L in Level]: RequestId[] } = { linearizable: [], lease: [] };
  private peers: Asker[] = [];
  /** Asked of the log, by request number. */
  private readonly begun: Map<RequestId, Round> = new Map();
  /** Asked of the leader, by round. */
  private readonly forwarded: Map<number, readonly RequestId[]> = new Map();
  private rounds = 0;
  /** What `rounds` was when `repeatIfStuck` was last called. */
  private roundsBefore = 0;
  /** Confirmed, and waiting for the machine. */
  private confirmed: { readonly index: Index; readonly ids: readonly RequestId[] }[] = [];
  /** How many local reads wait, wherever they are. */
  size = 0;

  ask(id: RequestId, level: Level): void {
    this.asked[level].push(id);
    this.size++;
  }

  /** Whether so many questions of other replicas wait that no more are taken. */
  get isFull(): boolean {
    return this.peers.length >= MAX_ASKERS;
  }

  askFor(asker: Asker): void {
    this.peers.push(asker);
  }

  wantsRound(leading: boolean): boolean {
    const local = this.asked.linearizable.length > 0 || this.asked.lease.length > 0;
    return local || (leading && this.peers.length > 0);
  }

  hasAsked(level: Level): boolean {
    return this.asked[level].length > 0 || (level === "linearizable" && this.peers.length > 0);
  }

  /** Everyone at `level` joins a request to the log. */
  begin(request: RequestId, level: Level): void {
    const peers = level === "linearizable" ? this.peers.splice(0) : [];
    this.begun.set(request, { ids: this.asked[level].splice(0), peers });
  }

  /** Everyone joins a question to the leader. Returns its round. */
  beginRound(): number {
    const ids = [...this.asked.lease.splice(0), ...this.asked.linearizable.splice(0)];
    this.forwarded.set(++this.rounds, ids);
    return this.rounds;
  }

  /** The log answered a request. */
  readable(ctx: Answers, request: RequestId, index: Index): void {
    const round = this.begun.get(request);
    if (round === undefined) return;
    this.begun.delete(request);
    if (round.ids.length > 0) this.confirmed.push({ index, ids: round.ids });
    for (const { peer, epoch, round: number } of round.peers) {
      ctx.sendEagerly(peer, { type: "readAt", epoch, round: number, index });
    }
  }

  /** The leader answered a round. */
  answered(round: number, index: Index): void {
    const ids = this.forwarded.get(round);
    if (ids === undefined) return;
    this.forwarded.delete(round);
    this.confirmed.push({ index, ids });
  }

  /** The log refused: local readers ask again; other replicas do so of themselves. */
  refused(request: RequestId): void {
    const round = this.begun.get(request);
    if (round === undefined) return;
    this.begun.delete(request);
    this.asked.linearizable.push(...round.ids);
  }

  /** The leader is another, or questions to it may be lost: ask them again, in new rounds. */
  repeat(): void {
    this.repeatThrough(this.rounds);
  }

  /** Called now and then: asks again what was asked before the last time. */
  repeatIfStuck(): void {
    this.repeatThrough(this.roundsBefore);
    this.roundsBefore = this.rounds;
  }

  private repeatThrough(last: number): void {
    for (const [round, ids] of this.forwarded) {
      if (round > last) return;
      this.asked.linearizable.push(...ids);
      this.forwarded.delete(round);
    }
  }

  /** Who may read now that the machine has seen `applied`. */
  takeReadable(applied: Index): readonly RequestId[] {
    if (this.confirmed.length === 0) return [];
    const ready: RequestId[] = [];
    const later: typeof this.confirmed = [];
    for (const round of this.confirmed) {
      if (round.index <= applied) ready.push(...round.ids);
      else later.push(round);
    }
    this.confirmed = later;
    this.size -= ready.length;
    return ready;
  }
}
