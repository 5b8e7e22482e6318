/** What push/pulls make of intents (G44), and what becomes of those who are to be forgotten. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { MemberRecord } from "../member.ts";
import { aliveMessage, bodies, type Rig, say, serfRig } from "../rig.test.ts";
import type { LTime, MemberStatus, SerfState } from "./messages.ts";
import type { Serf } from "./serf.ts";

function status(rig: Rig<Serf>, name: string): MemberStatus | undefined {
  return rig.node.memberList().find((member) => member.name === name)?.status;
}

/** Somebody opens a push/pull, tells this of the intents, and hears what this node tells. */
function exchange(
  rig: Rig<Serf>,
  statusLTimes: { readonly [name: string]: LTime },
  left: readonly string[] = [],
  members: readonly MemberRecord[] = [],
): SerfState {
  rig.hearStream("x", {
    type: "pushPull",
    exchange: 1,
    reply: false,
    join: false,
    members,
    state: {
      ltime: 1 + Math.max(0, ...Object.values(statusLTimes)),
      statusLTimes: Object.entries(statusLTimes),
      left,
      eventLTime: 1,
      events: [],
      queryLTime: 1,
    },
  });
  const answer = rig.streams().find(({ to }) => to === "x");
  assert.ok(answer?.message.type === "pushPull" && answer.message.state !== undefined);
  return answer.message.state;
}

const told = (rig: Rig<Serf>, name: string): LTime | undefined =>
  new Map(exchange(rig, {}).statusLTimes).get(name);

const dead = (node: string, from: string) =>
  ({ type: "dead", node, incarnation: 1, from }) as const;

/** A node that heard `b` leave at time 5, and go. */
function rigThatSawLeave(): Rig<Serf> {
  const rig = serfRig(["b", "c"]);
  say(rig, { type: "leave", ltime: 5, node: "b", prune: false });
  rig.hear("b", dead("b", "b"));
  assert.equal(status(rig, "b"), "left");
  return rig;
}

test("a leave is told as one earlier, for its reader adds one", () => {
  const rig = serfRig(["b", "c"]);
  say(rig, { type: "join", ltime: 3, node: "b" });
  assert.equal(told(rig, "b"), 3);
  say(rig, { type: "leave", ltime: 5, node: "b", prune: false });
  assert.equal(told(rig, "b"), 4, "or who has not heard the leave yet would take it for old");
  rig.hear("b", dead("b", "b"));
  assert.equal(told(rig, "b"), 4);
  rig.hear("c", dead("c", "c"));
  assert.equal(told(rig, "c"), 0, "a farewell alone comes after the last intent");
});

test("a join that is heard before its member is back does not make the leave later", () => {
  const rig = rigThatSawLeave();
  say(rig, { type: "join", ltime: 7, node: "b" });
  assert.equal(status(rig, "b"), "left");
  // A reader that has the member back since time 7 would show it as leaving since 8.
  assert.equal(told(rig, "b"), 4);
  rig.hear("b", aliveMessage("b", 2));
  assert.equal(status(rig, "b"), "alive");
  assert.equal(told(rig, "b"), 7);
});

test("a leave does not age by push/pulls, so that a later word about it counts", () => {
  const rig = rigThatSawLeave();
  for (let times = 0; times < 5; times++) exchange(rig, { b: told(rig, "b")! }, ["b"]);
  assert.equal(told(rig, "b"), 4);
  // A real agent tells it as it is, and each exchange with another adds one.
  exchange(rig, { b: 8 }, ["b"]);
  say(rig, { type: "leave", ltime: 6, node: "b", prune: true });
  assert.equal(status(rig, "b"), undefined);
});

test("who came back stays alive, whoever missed it and still tells of the leave", () => {
  const rig = rigThatSawLeave();
  rig.hear("b", aliveMessage("b", 2));
  say(rig, { type: "join", ltime: 7, node: "b" });
  const before = { ...aliveMessage("b"), name: "b", state: "left" } as const;
  // The other heard the join, and has left members wait for nothing but their being alive.
  exchange(rig, { b: 7 }, ["b"], [before]);
  assert.equal(status(rig, "b"), "alive");
  exchange(rig, { b: 9 }, ["b"], [before]);
  assert.equal(status(rig, "b"), "alive");
});

test("a stranger that is told to have left enters as what it is", () => {
  const rig = serfRig(["b"]);
  exchange(rig, { d: 9 }, ["d"]);
  rig.meet("d");
  assert.equal(status(rig, "d"), "alive");
});

test("of a failed member a push/pull tells that it left", () => {
  const rig = serfRig(["b", "c"]);
  for (const node of ["b", "c"]) rig.hear("x", dead(node, "x"));
  say(rig, { type: "join", ltime: 6, node: "c" });
  exchange(rig, { b: 5, c: 5 }, ["b", "c"]);
  assert.equal(status(rig, "b"), "left");
  assert.equal(status(rig, "c"), "failed", "a later word outweighs it");
  assert.equal(told(rig, "b"), 5);
});

test("who holds a member for failed since its leave or later is told of the leave as later", () => {
  const rig = rigThatSawLeave();
  exchange(rig, { b: 7 });
  assert.equal(told(rig, "b"), 7, "which its reader takes for 8");
});

test("a node that is said to have done what it did not joins anew", () => {
  for (const left of [[], ["a"]]) {
    const rig = serfRig(["b"]);
    rig.pass(5000);
    rig.take();
    exchange(rig, { a: 9 }, left);
    assert.equal(status(rig, "a"), "alive");
    rig.fire("gossip");
    const joins = bodies(rig).filter((body) => body.type === "join");
    assert.ok(joins.length > 0);
    // Later than all that was said: a leave that was read in a push/pull is at 10.
    for (const join of joins) assert.ok(join.ltime >= 10 + left.length);
    rig.pass(5000);
    rig.take();
    exchange(rig, { a: joins[0]!.ltime });
    rig.pass(5000);
    assert.deepEqual(bodies(rig), [], "its own word is no news");
  }
});

test("an intent by which a member was forgotten is no news when it comes again", () => {
  const rig = rigThatSawLeave();
  rig.pass(5000);
  const prune = { type: "leave", ltime: 6, node: "b", prune: true } as const;
  say(rig, prune);
  assert.equal(status(rig, "b"), undefined);
  rig.pass(5000);
  assert.ok(bodies(rig).some((body) => body.type === "leave" && body.prune));
  say(rig, prune);
  rig.pass(5000);
  assert.deepEqual(bodies(rig), []);
  rig.hear("b", aliveMessage("b", 2));
  assert.equal(status(rig, "b"), "alive", "and does not hold against it when it comes back");
});

test("that a member is to be forgotten can be repeated for those who did not heed it", () => {
  const rig = rigThatSawLeave();
  const times = [1, 2].map(() => {
    const id = rig.ask({ type: "forceLeave", node: "b", prune: true });
    assert.deepEqual(rig.answers.get(id), { type: "done" });
    assert.equal(status(rig, "b"), undefined);
    rig.take();
    rig.fire("gossip");
    const said = bodies(rig).find((body) => body.type === "leave");
    assert.ok(said?.type === "leave" && said.node === "b" && said.prune);
    return said.ltime;
  });
  assert.ok(times[1]! > times[0]!, "as a later word");
});

test("a member that denies that it leaves is not forgotten when it fails", () => {
  const rig = serfRig(["b"]);
  say(rig, { type: "leave", ltime: 5, node: "b", prune: true });
  say(rig, { type: "join", ltime: 6, node: "b" });
  rig.hear("x", dead("b", "x"));
  assert.equal(status(rig, "b"), "failed");
});
