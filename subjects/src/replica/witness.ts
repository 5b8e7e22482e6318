/**
 * Watches replicas: every command once, in one order, and answered with its
 * place. Raft's own witness watches the logs inside.
 */

import type {
  RaftWords,
  Replica,
  ReplicaNote,
  ReplicaRequest,
  ReplicaResponse,
  ReplicaWords,
} from "@quorate/consensus";
import { invariant, type NodeId, type Random, utf8 } from "@quorate/kernel";
import type { Broken, Claim, Mark, Settled, Witness, World } from "@quorate/lab";

import { Latest, Tail } from "../tail.ts";
import { KEPT_LINES, type Tape } from "./tape.ts";

export type Words = ReplicaWords<RaftWords, number>;
export type TapeReplica = Replica<RaftWords, number>;

/** Numbered as in protocols/consensus/PROTOCOL.md. */
export const CLAIMS: readonly Claim[] = [
  { id: "S1", text: "the machine sees every committed command, once and in order" },
  { id: "S4", text: "a read sees all that was answered before it was asked" },
  { id: "L2", text: "a command is answered with its own result" },
  { id: "L4", text: "what was refused for good has no effect and never will" },
];

export const MARKS: readonly Mark[] = [
  { name: "executed", text: "a command is executed and answered" },
  { name: "forwarded", text: "a command is answered by a node that does not lead" },
  { name: "read", text: "a linearizable read is answered" },
  { name: "lease-read", text: "a read that trusts clocks is answered" },
  { name: "checkpoint", text: "a replica offers its state in place of its log" },
  { name: "snapshot-sent", text: "a lagging replica is sent a snapshot" },
  { name: "snapshot-failed", text: "a snapshot does not arrive" },
  { name: "restored", text: "a replica goes on from a snapshot" },
  { name: "session", text: "a session is opened" },
  { name: "repeated", text: "a command of a session is asked twice and executed once" },
  { name: "recovered", text: "a replica starts with a state from its disk" },
];

type Pending =
  | {
      readonly type: "execute";
      readonly node: NodeId;
      readonly command: string;
      readonly again: boolean;
    }
  | {
      readonly type: "read";
      readonly node: NodeId;
      readonly lease: boolean;
      readonly floor: number;
    }
  | { readonly type: "other"; readonly node: NodeId };

interface Session {
  readonly name: string;
  sequence: number;
  /** The command asked last, to be asked again. */
  command: string;
}

export class ReplicaWitness implements Witness<Words, TapeReplica> {
  private readonly world: World<Words, TapeReplica>;
  private readonly leases: boolean;
  /** What was executed first at each place; the tapes themselves are cut sooner. */
  private readonly tape: Tail<string> = new Tail(2 * KEPT_LINES);
  private readonly places: Latest<string, number> = new Latest(4 * KEPT_LINES);
  private readonly seen: Map<NodeId, number> = new Map();
  private readonly pending: Map<number, Pending> = new Map();
  private readonly refused: Latest<string, true> = new Latest(2 * KEPT_LINES);
  private readonly up: Set<NodeId> = new Set();
  private session: Session | undefined;
  /** Places below this were answered to somebody. */
  private floor = 0;

  constructor(world: World<Words, TapeReplica>, leases: boolean) {
    this.world = world;
    this.leases = leases;
  }

  started(node: NodeId, replica: TapeReplica): void {
    this.up.add(node);
    this.seen.set(node, 0);
    if (replica.applied > 0) this.world.mark("recovered");
  }

  stopped(node: NodeId): void {
    this.up.delete(node);
  }

  noted(_node: NodeId, note: Words["Note"]): void {
    const marks: { readonly [K in ReplicaNote["type"]]: string } = {
      checkpoint: "checkpoint",
      snapshotSending: "",
      snapshotSent: "snapshot-sent",
      snapshotFailed: "snapshot-failed",
      restored: "restored",
    };
    // Notes of the log inside have types of their own.
    const mark = (marks as { readonly [type: string]: string | undefined })[note.type] ?? "";
    if (mark !== "") this.world.mark(mark);
  }

  stepped(node: NodeId, replica: TapeReplica): Broken | undefined {
    const tape = replica.machine as Tape;
    const { length } = tape;
    const seen = this.seen.get(node)!;
    if (length === seen) return undefined;
    if (length < seen) {
      return { claim: "S1", text: `${node} had executed ${seen} commands, and now ${length}` };
    }
    this.seen.set(node, length);
    for (let at = Math.max(seen, tape.first); at < length; at++) {
      const broken = this.executed(node, at, tape.at(at)!);
      if (broken !== undefined) return broken;
    }
    return undefined;
  }

  private executed(node: NodeId, at: number, command: string): Broken | undefined {
    if (this.tape.hasForgotten(at + 1)) return undefined;
    const first = this.tape.at(at + 1);
    if (first !== undefined) {
      if (first === command) return undefined;
      return {
        claim: "S1",
        text: `${node} executes ${command} at ${at}, where ${first} was executed`,
      };
    }
    const before = this.places.get(command);
    if (before !== undefined) {
      return { claim: "S1", text: `${node} executes ${command} at ${before} and again at ${at}` };
    }
    this.tape.push(command);
    this.places.set(command, at);
    if (!this.refused.has(command)) return undefined;
    return { claim: "L4", text: `${node} executes ${command}, which was refused for good` };
  }

  ask(op: number, dice: Random, node: NodeId): ReplicaRequest {
    const draw = dice.below(100);
    if (draw < 3) return this.other(op, node, { type: "transfer", to: undefined });
    if (draw < 6) return this.other(op, node, { type: "checkpoint" });
    if (draw < 8) return this.other(op, node, { type: "open", timeMs: op });
    if (draw < 35) {
      const lease = this.leases && dice.chance(1, 2);
      this.pending.set(op, { type: "read", node, lease, floor: this.floor });
      return { type: "read", level: lease ? "lease" : "linearizable" };
    }
    const { session } = this;
    if (session !== undefined && dice.chance(1, 3)) return this.inSession(op, dice, node, session);
    return this.execute(op, node, `x${op}`, undefined);
  }

  private other(op: number, node: NodeId, request: ReplicaRequest): ReplicaRequest {
    this.pending.set(op, { type: "other", node });
    return request;
  }

  /** The next command of the session, or the last one once more. */
  private inSession(op: number, dice: Random, node: NodeId, session: Session): ReplicaRequest {
    const again = session.sequence > 0 && dice.chance(1, 2);
    if (!again) {
      session.sequence++;
      session.command = `s${op}`;
    }
    const once = { session: session.name, sequence: session.sequence };
    return this.execute(op, node, session.command, once, again);
  }

  private execute(
    op: number,
    node: NodeId,
    command: string,
    once: { readonly session: string; readonly sequence: number } | undefined,
    again: boolean = false,
  ): ReplicaRequest {
    this.pending.set(op, { type: "execute", node, command, again });
    return { type: "execute", command: utf8(command), timeMs: op, once };
  }

  answered(op: number, response: ReplicaResponse<number>): Settled {
    const asked = this.pending.get(op);
    invariant(asked !== undefined, "what is answered was asked");
    this.pending.delete(op);
    switch (response.type) {
      case "executed":
        return this.wrote(asked, response.result);
      case "readable":
        return this.read(asked);
      case "opened":
        this.world.mark("session");
        this.session = { name: response.session, sequence: 0, command: "" };
        return { type: "served" };
      case "rejected":
        // In a session the command may have been executed when it was asked before.
        if (asked.type === "execute" && response.definite && asked.command.startsWith("x")) {
          this.refused.set(asked.command, true);
        }
        return { type: "refused", elsewhere: response.leader };
      case "sessionLost":
        this.session = undefined;
        return { type: "refused", elsewhere: undefined };
      default:
        return { type: "served" };
    }
  }

  private wrote(asked: Pending, place: number): Settled {
    const there = this.tape.at(place + 1);
    if (asked.type !== "execute" || there !== asked.command) {
      const what = asked.type === "execute" ? asked.command : asked.type;
      const text = `${asked.node} answers ${what} with place ${place}, which holds ${there ?? "nothing"}`;
      return { type: "broken", broken: { claim: "L2", text } };
    }
    this.world.mark("executed");
    if (asked.again) this.world.mark("repeated");
    if (this.world.process(asked.node)?.log.role !== "leader") this.world.mark("forwarded");
    this.floor = Math.max(this.floor, place + 1);
    return { type: "served" };
  }

  private read(asked: Pending): Settled {
    if (asked.type !== "read") return { type: "served" };
    this.world.mark(asked.lease ? "lease-read" : "read");
    const sees = this.seen.get(asked.node) ?? 0;
    if (sees < asked.floor) {
      const text = `${asked.node} lets a read see ${sees} commands, though ${asked.floor} were answered before it was asked`;
      return { type: "broken", broken: { claim: "S4", text } };
    }
    this.floor = Math.max(this.floor, sees);
    return { type: "served" };
  }

  abandoned(op: number): void {
    this.pending.delete(op);
  }

  leaders(): readonly NodeId[] {
    const leading = [...this.up].filter((node) => this.world.process(node)?.log.role === "leader");
    // Who leads a later term rules.
    return leading.toSorted((a, b) => this.term(b) - this.term(a));
  }

  private term(node: NodeId): number {
    return this.world.process(node)?.log.term ?? 0;
  }

  leaseHolders(): readonly NodeId[] {
    return this.leaders();
  }

  missing(core: readonly NodeId[]): string | undefined {
    if (!this.leaders().some((node) => core.includes(node))) return "nobody leads";
    for (const node of core) {
      if (!this.up.has(node)) return `${node} is down`;
      const executed = this.seen.get(node)!;
      if (executed !== this.tape.last) {
        return `${node} has executed ${executed} of ${this.tape.last} commands`;
      }
    }
    return undefined;
  }
}
