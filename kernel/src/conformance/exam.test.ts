/**
 * The suite's own exam: a driver of a page or two, correct as it stands, and
 * the mistakes that drivers make. The suite passes the one and finds each of
 * the others.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Context, NodeId, Position, Process, RequestId } from "../process.ts";
import type { Driver, Seen, World } from "./driver.ts";
import type { Letter, Line, Program, ScriptWords, Sighting, Utterance } from "./script.ts";
import { conformance } from "./suite.ts";

const MISTAKES = [
  "time passes within a step",
  "who asks from within an answer is heard at once",
  "a message to oneself is delivered within the step",
  "the sender is named wrongly",
  "an unknown receiver stops the step",
  "optional handlers are called though they are missing",
  "a node is told that it is unreachable itself",
  "nothing waits for the disk",
  "effects wait for what is persisted later in their step",
  "only steps that persist something wait",
  "what waited leaves last in, first out",
  "what waited leaves twice",
  "durability is reported before what waited for it leaves",
  "eager effects wait",
  "what waited survives a crash",
  "timers fire early",
  "a timer set again fires twice",
  "a cancelled timer fires",
  "a due timer cannot be called off",
  "timers survive a crash",
  "timers are kept by name in an object",
  "the last durable record is lost in a crash",
  "the oldest undurable record is lost in a crash",
  "a checkpoint takes what follows it along",
  "a checkpoint leaves behind what it replaces",
  "a checkpoint is begun to be read and forgotten",
  "effects wait for a checkpoint",
  "a choice may be its bound",
  "idleness is not reported",
  "idleness is reported after requests only",
  "what is persisted in idleness is not written",
  "durability is reported when writing begins",
  "durability is reported by count, not by position",
  "positions skip",
  "received bytes are overwritten later",
  "recovery goes backwards",
  "recovered records count as not durable",
  "notes wait for the disk",
  "an answer goes to the request before",
  "a request is handed to the next life as well",
] as const;

/** Virtual time in which whatever is due has long happened. */
const PATIENCE_MS = 500;

type Mistake = (typeof MISTAKES)[number];

interface Event {
  readonly time: number;
  readonly node: Node;
  readonly life: number;
  readonly run: () => void;
}

class Node implements Context<ScriptWords> {
  readonly self: NodeId;
  readonly seen: Seen[] = [];
  readonly world: TinyWorld;
  process: Process<ScriptWords> | undefined;
  life = 0;
  image: readonly Line[] = [];
  records: Line[] = [];
  /** How many of `records` are durable; positions count on from `base`. */
  safe = 0;
  base = 0;
  writing = false;
  disksHeld = false;
  heldDisk: (() => void)[] = [];
  waiting: { position: Position; readonly leave: () => void }[] = [];
  timers: Map<string, Event> = new Map();
  asked: { readonly id: RequestId; readonly program: Program }[] = [];
  private imagePending = false;
  private busy = false;
  private stepAt = 0;
  private persistedAtStart = 0;
  private buffers: Uint8Array[] = [];

  constructor(self: NodeId, world: TinyWorld) {
    this.self = self;
    this.world = world;
  }

  get now(): number {
    return this.is("time passes within a step") ? this.world.now + this.stepAt++ : this.world.now;
  }

  is(mistake: Mistake): boolean {
    return this.world.mistake === mistake;
  }

  get persisted(): Position {
    return this.base + this.records.length;
  }

  private hold(leave: () => void): void {
    const { persisted } = this;
    if (this.is("nothing waits for the disk")) return leave();
    const idle = this.persistedAtStart === persisted;
    if (this.is("only steps that persist something wait") && idle) return leave();
    const end = this.is("effects wait for what is persisted later in their step");
    const told = this.is("durability is reported before what waited for it leaves");
    if (this.imagePending) this.waiting.push({ position: persisted + 1, leave });
    else if (end || persisted > this.base + this.safe || (this.waiting.length > 0 && !told)) {
      this.waiting.push({ position: end ? Infinity : persisted, leave });
    } else leave();
  }

  private eager(leave: () => void): void {
    if (this.is("eager effects wait")) this.hold(leave);
    else leave();
  }

  send(to: NodeId, letter: Letter): void {
    this.hold(() => this.world.transmit(this, to, letter));
  }
  sendEagerly(to: NodeId, letter: Letter): void {
    this.eager(() => this.world.transmit(this, to, letter));
  }
  output(value: Utterance): void {
    this.hold(() => this.seen.push({ type: "output", output: value }));
  }
  outputEagerly(value: Utterance): void {
    this.eager(() => this.seen.push({ type: "output", output: value }));
  }
  reply(id: RequestId, response: Utterance): void {
    this.hold(() => this.answer(id, response));
  }
  replyEagerly(id: RequestId, response: Utterance): void {
    this.eager(() => this.answer(id, response));
  }
  private answer(id: RequestId, response: Utterance): void {
    const request = this.is("an answer goes to the request before") && id > 1 ? id - 1 : id;
    this.seen.push({ type: "reply", request, response });
    this.world.users.get(id)?.();
  }
  note(note: Sighting): void {
    const see = () => this.seen.push({ type: "note", note });
    if (this.is("notes wait for the disk")) this.hold(see);
    else see();
  }
  choose(count: number): number {
    return this.is("a choice may be its bound") ? count : (this.persisted * 7) % count;
  }
  persist(line: Line): Position {
    this.records.push(line);
    return this.is("positions skip") ? this.persisted * 2 : this.persisted;
  }

  checkpoint(lines: Iterable<Line>): void {
    if (this.is("a checkpoint is begun to be read and forgotten")) {
      void lines[Symbol.iterator]().next();
      return;
    }
    const image = [...lines];
    const { persisted } = this;
    const replace = () => {
      const later = this.is("a checkpoint takes what follows it along");
      const end = (later ? this.persisted : persisted) - this.base;
      if (end < 0) return;
      if (!this.is("a checkpoint leaves behind what it replaces")) this.records.splice(0, end);
      else return void (this.image = [...this.image, ...image]);
      this.safe = Math.max(0, this.safe - end);
      this.base += end;
      this.image = image;
    };
    this.imagePending = this.is("effects wait for a checkpoint");
    this.hold(replace);
  }

  setTimer(name: string, delayMs: number, jitterMs: number = 0): void {
    if (!this.is("a timer set again fires twice")) this.cancelTimer(name);
    if (this.is("timers are kept by name in an object") && name in {}) return;
    const early = this.is("timers fire early") ? 1 : 0;
    const time = this.world.now + Math.max(0, delayMs - early) + (jitterMs >> 1);
    const fire = () => {
      if (this.timers.get(name) === event) this.timers.delete(name);
      this.process!.onTimer?.(this, name);
    };
    const event = this.world.schedule(this, time, fire);
    this.timers.set(name, event);
  }
  cancelTimer(name: string): void {
    const event = this.timers.get(name);
    if (event === undefined || this.is("a cancelled timer fires")) return;
    if (this.is("a due timer cannot be called off") && event.time <= this.world.now) return;
    this.timers.delete(name);
    this.world.callOff(event);
  }

  start(): void {
    this.process = this.world.create(this.self);
    const lines = [...this.image, ...this.records];
    if (this.is("recovery goes backwards")) lines.reverse();
    for (const line of lines) this.process.recover?.(line);
    if (this.is("recovered records count as not durable")) this.safe = 0;
    this.step(() => this.process!.onStart(this));
    if (!this.is("a request is handed to the next life as well")) this.asked = [];
    for (const { id, program } of this.asked) this.hand(id, program);
  }

  hand(id: RequestId, program: Program): void {
    if (this.busy && this.is("who asks from within an answer is heard at once")) {
      return this.process!.onRequest!(this, id, program);
    }
    this.world.schedule(this, this.world.now, () => {
      const { process } = this;
      if (this.is("optional handlers are called though they are missing")) {
        process!.onRequest!(this, id, program);
      } else process!.onRequest?.(this, id, program);
    });
  }

  receive(from: NodeId, letter: Letter): void {
    if (letter.type === "letter" && this.is("received bytes are overwritten later")) {
      this.buffers.push(letter.body);
      if (this.buffers.length > 30) this.buffers.shift()!.fill(0);
    }
    const sender = this.is("the sender is named wrongly") ? this.self : from;
    this.process!.onMessage(this, sender, letter);
  }

  step(run: () => void, isRequest: boolean = false): void {
    this.stepAt = 0;
    this.persistedAtStart = this.persisted;
    this.busy = true;
    run();
    this.busy = false;
    const told = isRequest || !this.is("idleness is reported after requests only");
    const written = this.persisted;
    if (told && !this.is("idleness is not reported")) this.process!.onIdle?.(this);
    this.write(this.is("what is persisted in idleness is not written") ? written : this.persisted);
    for (const one of this.waiting) if (one.position === Infinity) one.position = this.persisted;
    if (this.persisted === this.base + this.safe) this.leave(this.persisted);
  }

  /** Writes everything up to `position`, one write at a time. */
  private write(position: Position): void {
    if (this.writing || position <= this.base + this.safe) return;
    this.writing = true;
    const { life } = this;
    const early = this.is("durability is reported when writing begins");
    if (early) this.report(position);
    const done = () => {
      if (life !== this.life) return;
      this.writing = false;
      const told = this.is("durability is reported before what waited for it leaves");
      this.safe = position - this.base;
      if (told) this.report(position);
      this.leave(position);
      if (!early && !told) this.report(position);
    };
    const sync = () => this.world.schedule(this, this.world.now + 2, done);
    if (this.disksHeld) this.heldDisk.push(sync);
    else sync();
  }

  private report(position: Position): void {
    const count = this.is("durability is reported by count, not by position");
    this.process!.onDurable?.(this, count ? position + 1 : position);
  }

  private leave(position: Position): void {
    const free = this.waiting.filter((one) => one.position <= position);
    this.waiting = this.waiting.filter((one) => one.position > position);
    if (this.is("what waited leaves last in, first out")) free.reverse();
    for (const { leave } of free) {
      leave();
      if (this.is("what waited leaves twice")) leave();
    }
  }

  crash(): void {
    this.process = undefined;
    this.life++;
    this.writing = false;
    this.heldDisk = [];
    if (this.is("the last durable record is lost in a crash") && this.safe > 0) this.safe--;
    if (this.is("the oldest undurable record is lost in a crash")) {
      this.records.splice(this.safe, 1);
      this.safe = this.records.length;
    } else this.records.length = this.safe;
    if (!this.is("what waited survives a crash")) this.waiting = [];
    else for (const one of this.waiting) one.position = 0;
    for (const event of this.timers.values()) {
      if (this.is("timers survive a crash")) {
        this.world.events.push({ ...event, life: this.life });
      }
      this.world.callOff(event);
    }
    this.timers.clear();
  }
}

class TinyWorld implements World {
  now = 0;
  events: Event[] = [];
  readonly create: (node: NodeId) => Process<ScriptWords>;
  readonly mistake: Mistake | undefined;
  readonly users: Map<RequestId, () => void> = new Map();
  private readonly nodes: Map<NodeId, Node>;
  private requests = 0;

  constructor(
    ids: readonly NodeId[],
    create: (node: NodeId) => Process<ScriptWords>,
    mistake: Mistake | undefined,
  ) {
    this.create = create;
    this.mistake = mistake;
    this.nodes = new Map(ids.map((id) => [id, new Node(id, this)]));
    for (const node of this.nodes.values()) node.start();
  }

  schedule(node: Node, time: number, run: () => void): Event {
    const event = { time, node, life: node.life, run };
    const at = this.events.findLastIndex((other) => other.time <= time);
    this.events.splice(at + 1, 0, event);
    return event;
  }

  callOff(event: Event): void {
    this.events = this.events.filter((other) => other !== event);
  }

  transmit(from: Node, to: NodeId, letter: Letter): void {
    const node = this.nodes.get(to);
    if (node === undefined) {
      assert.notEqual(this.mistake, "an unknown receiver stops the step");
      return;
    }
    if (this.mistake === "a message to oneself is delivered within the step" && node === from) {
      return node.receive(from.self, letter);
    }
    // A message outlives the lives of its receiver.
    const deliver = () => {
      if (node.process !== undefined) node.step(() => node.receive(from.self, letter));
    };
    const at = this.events.findLastIndex((other) => other.time <= this.now + 1);
    this.events.splice(at + 1, 0, { time: this.now + 1, node, life: -1, run: deliver });
  }

  request(id: NodeId, program: Program, onReply?: () => void): RequestId {
    const node = this.node(id);
    const request = ++this.requests;
    if (onReply !== undefined) this.users.set(request, onReply);
    node.asked.push({ id: request, program });
    node.hand(request, program);
    return request;
  }

  async crash(id: NodeId): Promise<void> {
    this.node(id).crash();
    if (this.mistake !== "a node is told that it is unreachable itself") return;
    for (const node of this.nodes.values()) {
      this.schedule(node, this.now, () => node.process?.onUnreachable?.(node, node.self));
    }
  }

  async start(id: NodeId): Promise<void> {
    this.node(id).start();
  }

  holdDisk(id: NodeId): void {
    this.node(id).disksHeld = true;
  }

  releaseDisk(id: NodeId): void {
    const node = this.node(id);
    node.disksHeld = false;
    for (const sync of node.heldDisk.splice(0)) sync();
  }

  async until(holds: () => boolean): Promise<boolean> {
    const end = this.now + PATIENCE_MS;
    while (!holds()) {
      const event = this.events.shift();
      if (event === undefined || event.time > end) return false;
      this.now = Math.max(this.now, event.time);
      if (event.life < 0) event.run();
      else if (event.life === event.node.life && event.node.process !== undefined) {
        event.node.step(event.run, event.node.asked.length > 0);
      }
    }
    return true;
  }

  seen(id: NodeId): readonly Seen[] {
    return this.node(id).seen;
  }

  async close(): Promise<void> {
    this.events = [];
  }

  private node(id: NodeId): Node {
    return this.nodes.get(id)!;
  }
}

function driver(mistake: Mistake | undefined): Driver {
  return {
    holdsDisk: true,
    open: async (nodes, create) => new TinyWorld(nodes, create, mistake),
  };
}

test("a correct driver passes every case", async () => {
  for (const one of conformance) await one.run(driver(undefined));
});

for (const mistake of MISTAKES) {
  test(`found: ${mistake}`, async () => {
    const found: unknown[] = [];
    for (const one of conformance) {
      await one.run(driver(mistake)).catch((error: unknown) => found.push(error));
      if (found.length > 0) return;
    }
    assert.fail("no case fails");
  });
}
