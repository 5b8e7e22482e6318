/**
 * Sentences of the papers, and of memberlist's rules, one test each. SWIM is
 * Das, Gupta, Motivala 2002; Lifeguard is Dadgar, Phillips, Currey 2017.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { VERSIONS } from "../member.ts";
import type { Part } from "../messages.ts";
import { aliveMessage, NOTHING, serfRig, swimRig } from "../rig.test.ts";

const suspect = (node: string, from: string, incarnation = 1): Part => ({
  type: "suspect",
  node,
  incarnation,
  from,
});
const dead = (node: string, from: string, incarnation = 1): Part => ({
  type: "dead",
  node,
  incarnation,
  from,
});

// SWIM §3.1: the failure detector.

test("§3.1 each period one member is pinged", () => {
  const rig = swimRig(["b", "c"]);
  const { node } = rig.probe();
  assert.ok(node === "b" || node === "c");
  assert.ok(!rig.timers.has("probe"), "the next waits for this one");
});

test("§3.1 an acknowledged ping ends the probe", () => {
  const rig = swimRig(["b"]);
  const { seq } = rig.probe();
  rig.hear("b", { type: "ack", seq, coordinate: undefined });
  assert.ok(!rig.timers.has("probeTimeout") && !rig.timers.has("probeEnd"));
  assert.ok(rig.timers.has("probe"));
});

test("§3.1 without an answer in time, k members are asked to ping the target", () => {
  const rig = swimRig(["b", "c", "d", "e", "f"]);
  const { node, seq } = rig.probe();
  rig.fire("probeTimeout");
  const helpers = rig.said.filter(({ message }) => message.type === "packet");
  assert.equal(new Set(helpers.map(({ to }) => to)).size, 3);
  assert.ok(helpers.every(({ to }) => to !== node && to !== "a"));
  for (const part of rig.parts("indirectPing")) {
    assert.deepEqual([part.node, part.target, part.seq, part.nack], [node, node, seq, true]);
  }
});

test("§3.1 an answer by way of a helper counts", () => {
  const rig = swimRig(["b", "c"]);
  const { node, seq } = rig.probe();
  rig.fire("probeTimeout");
  rig.hear("c", { type: "ack", seq, coordinate: undefined });
  assert.equal(rig.state(node), "alive");
  assert.ok(!rig.timers.has("probeEnd"));
});

test("§3.1 a helper pings the target and passes the answer on", () => {
  const rig = swimRig(["b", "c"]);
  const source = { name: "b", address: "b" };
  rig.hear("b", { type: "indirectPing", seq: 7, node: "c", target: "c", nack: true, source });
  const [ping] = rig.parts("ping", "c");
  assert.ok(ping !== undefined && ping.node === "c" && ping.source?.name === "a");
  rig.hear("c", { type: "ack", seq: ping.seq, coordinate: undefined });
  assert.deepEqual(rig.parts("ack", "b"), [{ type: "ack", seq: 7, coordinate: undefined }]);
  assert.ok(!rig.timers.has(`relay:${ping.seq}`));
});

test("§3.1 an answer to an earlier ping is none to this one", () => {
  const rig = swimRig(["b"]);
  const { seq } = rig.probe();
  rig.hear("b", { type: "ack", seq: seq - 1, coordinate: undefined });
  assert.ok(rig.timers.has("probeEnd"));
});

test("a ping for another name is not answered", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", { type: "ping", seq: 1, node: "z", source: undefined });
  assert.deepEqual(rig.parts("ack"), []);
  rig.hear("x", { type: "ping", seq: 2, node: "", source: undefined });
  assert.equal(rig.parts("ack", "x").length, 1, "no name asks whoever is there");
});

test("a ping is answered where its source says it is", () => {
  const rig = swimRig(["b"]);
  const source = { name: "b", address: "b" };
  rig.hear("10.0.0.9:51234", { type: "ping", seq: 1, node: "a", source });
  assert.equal(rig.parts("ack", "b").length, 1);
});

// SWIM §4.1: dissemination.

test("§4.1 news rides on pings and acks", () => {
  const rig = swimRig(["b"]);
  rig.hear("x", aliveMessage("c"));
  rig.hear("b", { type: "ping", seq: 1, node: "a", source: undefined });
  const parts = rig.take("b");
  assert.equal(parts[0]?.type, "ack");
  assert.ok(parts.some((part) => part.type === "alive" && part.node === "c"));
});

test("§4.1 news is told lambda log n times, and no more", () => {
  const rig = swimRig(["b", "c", "d"]);
  rig.pass(5000);
  rig.take();
  rig.hear("b", aliveMessage("b", 2));
  rig.take();
  let told = 0;
  for (let i = 0; i < 20 && rig.timers.has("gossip"); i++) {
    rig.fire("gossip");
    told += rig.parts("alive").filter(({ node }) => node === "b").length;
  }
  assert.equal(told, 4); // retransmitMult * ceil(log10(4 + 1))
  assert.ok(!rig.timers.has("gossip"), "with nothing to say, gossip rests");
});

test("§4.1 no packet tells the same twice", () => {
  const rig = serfRig(["b", "c", "d"]);
  rig.ask({ type: "userEvent", name: "x", payload: NOTHING, coalesce: false });
  rig.fire("gossip");
  for (const { message } of rig.said) {
    assert.ok(message.type === "packet");
    const told = message.parts.map((part) => JSON.stringify(part));
    assert.equal(new Set(told).size, told.length);
  }
});

// SWIM §4.2: suspicion.

test("§4.2 a member that does not answer is suspected, not declared dead", () => {
  const rig = swimRig(["b", "c"]);
  const { node } = rig.probe();
  rig.fire("probeTimeout");
  rig.fire("probeEnd");
  assert.equal(rig.state(node), "suspect");
  assert.ok(rig.timers.has(`suspicion:${node}`));
});

test("§4.2 a suspect that does not refute is declared dead", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", suspect("b", "c"));
  rig.fire("suspicion:b");
  assert.equal(rig.state("b"), "dead");
  assert.deepEqual(rig.noted("failed"), [{ type: "failed", node: "b", confirmations: 0 }]);
  rig.fire("gossip");
  assert.ok(rig.parts("dead").some(({ node, from }) => node === "b" && from === "a"));
});

test("§4.2 a later incarnation outweighs a suspicion", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", suspect("b", "c"));
  rig.hear("b", aliveMessage("b", 2));
  assert.equal(rig.state("b"), "alive");
  assert.ok(!rig.timers.has("suspicion:b"));
});

test("§4.2 an equal incarnation does not", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", suspect("b", "c"));
  rig.hear("b", aliveMessage("b", 1));
  assert.equal(rig.state("b"), "suspect");
});

test("§4.2 only the member itself may raise its incarnation: this node refutes", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", suspect("a", "b", 5));
  assert.equal(rig.state("a"), "alive");
  assert.equal(rig.node.me.incarnation, 6);
  rig.fire("gossip");
  assert.ok(rig.parts("alive").some(({ node, incarnation }) => node === "a" && incarnation === 6));
});

test("§4.2 a member declared dead is dead for its incarnation", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", dead("b", "c"));
  assert.equal(rig.state("b"), "dead");
  rig.hear("b", aliveMessage("b", 1));
  assert.equal(rig.state("b"), "dead");
  rig.hear("b", aliveMessage("b", 2));
  assert.equal(rig.state("b"), "alive");
});

test("old rumours change nothing", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("b", aliveMessage("b", 5));
  rig.hear("c", suspect("b", "c", 4), dead("b", "c", 4), aliveMessage("b", 3));
  assert.equal(rig.state("b"), "alive");
  assert.equal(rig.node.member("b")?.incarnation, 5);
});

test("rumours about strangers change nothing but that they are alive", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", suspect("x", "b"), dead("y", "b"));
  assert.equal(rig.state("x"), undefined);
  assert.equal(rig.state("y"), undefined);
});

// SWIM §4.3: round robin.

test("§4.3 every member is probed within a round, in an order of its own each time", () => {
  const rig = swimRig(["b", "c", "d"]);
  const round = () => {
    const nodes: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { node, seq } = rig.probe();
      nodes.push(node);
      rig.hear(node, { type: "ack", seq, coordinate: undefined });
    }
    return nodes;
  };
  assert.deepEqual(round().toSorted(), ["b", "c", "d"]);
  rig.choices = [3, 2, 1];
  assert.deepEqual(round().toSorted(), ["b", "c", "d"]);
});

// Lifeguard.

test("local health: a failed probe without nacks is this node's own fault", () => {
  const rig = swimRig(["b", "c", "d", "e"]);
  const { node, seq } = rig.probe();
  rig.fire("probeTimeout");
  const helper = ["b", "c", "d", "e"].find((name) => name !== node)!;
  rig.hear(helper, { type: "nack", seq });
  rig.fire("probeEnd");
  assert.equal(rig.node.health, 2, "of three helpers one was well");
});

test("local health: if all helpers are well, the target is at fault", () => {
  const rig = swimRig(["b", "c", "d", "e"]);
  const { seq } = rig.probe();
  rig.fire("probeTimeout");
  for (const helper of ["c", "d", "e"]) rig.hear(helper, { type: "nack", seq });
  rig.fire("probeEnd");
  assert.equal(rig.node.health, 0);
});

test("local health: without helpers each failure costs one", () => {
  const rig = swimRig(["b"]);
  rig.probe();
  rig.fire("probeTimeout");
  rig.fire("probeEnd");
  assert.equal(rig.node.health, 1);
});

test("local health: a node that feels ill gives others more time, and recovers by successes", () => {
  const rig = swimRig(["b"]);
  for (let i = 0; i < 20; i++) rig.ask({ type: "lagged" });
  assert.equal(rig.node.health, 7, "there is a worst");
  const { seq } = rig.probe();
  assert.equal(rig.timers.get("probeEnd")! - rig.now, 8000);
  assert.equal(
    rig.timers.get("probeTimeout")! - rig.now,
    500,
    "packets do not get faster by waiting",
  );
  rig.hear("b", { type: "ack", seq, coordinate: undefined });
  assert.equal(rig.node.health, 6);
});

test("local health: having to refute is a bad sign", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", suspect("a", "b"));
  assert.equal(rig.node.health, 1);
});

test("a helper that hears nothing says that it is well", () => {
  const rig = swimRig(["b", "c"]);
  const source = { name: "b", address: "b" };
  rig.hear("b", { type: "indirectPing", seq: 7, node: "c", target: "c", nack: true, source });
  const [ping] = rig.parts("ping", "c");
  rig.fire(`relay:${ping!.seq}`);
  assert.deepEqual(rig.parts("nack", "b"), [{ type: "nack", seq: 7 }]);
});

test("dynamic suspicion: each further accuser shortens the time, and is told on", () => {
  const rig = swimRig(["b", "c", "d", "e"]);
  rig.hear("c", suspect("b", "c"));
  assert.equal(rig.timers.get("suspicion:b")! - rig.now, 24_000);
  rig.pass(1000);
  rig.take();
  rig.hear("d", suspect("b", "d"));
  assert.equal(rig.timers.get("suspicion:b")! - rig.now, 10_381);
  rig.fire("gossip");
  assert.ok(rig.parts("suspect").every(({ from }) => from === "d"));
  rig.hear("e", suspect("b", "e"));
  assert.ok(rig.timers.get("suspicion:b")! - rig.now <= 4000);
});

test("a node that slept through the end of a probe suspects nobody but itself", () => {
  const rig = swimRig(["b", "c"]);
  const { node } = rig.probe();
  rig.now += 60_000;
  rig.fire("probeTimeout");
  rig.fire("probeEnd");
  assert.equal(rig.state(node), "alive");
  assert.equal(rig.node.health, 1);
});

test("a node that slept through the end of a suspicion listens first, once", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", suspect("b", "c"));
  rig.now += 60_000;
  rig.fire("suspicion:b");
  assert.equal(rig.state("b"), "suspect");
  assert.equal(rig.node.health, 1);
  rig.now += 60_000;
  rig.fire("suspicion:b");
  assert.equal(rig.state("b"), "dead");
});

test("buddy system: the ping to a suspect carries the suspicion, and nothing else", () => {
  const rig = swimRig(["b"]);
  rig.hear("x", suspect("b", "x"));
  const { parts } = rig.probe();
  assert.deepEqual(
    parts.map((part) => part.type),
    ["ping", "suspect"],
  );
  assert.ok(parts[1]?.type === "suspect" && parts[1].from === "a");
});

// Memberlist's further rules.

test("a stream that gets through keeps a member from suspicion", () => {
  const rig = swimRig(["b"]);
  const { seq } = rig.probe();
  rig.fire("probeTimeout");
  const [ping] = rig.streams();
  assert.ok(ping?.message.type === "streamPing");
  rig.hearStream("b", { type: "streamAck", exchange: ping.message.exchange, seq });
  rig.fire("probeEnd");
  assert.equal(rig.state("b"), "alive");
  assert.equal(rig.noted("onlyStreams").length, 1);
});

test("a farewell is no failure", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", dead("b", "b"));
  assert.equal(rig.state("b"), "left");
});

test("a name does not move to another address while its owner lives or was just found dead", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("x", aliveMessage("b", 9, { address: "x" }));
  assert.equal(rig.node.member("b")?.address, "b");
  rig.hear("c", dead("b", "c"));
  rig.hear("x", aliveMessage("b", 9, { address: "x" }));
  assert.equal(rig.state("b"), "dead");
  assert.equal(rig.noted("conflict").length, 2);
});

test("a name moves after a farewell, even with a lower incarnation", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", aliveMessage("b", 5), dead("b", "b", 5));
  rig.hear("x", aliveMessage("b", 1, { address: "x" }));
  assert.deepEqual([rig.state("b"), rig.node.member("b")?.address], ["alive", "x"]);
});

test("a dead name may be reclaimed after the time set for it", () => {
  const rig = swimRig(["b", "c"], { deadNodeReclaimMs: 10_000 });
  rig.hear("c", dead("b", "c"));
  rig.now += 10_001;
  rig.hear("x", aliveMessage("b", 1, { address: "x" }));
  assert.deepEqual([rig.state("b"), rig.node.member("b")?.address], ["alive", "x"]);
});

test("a dead name is free for another address when gossip to the dead is over", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", dead("b", "c"));
  rig.now += 30_001;
  rig.hear("x", aliveMessage("b", 1, { address: "x" }));
  assert.deepEqual([rig.state("b"), rig.node.member("b")?.address], ["alive", "x"]);
});

test("an alive without protocol versions is refused, since it would spoil every later merge", () => {
  const rig = swimRig([]);
  rig.hear("b", aliveMessage("b", 1, { versions: [0, 0, 0, 0, 0, 0] }));
  assert.equal(rig.state("b"), undefined);
});

test("what an earlier life with other meta said is refuted, even at the same incarnation", () => {
  const rig = swimRig(["b"]);
  rig.hear("b", aliveMessage("a", 1, { meta: Uint8Array.of(9), versions: VERSIONS }));
  assert.equal(rig.node.me.incarnation, 2);
  assert.deepEqual(rig.node.me.meta, NOTHING);
});

test("the dead get gossip for a while, so that they can refute", () => {
  const rig = swimRig(["b", "c"], { gossipNodes: 2 });
  rig.hear("c", dead("b", "c"));
  rig.fire("gossip");
  assert.ok(rig.said.some(({ to }) => to === "b"));
  rig.pass(31_000);
  rig.take();
  rig.hear("c", aliveMessage("c", 2));
  rig.fire("gossip");
  assert.ok(!rig.said.some(({ to }) => to === "b"));
});

test("the dead leave the table once a round of probes ends after their time", () => {
  const rig = swimRig(["b", "c"], { deadMemoryMs: 60_000 });
  rig.hear("c", dead("b", "c"));
  rig.now += 31_000;
  const round = () => {
    for (let i = 0; i < 3; i++) {
      const { node, seq } = rig.probe();
      rig.hear(node, { type: "ack", seq, coordinate: undefined });
    }
  };
  round();
  assert.equal(rig.state("b"), "dead");
  rig.hear("x", aliveMessage("b", 1));
  assert.equal(rig.state("b"), "dead", "hearsay does not revive it meanwhile");
  rig.now += 30_000;
  round();
  assert.equal(rig.state("b"), undefined);
});

test("one that pings and is taken for dead is told so", () => {
  const rig = swimRig(["b", "c"]);
  rig.hear("c", dead("b", "c"));
  rig.take();
  rig.hear("b", { type: "ping", seq: 3, node: "a", source: { name: "b", address: "b" } });
  assert.deepEqual(
    rig.take("b").map((part) => part.type),
    ["ack", "dead"],
  );
});

test("one that pings and is unknown is asked for its state, not too often", () => {
  const rig = swimRig([]);
  const ping = { type: "ping", seq: 3, node: "a", source: { name: "x", address: "x" } } as const;
  rig.hear("x", ping);
  rig.hear("x", ping);
  assert.deepEqual(
    rig.streams().map(({ to, message }) => [to, message.type]),
    [["x", "pushPull"]],
  );
});
