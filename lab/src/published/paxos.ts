/**
 * Single-decree Paxos as the model checker Stateright ships it for an example:
 * servers that are proposer, acceptor and learner in one, asked by clients that
 * each write one value and then read. Messages are a bag without loss or
 * duplication; nothing crashes. The history of the clients' operations is a part
 * of the state, as there, and must be linearizable.
 *
 * This is the published model, kept to be counted. The protocol that runs is in
 * `protocols/consensus/src/paxos`.
 */

import { type Context, type NodeId, type Process, type Speaks, unreachable } from "@quorate/kernel";

import type { History, Model } from "../checker/index.ts";
import { judgeCalls, register } from "../judge/index.ts";
import { callsOf, invoked, NO_OPERATIONS, type Operations, returned } from "./operations.ts";

/** A round and the server that leads it, compared in that order. */
type Ballot = readonly [round: number, server: number];

interface Proposal {
  readonly id: number;
  readonly client: NodeId;
  readonly value: string;
}

/** What an acceptor accepted last. */
interface Accepted {
  readonly ballot: Ballot;
  readonly proposal: Proposal;
}

type Message =
  | { readonly type: "put"; readonly id: number; readonly value: string }
  | { readonly type: "get"; readonly id: number }
  | { readonly type: "putOk"; readonly id: number }
  | { readonly type: "getOk"; readonly id: number; readonly value: string }
  | { readonly type: "prepare"; readonly ballot: Ballot }
  | { readonly type: "prepared"; readonly ballot: Ballot; readonly last: Accepted | undefined }
  | ({ readonly type: "accept" | "decided" } & Accepted)
  | { readonly type: "accepted"; readonly ballot: Ballot };

/** What a client tells of its operations. */
type Report =
  | { readonly type: "invoke"; readonly write: string | undefined }
  /** `read`: what a read saw. */
  | { readonly type: "return"; readonly read: string | undefined };

type Words = Speaks<{ Message: Message; Output: Report }>;
type Ctx = Context<Words>;

class Server implements Process<Words> {
  private ballot: Ballot = [0, 0];
  private proposal: Proposal | undefined;
  private prepares: Map<NodeId, Accepted | undefined> = new Map();
  private accepts: Set<NodeId> = new Set();
  private accepted: Accepted | undefined;
  private isDecided = false;
  private readonly index: number;
  private readonly servers: readonly NodeId[];

  constructor(index: number, servers: readonly NodeId[]) {
    this.index = index;
    this.servers = servers;
  }

  onStart(): void {}

  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    if (this.isDecided) {
      if (message.type !== "get") return;
      const { value } = this.accepted!.proposal;
      return ctx.send(from, { type: "getOk", id: message.id, value });
    }
    switch (message.type) {
      case "put":
        return this.onPut(ctx, { id: message.id, client: from, value: message.value });
      case "prepare":
        if (compare(this.ballot, message.ballot) >= 0) return;
        this.ballot = message.ballot;
        return ctx.send(from, { type: "prepared", ballot: this.ballot, last: this.accepted });
      case "prepared":
        return this.onPrepared(ctx, from, message.ballot, message.last);
      case "accept": {
        const { ballot, proposal } = message;
        if (compare(this.ballot, ballot) > 0) return;
        this.ballot = ballot;
        this.accepted = { ballot, proposal };
        return ctx.send(from, { type: "accepted", ballot });
      }
      case "accepted":
        return this.onAccepted(ctx, from, message.ballot);
      case "decided": {
        const { ballot, proposal } = message;
        this.ballot = ballot;
        this.accepted = { ballot, proposal };
        this.isDecided = true;
        return;
      }
      case "get":
      case "putOk":
      case "getOk":
        return;
      default:
        return unreachable(message);
    }
  }

  private onPut(ctx: Ctx, proposal: Proposal): void {
    if (this.proposal !== undefined) return;
    this.proposal = proposal;
    this.ballot = [this.ballot[0] + 1, this.index];
    this.prepares = new Map([[ctx.self, this.accepted]]);
    this.accepts = new Set();
    this.broadcast(ctx, { type: "prepare", ballot: this.ballot });
  }

  private onPrepared(ctx: Ctx, from: NodeId, ballot: Ballot, last: Accepted | undefined): void {
    if (compare(ballot, this.ballot) !== 0) return;
    this.prepares.set(from, last);
    if (this.prepares.size !== this.majority) return;
    let latest: Accepted | undefined;
    for (const accepted of this.prepares.values()) {
      if (accepted === undefined) continue;
      if (latest === undefined || compare(accepted.ballot, latest.ballot) > 0) latest = accepted;
    }
    const proposal = latest?.proposal ?? this.proposal!;
    this.proposal = proposal;
    this.accepted = { ballot, proposal };
    this.accepts.add(ctx.self);
    this.broadcast(ctx, { type: "accept", ballot, proposal });
  }

  private onAccepted(ctx: Ctx, from: NodeId, ballot: Ballot): void {
    if (compare(ballot, this.ballot) !== 0) return;
    this.accepts.add(from);
    if (this.accepts.size !== this.majority) return;
    this.isDecided = true;
    const proposal = this.proposal!;
    this.broadcast(ctx, { type: "decided", ballot, proposal });
    ctx.send(proposal.client, { type: "putOk", id: proposal.id });
  }

  private broadcast(ctx: Ctx, message: Message): void {
    for (const server of this.servers) if (server !== ctx.self) ctx.send(server, message);
  }

  private get majority(): number {
    return Math.floor(this.servers.length / 2) + 1;
  }
}

function compare(a: Ballot, b: Ballot): number {
  return a[0] - b[0] || a[1] - b[1];
}

/** Writes one value, and reads once that is answered. */
class Client implements Process<Words> {
  private awaiting: number | undefined;
  private operations = 0;
  /** Its place among all nodes: servers come first. */
  private readonly index: number;
  private readonly servers: readonly NodeId[];

  constructor(index: number, servers: readonly NodeId[]) {
    this.index = index;
    this.servers = servers;
  }

  onStart(ctx: Ctx): void {
    const value = String.fromCharCode("A".charCodeAt(0) + this.index - this.servers.length);
    ctx.output({ type: "invoke", write: value });
    ctx.send(this.server(0), { type: "put", id: this.index, value });
    this.awaiting = this.index;
    this.operations = 1;
  }

  onMessage(ctx: Ctx, _from: NodeId, message: Message): void {
    if (message.type === "putOk" && message.id === this.awaiting) {
      ctx.output({ type: "return", read: undefined });
      const id = (this.operations + 1) * this.index;
      ctx.output({ type: "invoke", write: undefined });
      ctx.send(this.server(this.operations), { type: "get", id });
      this.awaiting = id;
      this.operations++;
    } else if (message.type === "getOk" && message.id === this.awaiting) {
      ctx.output({ type: "return", read: message.value });
      this.awaiting = undefined;
      this.operations++;
    }
  }

  private server(turn: number): NodeId {
    return this.servers[(this.index + turn) % this.servers.length]!;
  }
}

/** What the clients did, as far as it decides whether it is linearizable. */
const operations: History<Words, Server | Client, Operations> = {
  initial: NO_OPERATIONS,
  after(history, client, happening) {
    if (happening.type !== "output") return history;
    const { value } = happening;
    return value.type === "invoke"
      ? invoked(history, client, value.write)
      : returned(history, client, value.read);
  },
  broken(history) {
    const { verdict } = judgeCalls(register, callsOf(history));
    return verdict === "linearizable" ? undefined : "the clients' operations are linearizable";
  },
};

/** The model with three servers and so many clients. */
export function paxos(clients: number): Model<Words, Server | Client, Operations> {
  const servers = Object.freeze(["s0", "s1", "s2"]);
  const ids = Array.from({ length: clients }, (_, i) => `c${i}`);
  const nodes = [...servers, ...ids];
  return {
    nodes,
    create(node) {
      const index = nodes.indexOf(node);
      return index < servers.length ? new Server(index, servers) : new Client(index, servers);
    },
    network: "bag",
    history: operations,
    sometimes: {
      "a value is read": ({ messages }) =>
        messages().some(({ message }) => message.type === "getOk"),
    },
  };
}
