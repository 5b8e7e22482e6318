import assert from "node:assert/strict";
import { test } from "node:test";

import { VERSIONS } from "../member.ts";
import { plainWire } from "../plain-wire.ts";
import { aliveMessage, bodies, NOTHING, say, serfRig } from "../rig.test.ts";
import type { SerfMessage } from "./messages.ts";

const ASK = {
  type: "query",
  name: "load",
  payload: NOTHING,
  filters: [],
  ack: true,
  relayFactor: 0,
  timeoutMs: undefined,
} as const;

function query(changes: Partial<SerfMessage & { type: "query" }> = {}): SerfMessage {
  return {
    type: "query",
    ltime: 4,
    id: 77,
    source: "b",
    sourceNode: "b",
    filters: [],
    ack: false,
    noBroadcast: false,
    relayFactor: 0,
    timeoutMs: 3200,
    name: "load",
    payload: NOTHING,
    ...changes,
  };
}

test("a query runs for as long as the cluster's size demands", () => {
  const rig = serfRig(["b", "c"]);
  const id = rig.ask(ASK);
  const answer = rig.answers.get(id);
  assert.ok(answer?.type === "asked");
  assert.equal(answer.timeoutMs, 3200); // 200 * 16 * ceil(log10(3 + 1))
  const { ltime, id: queryId } = answer;
  const reply = { type: "queryResponse", ltime, id: queryId, from: "b", payload: NOTHING } as const;
  say(rig, { ...reply, ack: true });
  say(rig, { ...reply, ack: false });
  say(rig, { ...reply, ack: false });
  assert.equal(rig.put("queryAck").length, 1);
  assert.equal(rig.put("queryResponse").length, 1, "a second answer is the first by another way");
  rig.pass(3200);
  assert.equal(rig.put("queryDone").length, 1);
  say(rig, { ...reply, from: "c", ack: false });
  assert.equal(rig.put("queryResponse").length, 1, "too late");
});

test("a query is put out once, answered once, and in time", () => {
  const rig = serfRig(["b"]);
  say(rig, query());
  say(rig, query());
  assert.equal(rig.put("query").length, 1);
  const answer = { type: "respond", ltime: 4, id: 77, payload: Uint8Array.of(1) } as const;
  assert.equal(rig.answers.get(rig.ask(answer))?.type, "done");
  assert.ok(
    bodies(rig, "b").some((body) => body.type === "queryResponse" && body.payload[0] === 1),
  );
  assert.equal(rig.answers.get(rig.ask(answer))?.type, "refused");
  say(rig, query({ id: 78 }));
  rig.now += 3201;
  assert.equal(rig.answers.get(rig.ask({ ...answer, id: 78 }))?.type, "refused");
});

test("filters keep a query from those it is not for, who still tell it on", () => {
  const rig = serfRig(["b"], { tags: { role: "db-primary" } });
  say(rig, query({ id: 1, filters: [{ type: "nodes", names: ["z"] }] }));
  say(rig, query({ id: 2, filters: [{ type: "tag", tag: "role", expression: "^web" }] }));
  assert.equal(rig.put("query").length, 0);
  say(rig, query({ id: 3, filters: [{ type: "tag", tag: "role", expression: "^db-" }] }));
  say(rig, query({ id: 4, filters: [{ type: "nodes", names: ["a"] }] }));
  assert.equal(rig.put("query").length, 2);
  rig.fire("gossip");
  const told = bodies(rig).flatMap((body) => (body.type === "query" ? [body.id] : []));
  assert.deepEqual(new Set(told), new Set([1, 2, 3, 4]));
});

test("a query that asks not to be told on is not", () => {
  const rig = serfRig(["b"]);
  rig.pass(5000);
  rig.take();
  say(rig, query({ noBroadcast: true }));
  assert.equal(rig.put("query").length, 1);
  rig.pass(2000);
  assert.ok(!bodies(rig).some((body) => body.type === "query"));
});

test("answers go through others too if asked, and are passed on by those", () => {
  const rig = serfRig(["b", "c", "d"]);
  say(rig, query({ ack: true, relayFactor: 2 }));
  const relayed = rig.parts("user").filter(({ body }) => body.type === "relay");
  assert.equal(relayed.length, 2);
  const [relay] = relayed;
  assert.ok(relay?.body.type === "relay" && relay.body.destination === "b");
  say(rig, { ...relay.body, destination: "d" });
  assert.ok(bodies(rig, "d").some((body) => body.type === "queryResponse"));
});

test("reachability asks for acknowledgements alone", () => {
  const rig = serfRig(["b"]);
  say(rig, query({ name: "_serf_ping", ack: true }));
  assert.equal(rig.put("query").length, 0);
  assert.ok(bodies(rig, "b").some((body) => body.type === "queryResponse" && body.ack));
});

test("a query that is too long, or takes a name of the library, is refused", () => {
  const rig = serfRig([]);
  const long = rig.ask({ ...ASK, payload: new Uint8Array(1024) });
  assert.equal(rig.answers.get(long)?.type, "refused");
  const taken = rig.ask({ ...ASK, name: "_serf_conflict" });
  assert.equal(rig.answers.get(taken)?.type, "refused");
  assert.equal(rig.answers.get(rig.ask({ ...ASK, name: "_serf_ping" }))?.type, "asked");
});

test("a key operation asks everybody, this node's keeper of keys included, and counts", () => {
  const rig = serfRig(["b"]);
  const id = rig.ask({ type: "key", operation: "install", key: Uint8Array.of(7) });
  const [own] = rig.put("keyRequest");
  assert.deepEqual([own?.operation, own?.key], ["install", Uint8Array.of(7)]);
  const answer = { result: true, message: "", keys: ["k"], primaryKey: "k" };
  rig.ask({ type: "keyDone", ltime: own!.ltime, id: own!.id, answer });
  const [sent] = rig.parts("user", "a");
  assert.ok(sent !== undefined);
  rig.hear("a", sent);
  say(rig, {
    type: "queryResponse",
    ltime: own!.ltime,
    id: own!.id,
    from: "b",
    ack: false,
    payload: plainWire.packKeyAnswer({ ...answer, result: false, message: "no keyring" }),
  });
  rig.pass(7000);
  assert.deepEqual(rig.answers.get(id), {
    type: "keys",
    outcome: {
      nodes: 2,
      responses: 2,
      errors: 1,
      messages: [["b", "no keyring"]],
      keys: [["k", 2]],
      primaryKeys: [["k", 2]],
    },
  });
});

test("a list of keys too long for an answer is cut, and says so", () => {
  const rig = serfRig(["b"]);
  say(rig, query({ name: "_serf_list-keys", payload: plainWire.packKey(NOTHING) }));
  const keys = Array.from({ length: 50 }, (_, i) => `key ${i} ${"x".repeat(40)}`);
  const answer = { result: true, message: "", keys, primaryKey: "" };
  rig.ask({ type: "keyDone", ltime: 4, id: 77, answer });
  const response = bodies(rig, "b").find((body) => body.type === "queryResponse");
  assert.ok(response?.type === "queryResponse" && response.payload.length <= 1024);
  const cut = plainWire.unpackKeyAnswer(response.payload)!;
  assert.ok(cut.keys.length > 5 && cut.keys.length < 50);
  assert.match(cut.message, new RegExp(`showing first ${cut.keys.length} of 50`));
});

// Name conflicts.

for (const [mine, theirs, stops] of [
  [2, 1, false],
  [1, 2, true],
  [1, 1, true],
] as const) {
  test(`with ${mine} for and ${theirs} against its name, a node ${stops ? "stops" : "stays"}`, () => {
    const rig = serfRig(["b", "c", "d"]);
    rig.hear("x", aliveMessage("a", 9, { address: "elsewhere" }));
    rig.fire("gossip");
    const asked = bodies(rig).find((body) => body.type === "query");
    assert.ok(asked?.type === "query" && asked.name === "_serf_conflict");
    const { ltime, id } = asked;
    for (let i = 0; i < mine + theirs; i++) {
      const address = i < mine ? "a" : "elsewhere";
      const payload = plainWire.packConflict({
        name: "a",
        address,
        tags: {},
        status: "alive",
        versions: VERSIONS,
      });
      say(rig, { type: "queryResponse", ltime, id, from: `m${i}`, ack: false, payload });
    }
    rig.pass(7000);
    assert.equal(rig.put("nameTaken").length, stops ? 1 : 0);
  });
}

test("asked about a conflict, a node says where it believes the name is, unless the name is its own", () => {
  const rig = serfRig(["b", "c"]);
  const ask = (name: string, id: number) =>
    say(rig, query({ id, name: "_serf_conflict", payload: new TextEncoder().encode(name) }));
  ask("a", 1);
  assert.deepEqual(bodies(rig, "b"), []);
  ask("c", 2);
  const [answer] = bodies(rig, "b");
  assert.ok(answer?.type === "queryResponse");
  assert.equal(plainWire.unpackConflict(answer.payload)?.address, "c");
});
