import assert from "node:assert/strict";
import { test } from "node:test";

import type { MemberRecord } from "../member.ts";
import { VERSIONS } from "../member.ts";
import type { PushPull } from "../messages.ts";
import { aliveMessage, NOTHING, type Rig, serfRig, swimRig } from "../rig.test.ts";

function record(name: string, changes: Partial<MemberRecord> = {}): MemberRecord {
  return {
    name,
    address: name,
    incarnation: 1,
    meta: NOTHING,
    versions: VERSIONS,
    state: "alive",
    ...changes,
  };
}

function state(...members: readonly MemberRecord[]): PushPull {
  return { type: "pushPull", exchange: 7, reply: false, join: false, members, state: undefined };
}

function question(rig: Rig): PushPull {
  const [said] = rig.streams();
  assert.ok(said?.message.type === "pushPull");
  return said.message;
}

test("a node joins through an address, and answers once it has the other's state", () => {
  const rig = swimRig([]);
  const id = rig.ask({ type: "join", addresses: ["10.0.0.1:7946"], replay: false });
  const { exchange, join, members } = question(rig);
  assert.ok(join);
  assert.deepEqual(
    members.map(({ name }) => name),
    ["a"],
  );
  assert.equal(rig.answers.get(id), undefined);
  rig.hearStream("10.0.0.1:7946", { ...state(record("b"), record("c")), exchange, reply: true });
  assert.deepEqual(rig.answers.get(id), { type: "joined", contacted: 1, failures: [] });
  assert.equal(rig.state("c"), "alive");
});

test("a join tells which addresses failed, and why", () => {
  const rig = swimRig([]);
  const id = rig.ask({ type: "join", addresses: ["p", "q", "r"], replay: false });
  const [p, q] = rig
    .streams()
    .map(({ message }) => (message.type === "pushPull" ? message.exchange : 0));
  rig.hearStream("p", { type: "streamError", exchange: p!, text: "no" });
  rig.node.onUnreachable(rig, "r");
  rig.fire(`exchange:${q!}`);
  assert.deepEqual(rig.answers.get(id), {
    type: "joined",
    contacted: 0,
    failures: [
      { address: "p", reason: "no" },
      { address: "r", reason: "unreachable" },
      { address: "q", reason: "no answer in time" },
    ],
  });
});

test("a question is answered with the whole state, before it is judged", () => {
  const rig = swimRig(["b"]);
  rig.hearStream("127.0.0.1:40000", state(record("z", { versions: [9, 9, 9, 2, 5, 5] })));
  const [answer] = rig.streams();
  assert.equal(answer?.to, "127.0.0.1:40000");
  assert.ok(answer.message.type === "pushPull" && answer.message.reply);
  assert.equal(answer.message.exchange, 7);
  assert.equal(rig.state("z"), undefined);
  assert.match(rig.noted("mergeRefused")[0]!.reason, /protocol version/);
});

test("deaths told by a push/pull are hearsay: the dead become suspects", () => {
  const rig = swimRig(["b", "c"]);
  rig.hearStream("b", state(record("c", { state: "dead" })));
  assert.equal(rig.state("c"), "suspect");
  rig.hearStream("b", state(record("b", { state: "left" })));
  assert.equal(rig.state("b"), "left");
});

test("this node's own death, told by a push/pull, is refuted", () => {
  const rig = swimRig(["b"]);
  rig.hearStream("b", state(record("a", { state: "dead", incarnation: 4 })));
  assert.equal(rig.node.me.incarnation, 5);
});

test("a stream ping for another name is met with silence", () => {
  const rig = swimRig([]);
  const source = { name: "b", address: "b" };
  rig.hearStream("b", { type: "streamPing", exchange: 1, seq: 2, node: "z", source });
  assert.deepEqual(rig.streams(), []);
  rig.hearStream("b", { type: "streamPing", exchange: 1, seq: 2, node: "a", source });
  assert.deepEqual(
    rig.streams().map(({ message }) => message),
    [{ type: "streamAck", exchange: 1, seq: 2 }],
  );
});

test("an answer that comes twice, or to nothing, changes nothing", () => {
  const rig = swimRig([]);
  rig.hearStream("x", { ...state(record("x")), reply: true });
  assert.equal(rig.state("x"), undefined);
});

test("another cluster is refused as a whole by policy", () => {
  const tags = { cluster: "blue" };
  const rig = serfRig([], { tags, admission: { type: "tagged", tags } });
  const green = record("g");
  const id = rig.ask({ type: "join", addresses: ["g"], replay: false });
  const { exchange } = question(rig);
  rig.hearStream("g", { ...state(green), exchange, reply: true });
  const answer = rig.answers.get(id);
  assert.ok(answer?.type === "joined" && answer.contacted === 0);
  assert.match(answer.failures[0]!.reason, /no tag cluster=blue/);
  assert.equal(rig.state("g"), undefined);
  rig.hear("g", aliveMessage("g"));
  assert.equal(rig.state("g"), undefined, "nor does gossip smuggle one in");
});

test("leaving waits until the farewell has been told", () => {
  const rig = swimRig(["b", "c"]);
  rig.pass(3000);
  const id = rig.ask({ type: "leave" });
  assert.equal(rig.answers.get(id), undefined);
  for (let i = 0; i < 10 && rig.timers.has("gossip"); i++) rig.fire("gossip");
  assert.ok(rig.parts("dead").every(({ node, from }) => node === "a" && from === "a"));
  rig.fire("leave");
  assert.deepEqual(rig.answers.get(id), { type: "left" });
  rig.hear("b", { type: "suspect", node: "a", incarnation: 1, from: "b" });
  assert.equal(rig.state("a"), "left", "one that left refutes nothing");
});

test("alone, leaving waits for nobody", () => {
  const rig = swimRig([]);
  const id = rig.ask({ type: "leave" });
  rig.fire("leave");
  assert.deepEqual(rig.answers.get(id), { type: "left" });
});

test("a node that left may join again in the same life, as a later incarnation", () => {
  const rig = swimRig(["b"]);
  rig.ask({ type: "leave" });
  rig.pass(20_000);
  rig.ask({ type: "join", addresses: ["b"], replay: false });
  assert.deepEqual([rig.state("a"), rig.node.me.incarnation], ["alive", 2]);
});

test("meta that is too long is refused, other meta is a later word", () => {
  const rig = swimRig(["b"]);
  const refused = rig.ask({ type: "setMeta", meta: new Uint8Array(513) });
  assert.equal(rig.answers.get(refused)?.type, "refused");
  rig.ask({ type: "setMeta", meta: Uint8Array.of(1) });
  assert.equal(rig.node.me.incarnation, 2);
  rig.fire("gossip");
  assert.ok(rig.parts("alive").some(({ node, meta }) => node === "a" && meta[0] === 1));
});
