/**
 * One gossiping node on a bench: a test speaks for everybody else, lets time
 * pass, and sees all that the node says.
 */

import assert from "node:assert/strict";

import type { Context, NodeId, RequestId } from "@quorate/kernel";

import { lan, type SwimConfig } from "./config.ts";
import { type MemberRecord, type Name, VERSIONS } from "./member.ts";
import type { Alive, Message, Part } from "./messages.ts";
import { plainWire } from "./plain-wire.ts";
import { type SerfConfig, serfDefaults } from "./serf/config.ts";
import type { SerfMessage } from "./serf/messages.ts";
import { Serf } from "./serf/serf.ts";
import { Swim } from "./swim/swim.ts";
import type { GossipWords, Note, Output, Record, Request, Response, Timer } from "./words.ts";

export const NOTHING: Uint8Array = new Uint8Array(0);

export function aliveMessage(node: Name, incarnation = 1, changes: Partial<Alive> = {}): Alive {
  const meta = plainWire.packTags({});
  return { type: "alive", node, address: node, incarnation, meta, versions: VERSIONS, ...changes };
}

export class Rig<P extends Swim = Swim> implements Context<GossipWords> {
  readonly self: NodeId = "a";
  now = 0;
  node: P;
  said: { readonly to: NodeId; readonly message: Message }[] = [];
  outputs: Output[] = [];
  notes: Note[] = [];
  records: Record[] = [];
  answers: Map<RequestId, Response> = new Map();
  /** When each is due. */
  timers: Map<Timer, number> = new Map();
  /** What `choose` returns next; 0 when empty. */
  choices: number[] = [];
  private requests: RequestId = 0;

  constructor(node: P) {
    this.node = node;
    this.node.onStart(this);
  }

  // What the world does.

  hear(from: NodeId, ...parts: readonly Part[]): void {
    this.node.onMessage(this, from, { type: "packet", parts, checksum: false });
  }

  hearStream(from: NodeId, message: Message): void {
    this.node.onMessage(this, from, message);
  }

  /** Members that this node has heard of, from themselves. */
  meet(...names: readonly Name[]): void {
    for (const name of names) this.hear(name, aliveMessage(name));
  }

  ask(request: Request): RequestId {
    const id = ++this.requests;
    this.node.onRequest(this, id, request);
    return id;
  }

  /** Fires an armed timer at its time. */
  fire(timer: Timer): void {
    const due = this.timers.get(timer);
    assert.ok(due !== undefined, `${timer} is armed`);
    this.now = Math.max(this.now, due);
    this.timers.delete(timer);
    this.node.onTimer(this, timer);
  }

  /** Lets time pass, firing what comes due, in order. */
  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const [next] = [...this.timers].toSorted(([, a], [, b]) => a - b);
      if (next === undefined || next[1] > until) break;
      this.fire(next[0]);
    }
    this.now = until;
  }

  // What it said.

  /** Parts of packets to `to`, or to anyone, since the last look. */
  take(to?: NodeId): readonly Part[] {
    const taken = this.said.filter((said) => to === undefined || said.to === to);
    this.said = this.said.filter((said) => !taken.includes(said));
    return taken.flatMap(({ message }) => (message.type === "packet" ? message.parts : []));
  }

  /** Of one type, in packets to `to` or anyone; the rest is forgotten. */
  parts<T extends Part["type"]>(type: T, to?: NodeId): readonly (Part & { readonly type: T })[] {
    // The filter is what the type says.
    return this.take(to).filter((part) => part.type === type) as (Part & { readonly type: T })[];
  }

  streams(): readonly { readonly to: NodeId; readonly message: Message }[] {
    const taken = this.said.filter(({ message }) => message.type !== "packet");
    this.said = this.said.filter((said) => !taken.includes(said));
    return taken;
  }

  /** The target of the ping that is under way, once a probe begins. */
  probe(): { readonly node: Name; readonly seq: number; readonly parts: readonly Part[] } {
    this.take();
    this.fire("probe");
    const parts = this.take();
    const ping = parts.find((part) => part.type === "ping");
    assert.ok(ping?.type === "ping", "a probe pings");
    return { node: ping.node, seq: ping.seq, parts };
  }

  state(name: Name): MemberRecord["state"] | undefined {
    return this.node.member(name)?.state;
  }

  noted<T extends Note["type"]>(type: T): readonly (Note & { readonly type: T })[] {
    // The filter is what the type says.
    return this.notes.filter((note) => note.type === type) as (Note & { readonly type: T })[];
  }

  put<T extends Output["type"]>(type: T): readonly (Output & { readonly type: T })[] {
    // The filter is what the type says.
    return this.outputs.filter((output) => output.type === type) as (Output & {
      readonly type: T;
    })[];
  }

  // The context.

  send(to: NodeId, message: Message): void {
    this.said.push({ to, message });
  }

  sendEagerly(to: NodeId, message: Message): void {
    this.said.push({ to, message });
  }

  persist(record: Record): number {
    return this.records.push(record);
  }

  checkpoint(records: Iterable<Record>): void {
    this.records = [...records];
  }

  setTimer(timer: Timer, delayMs: number): void {
    this.timers.set(timer, this.now + delayMs);
  }

  cancelTimer(timer: Timer): void {
    this.timers.delete(timer);
  }

  reply(id: RequestId, response: Response): void {
    this.answers.set(id, response);
  }

  replyEagerly(id: RequestId, response: Response): void {
    this.answers.set(id, response);
  }

  output(value: Output): void {
    this.outputs.push(value);
  }

  outputEagerly(value: Output): void {
    this.outputs.push(value);
  }

  note(observation: Note): void {
    this.notes.push(observation);
  }

  choose(count: number): number {
    const choice = this.choices.shift() ?? 0;
    assert.ok(choice < count);
    return choice;
  }
}

/** A node `a` of membership alone, which knows the others named. */
export function swimRig(others: readonly Name[], settings: Partial<SwimConfig> = {}): Rig {
  const rig = new Rig(new Swim(lan({ name: "a", wire: plainWire, ...settings })));
  rig.meet(...others);
  rig.take();
  return rig;
}

export function serfRig(others: readonly Name[], settings: Partial<SerfConfig> = {}): Rig<Serf> {
  const rig = new Rig(new Serf(serfDefaults(lan({ name: "a", wire: plainWire }), settings)));
  rig.meet(...others);
  rig.take();
  return rig;
}

export function say(rig: Rig<Serf>, body: SerfMessage, from = "b"): void {
  rig.hear(from, { type: "user", body });
}

/** Bodies of Serf's messages said to `to`, or to anyone. */
export function bodies(rig: Rig<Serf>, to?: string): readonly SerfMessage[] {
  return rig.parts("user", to).map(({ body }) => body);
}
