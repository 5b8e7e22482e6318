import assert from "node:assert/strict";
import { test } from "node:test";

import { copy } from "@quorate/kernel";

import { lan } from "../config.ts";
import type { PushPull } from "../messages.ts";
import { plainWire } from "../plain-wire.ts";
import { aliveMessage, bodies, NOTHING, Rig, say, serfRig } from "../rig.test.ts";
import { serfDefaults } from "./config.ts";
import { LTIME_MAX, type SerfMessage, type SerfState } from "./messages.ts";
import { Serf } from "./serf.ts";

function statuses(rig: Rig<Serf>): { [name: string]: string } {
  return Object.fromEntries(rig.node.memberList().map(({ name, status }) => [name, status]));
}

const EMPTY_STATE: SerfState = {
  ltime: 1,
  statusLTimes: [],
  left: [],
  eventLTime: 1,
  events: [],
  queryLTime: 1,
};

function exchange(rig: Rig<Serf>, state: Partial<SerfState>): void {
  const message: PushPull = {
    type: "pushPull",
    exchange: 1,
    reply: false,
    join: false,
    members: [],
    state: { ...EMPTY_STATE, ...state },
  };
  rig.hearStream("b", message);
}

const event = (ltime: number, name: string, payload = NOTHING, coalesce = false): SerfMessage => ({
  type: "userEvent",
  ltime,
  name,
  payload,
  coalesce,
});

// Members and intents.

test("a member that announced its leave has left, one that did not has failed", () => {
  const rig = serfRig(["b", "c"]);
  say(rig, { type: "leave", ltime: 5, node: "b", prune: false });
  assert.equal(statuses(rig)["b"], "leaving");
  rig.hear("b", { type: "dead", node: "b", incarnation: 1, from: "c" });
  rig.hear("c", { type: "dead", node: "c", incarnation: 1, from: "b" });
  assert.deepEqual(statuses(rig), { a: "alive", b: "left", c: "failed" });
});

test("a farewell whose intent was lost is a leave all the same", () => {
  const rig = serfRig(["b"]);
  rig.hear("b", { type: "dead", node: "b", incarnation: 1, from: "b" });
  assert.equal(statuses(rig)["b"], "left");
});

test("an intent heard before its member counts when the member comes", () => {
  const rig = serfRig([]);
  say(rig, { type: "leave", ltime: 9, node: "x", prune: false });
  rig.meet("x");
  assert.equal(statuses(rig)["x"], "leaving");
});

test("of intents about one member the latest counts, whatever comes last", () => {
  const rig = serfRig(["b"]);
  say(rig, { type: "join", ltime: 9, node: "b" });
  say(rig, { type: "leave", ltime: 8, node: "b", prune: false });
  assert.equal(statuses(rig)["b"], "alive");
  say(rig, { type: "leave", ltime: 10, node: "b", prune: false });
  say(rig, { type: "join", ltime: 11, node: "b" });
  assert.equal(statuses(rig)["b"], "alive");
});

test("an intent is told on once, so that two nodes do not tell each other for ever", () => {
  const rig = serfRig(["b"]);
  rig.pass(5000);
  rig.take();
  const intent: SerfMessage = { type: "leave", ltime: 9, node: "b", prune: false };
  say(rig, intent);
  const count = () => {
    rig.pass(3000);
    return bodies(rig).filter((body) => body.type === "leave").length;
  };
  assert.ok(count() > 0);
  say(rig, intent);
  assert.equal(count(), 0);
});

test("this node's own leave, from an earlier life, is refuted by a join", () => {
  const rig = serfRig(["b"]);
  say(rig, { type: "leave", ltime: 9, node: "a", prune: false });
  assert.equal(statuses(rig)["a"], "alive");
  rig.fire("gossip");
  assert.ok(bodies(rig).some((body) => body.type === "join" && body.ltime === 10));
});

test("a failed member can be made one that left, and be pruned", () => {
  const rig = serfRig(["b", "c"]);
  for (const node of ["b", "c"]) rig.hear("x", { type: "dead", node, incarnation: 1, from: "x" });
  rig.ask({ type: "forceLeave", node: "b", prune: false });
  rig.ask({ type: "forceLeave", node: "c", prune: true });
  assert.deepEqual(statuses(rig), { a: "alive", b: "left" });
  const refused = rig.ask({ type: "forceLeave", node: "nobody", prune: false });
  assert.equal(rig.answers.get(refused)?.type, "refused");
});

test("failed members are forgotten after their time, and those that left after theirs", () => {
  const rig = serfRig(["b", "c"], { reconnectTimeoutMs: 60_000, tombstoneMs: 30_000 });
  rig.hear("b", { type: "dead", node: "b", incarnation: 1, from: "b" });
  rig.hear("x", { type: "dead", node: "c", incarnation: 1, from: "x" });
  rig.pass(46_000);
  assert.deepEqual(statuses(rig), { a: "alive", c: "failed" });
  rig.pass(30_000);
  assert.deepEqual(statuses(rig), { a: "alive" });
  const reaped = rig.put("members").filter(({ change }) => change === "reap");
  assert.deepEqual(
    reaped.map(({ members }) => members[0]?.name),
    ["b", "c"],
  );
});

test("now and then a failed member is tried again", () => {
  const rig = serfRig(["b"]);
  rig.hear("x", { type: "dead", node: "b", incarnation: 1, from: "x" });
  rig.take();
  rig.streams();
  rig.fire("reconnect");
  assert.ok(rig.streams().some(({ to, message }) => to === "b" && message.type === "pushPull"));
});

test("changes of a short time are put out together, and a flap within it not at all", () => {
  const rig = serfRig([], { coalesceMs: 3000, quietMs: 1000 });
  rig.pass(1000);
  rig.outputs = [];
  rig.meet("b", "c");
  rig.pass(999);
  assert.deepEqual(rig.put("members"), []);
  rig.pass(1);
  assert.deepEqual(
    rig.put("members").map(({ change, members }) => [change, members.map(({ name }) => name)]),
    [["join", ["b", "c"]]],
  );
  rig.outputs = [];
  rig.hear("x", { type: "dead", node: "b", incarnation: 1, from: "x" });
  rig.hear("b", aliveMessage("b", 2));
  rig.pass(3000);
  assert.deepEqual(rig.put("members"), []);
});

test("new tags are published and put out as an update", () => {
  const rig = serfRig(["b"]);
  rig.outputs = [];
  rig.ask({ type: "setTags", tags: { role: "db" } });
  rig.hear("b", aliveMessage("b", 2, { meta: plainWire.packTags({ role: "web" }) }));
  assert.deepEqual(
    rig.put("members").map(({ change, members }) => [change, members[0]?.name, members[0]?.tags]),
    [
      ["update", "a", { role: "db" }],
      ["update", "b", { role: "web" }],
    ],
  );
  const long = rig.ask({ type: "setTags", tags: { role: "x".repeat(600) } });
  assert.equal(rig.answers.get(long)?.type, "refused");
});

// Events.

test("an event is put out once and told on, however often it comes", () => {
  const rig = serfRig(["b"]);
  for (let i = 0; i < 3; i++) say(rig, event(5, "deploy"));
  assert.equal(rig.put("userEvent").length, 1);
  assert.equal(rig.node.eventClock.time, 6);
  rig.fire("gossip");
  assert.ok(bodies(rig).some((body) => body.type === "userEvent" && body.ltime === 5));
});

test("events of one time with other names or payloads are other events", () => {
  const rig = serfRig(["b"]);
  say(rig, event(5, "deploy"));
  say(rig, event(5, "restart"));
  say(rig, event(5, "deploy", Uint8Array.of(1)));
  assert.equal(rig.put("userEvent").length, 3);
});

test("events too old to be told from repetitions are dropped", () => {
  const rig = serfRig(["b"], { eventBuffer: 8 });
  say(rig, event(100, "new"));
  say(rig, event(92, "old"));
  say(rig, event(93, "just in time"));
  assert.deepEqual(
    rig.put("userEvent").map(({ event: { name } }) => name),
    ["new", "just in time"],
  );
});

test("a clock wound up to the end of counting is not believed", () => {
  const rig = serfRig(["b"]);
  say(rig, event(LTIME_MAX, "evil"));
  say(rig, { type: "join", ltime: LTIME_MAX, node: "b" });
  say(rig, { type: "leave", ltime: Number.MAX_SAFE_INTEGER, node: "b", prune: false });
  assert.deepEqual(
    [rig.node.eventClock.time, rig.node.clock.time, statuses(rig)["b"]],
    [1, 1, "alive"],
  );
});

test("of events that ask for it, only the latest of each name is put out", () => {
  const rig = serfRig(["b"], { userCoalesceMs: 3000, userQuietMs: 1000 });
  say(rig, event(5, "deploy", Uint8Array.of(1), true));
  say(rig, event(7, "deploy", Uint8Array.of(2), true));
  say(rig, event(6, "deploy", Uint8Array.of(3), true));
  say(rig, event(8, "urgent"));
  assert.deepEqual(
    rig.put("userEvent").map(({ event: { name } }) => name),
    ["urgent"],
  );
  rig.pass(1000);
  assert.deepEqual(
    rig.put("userEvent").map(({ event: { ltime } }) => ltime),
    [8, 7],
  );
});

test("an event that is too long is refused", () => {
  const rig = serfRig([]);
  const payload = new Uint8Array(510);
  const id = rig.ask({ type: "userEvent", name: "abc", payload, coalesce: false });
  assert.equal(rig.answers.get(id)?.type, "refused");
  const fits = rig.ask({ type: "userEvent", name: "ab", payload, coalesce: false });
  assert.deepEqual(rig.answers.get(fits), { type: "sent", ltime: 1 });
});

test("a push/pull brings events that gossip lost, and moves the clocks to just before its times", () => {
  const rig = serfRig(["b"]);
  exchange(rig, {
    ltime: 10,
    eventLTime: 20,
    queryLTime: 30,
    events: [{ ltime: 19, events: [{ name: "lost", payload: NOTHING }] }],
  });
  assert.equal(rig.put("userEvent").length, 1);
  assert.deepEqual(
    [rig.node.clock.time, rig.node.eventClock.time, rig.node.queryClock.time],
    [10, 20, 30],
  );
});

test("who joins without a replay hears nothing of the past", () => {
  for (const replay of [false, true]) {
    const rig = serfRig([]);
    rig.ask({ type: "join", addresses: ["b"], replay });
    const [asked] = rig.streams();
    assert.ok(asked?.message.type === "pushPull");
    rig.hearStream("b", {
      type: "pushPull",
      exchange: asked.message.exchange,
      reply: true,
      join: true,
      members: [],
      state: {
        ...EMPTY_STATE,
        eventLTime: 6,
        events: [{ ltime: 5, events: [{ name: "old", payload: NOTHING }] }],
      },
    });
    assert.equal(rig.put("userEvent").length, replay ? 1 : 0);
  }
});

// Leaving and coming back.

test("leaving tells the intent first, then the farewell", () => {
  const rig = serfRig(["b", "c"]);
  rig.pass(3000);
  rig.take();
  const id = rig.ask({ type: "leave" });
  const told: string[] = [];
  for (let i = 0; i < 40 && rig.answers.get(id) === undefined; i++) {
    rig.pass(200);
    for (const part of rig.take()) {
      if (part.type === "user") told.push(part.body.type);
      if (part.type === "dead") told.push("dead");
    }
  }
  assert.deepEqual(rig.answers.get(id), { type: "left" });
  assert.ok(told.lastIndexOf("leave") < told.indexOf("dead"));
  assert.ok(told.includes("leave") && told.includes("dead"));
  assert.equal(statuses(rig)["a"], "left");
});

test("what is written down brings a node back to whom it knew, with clocks that do not go back", () => {
  const rig = serfRig(["b", "c"], { snapshot: true });
  rig.hear("c", { type: "dead", node: "c", incarnation: 1, from: "c" });
  say(rig, event(41, "deploy"));
  rig.fire("snapshot");
  const config = serfDefaults(lan({ name: "a", wire: plainWire }), { snapshot: true });
  const next = new Serf(config);
  for (const record of rig.records) next.recover(record);
  const again = new Rig(next);
  assert.equal(next.eventClock.time, 42);
  again.fire("rejoin");
  assert.deepEqual(
    again.streams().map(({ to }) => to),
    ["b"],
  );
  say(again, event(41, "deploy"));
  assert.equal(again.put("userEvent").length, 0, "what was put out before is not put out again");
});

test("a node whose former peers are all away tries them again and again", () => {
  const serf = new Serf(serfDefaults(lan({ name: "a", wire: plainWire }), { snapshot: true }));
  for (const name of ["b", "c"]) serf.recover({ type: "alive", name, address: name });
  const rig = new Rig(serf);
  for (let i = 0; i < 4; i++) rig.fire("rejoin");
  assert.deepEqual(
    rig.streams().map(({ to }) => to),
    ["b", "c", "b", "c"],
  );
  rig.meet("b");
  rig.fire("rejoin");
  assert.ok(!rig.timers.has("rejoin"));
});

test("after a farewell a node does not come back unless told to", () => {
  const records = [{ type: "alive", name: "b", address: "b" }, { type: "leave" }] as const;
  for (const rejoinAfterLeave of [false, true]) {
    const config = serfDefaults(lan({ name: "a", wire: plainWire }), {
      snapshot: true,
      rejoinAfterLeave,
    });
    const serf = new Serf(config);
    for (const record of records) serf.recover(record);
    assert.equal(new Rig(serf).timers.has("rejoin"), rejoinAfterLeave);
  }
});

test("a copy of the state goes its own way", () => {
  const rig = serfRig(["b", "c"]);
  const other = copy(rig.node);
  say(rig, event(5, "deploy"));
  rig.hear("b", { type: "dead", node: "b", incarnation: 1, from: "b" });
  assert.equal(other.eventClock.time, 1);
  assert.equal(other.memberList().find(({ name }) => name === "b")?.status, "alive");
});
