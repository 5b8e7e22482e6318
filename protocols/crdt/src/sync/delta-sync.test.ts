/** Single steps of the process, without a network. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { VersionVector } from "@quorate/clocks";
import {
  type Context,
  copy,
  decode,
  encode,
  fingerprint,
  MalformedInput,
  type NodeId,
  type RequestId,
} from "@quorate/kernel";

import { lww, mapOf } from "../index.ts";
import { type HandleOf } from "../types/type.ts";
import { DeltaSync, type Editor, SYNC_DEFAULTS } from "./delta-sync.ts";
import {
  type SyncMessage,
  syncMessageCodec,
  type SyncNote,
  type SyncRecord,
  syncRecordCodec,
  type SyncResponse,
  type SyncWords,
} from "./words.ts";

const type = mapOf(lww.string);
type Entries = HandleOf<typeof type>;
type Value = { readonly [key: string]: string | undefined };
type Command = readonly [key: string, value: string];
type Words = SyncWords<Command, Value>;

const editor: Editor<Entries, Command> = Object.freeze({
  apply: (entries: Entries, [key, value]: Command) => entries.at(key).set(value),
});

/** A context that takes down what is said. Its disk is durable at once. */
class Desk implements Context<Words> {
  readonly self: NodeId;
  now = 0;
  nonce = 1;
  readonly sent: { readonly to: NodeId; readonly message: SyncMessage }[] = [];
  readonly records: SyncRecord[] = [];
  readonly notes: SyncNote[] = [];
  readonly replies: SyncResponse<Value>[] = [];
  /** How many records had been written when each message was sent. */
  readonly writtenAt: number[] = [];

  constructor(self: NodeId) {
    this.self = self;
  }

  send(to: NodeId, message: SyncMessage): void {
    this.sent.push({ to, message });
    this.writtenAt.push(this.records.length);
  }

  sendEagerly(): void {
    assert.fail("nothing is said before it is on the disk");
  }

  persist(record: SyncRecord): number {
    return this.records.push(record);
  }

  checkpoint(records: Iterable<SyncRecord>): void {
    this.records.splice(0, this.records.length, ...records);
  }

  setTimer(): void {}
  cancelTimer(): void {}

  reply(_: RequestId, response: SyncResponse<Value>): void {
    this.replies.push(response);
  }

  replyEagerly(): void {
    assert.fail("nothing is answered before it is on the disk");
  }

  output(): void {}
  outputEagerly(): void {}

  note(note: SyncNote): void {
    this.notes.push(note);
  }

  choose(count: number): number {
    return this.nonce++ % count;
  }
}

type Node = DeltaSync<Value, Entries, Command>;

function start(desk: Desk, records: readonly SyncRecord[] = [], place: string = ""): Node {
  const nodes = ["a", "b"];
  const node = new DeltaSync(type, editor, desk.self, nodes, { ...SYNC_DEFAULTS, place });
  for (const record of records) node.recover(record);
  desk.records.push(...records);
  node.onStart(desk);
  return node;
}

/** Carries what was said since the last time. */
function carry(from: Desk, to: Desk, node: Node): void {
  for (const { message } of from.sent.splice(0)) node.onMessage(to, from.self, message);
  node.onIdle(to);
}

function edit(node: Node, desk: Desk, key: string, value: string): void {
  node.onRequest(desk, 1, { type: "edit", command: [key, value], wallMs: 1_000 });
  node.onIdle(desk);
}

/** Two nodes that have met. */
function pair(): { a: Node; b: Node; deskA: Desk; deskB: Desk } {
  const [deskA, deskB] = [new Desk("a"), new Desk("b")];
  const [a, b] = [start(deskA), start(deskB)];
  for (let i = 0; i < 3; i++) {
    carry(deskA, deskB, b);
    carry(deskB, deskA, a);
  }
  return { a, b, deskA, deskB };
}

function meet({ a, b, deskA, deskB }: ReturnType<typeof pair>): void {
  for (let i = 0; i < 8; i++) {
    [deskA.now, deskB.now] = [deskA.now + 1_000, deskB.now + 1_000];
    a.onTimer(deskA);
    b.onTimer(deskB);
    carry(deskA, deskB, b);
    carry(deskB, deskA, a);
  }
}

test("a restored backup that hears of its own future goes on as another actor (C02)", () => {
  const world = pair();
  edit(world.a, world.deskA, "x", "1");
  meet(world);
  const backup = [...world.deskA.records];
  edit(world.a, world.deskA, "y", "2");
  meet(world);
  const deskA = new Desk("a");
  deskA.nonce = 77;
  const restored = { ...world, a: start(deskA, backup), deskA };
  meet(restored);
  assert.ok(deskA.notes.some(({ type }) => type === "renewed"));
  edit(restored.a, deskA, "z", "3");
  meet(restored);
  assert.deepEqual(restored.b.value, { x: "1", y: "2", z: "3" });
  assert.deepEqual(restored.a.value, restored.b.value);
});

test("a backup restored in a new place is another actor before it acts", () => {
  const world = pair();
  edit(world.a, world.deskA, "x", "1");
  const backup = [...world.deskA.records];
  edit(world.a, world.deskA, "y", "2");
  meet(world);
  const deskA = new Desk("a");
  const restored = { ...world, a: start(deskA, backup, "elsewhere"), deskA };
  edit(restored.a, deskA, "z", "3");
  meet(restored);
  assert.deepEqual(restored.b.value, { x: "1", y: "2", z: "3" });
  assert.deepEqual(restored.a.value, restored.b.value);
});

test("an edit is on the disk before anything that tells of it is said", () => {
  const world = pair();
  const { a, deskA } = world;
  const ask: SyncMessage = { type: "digest", version: VersionVector.empty, answer: false };
  deskA.sent.length = deskA.writtenAt.length = 0;
  const before = deskA.records.length;
  a.onRequest(deskA, 1, { type: "edit", command: ["x", "1"], wallMs: 0 });
  a.onMessage(deskA, "b", ask);
  assert.ok(deskA.sent.length > 0);
  assert.ok(deskA.writtenAt.every((count) => count > before));
});

test("a state that was told wrongly is refused, noted, and does not end the process", () => {
  const { a, deskA } = pair();
  a.onMessage(deskA, "b", { type: "state", bytes: Uint8Array.of(1, 2, 3) });
  assert.deepEqual(deskA.notes.at(-1), { type: "refused", from: "b", code: "malformed" });
});

test("a write dated far ahead of the wall clock is refused once the wall clock is known (C07)", () => {
  const world = pair();
  edit(world.a, world.deskA, "x", "1");
  const command: Command = ["x", "poison"];
  world.b.onRequest(world.deskB, 1, { type: "edit", command, wallMs: 10_000_000 });
  world.b.onIdle(world.deskB);
  carry(world.deskB, world.deskA, world.a);
  assert.ok(world.deskA.notes.some((note) => note.type === "refused" && note.code === "ahead"));
  assert.deepEqual(world.a.value, { x: "1" });
});

test("the state is plain data: a copy goes on by itself (K2)", () => {
  const { a, deskA } = pair();
  edit(a, deskA, "x", "1");
  const twin = copy(a);
  assert.equal(fingerprint(twin), fingerprint(a));
  edit(twin, deskA, "x", "2");
  assert.deepEqual(a.value, { x: "1" });
  assert.deepEqual(twin.value, { x: "2" });
});

const vector = fc
  .array(fc.tuple(fc.constantFrom("a", "b", "c~1~2"), fc.integer({ min: 1, max: 9 })))
  .map((entries) => VersionVector.of(entries));
const bytes = fc.uint8Array({ maxLength: 10 });

test("messages and records have binary forms", () => {
  const messages: fc.Arbitrary<SyncMessage> = fc.oneof(
    fc.record({ type: fc.constant("delta" as const), after: vector, bytes }),
    fc.record({ type: fc.constant("state" as const), bytes }),
    fc.record({ type: fc.constant("digest" as const), version: vector, answer: fc.boolean() }),
  );
  fc.assert(
    fc.property(messages, (message) => {
      const written = encode(syncMessageCodec, message);
      assert.deepEqual(encode(syncMessageCodec, decode(syncMessageCodec, written)), written);
    }),
  );
  const incarnation = { type: "incarnation", epoch: 1, nonce: 2, place: "p" } as const;
  const record: SyncRecord = { type: "actor", incarnation };
  assert.deepEqual(decode(syncRecordCodec, encode(syncRecordCodec, record)), record);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (input) => {
      try {
        decode(syncMessageCodec, input);
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
  );
});
