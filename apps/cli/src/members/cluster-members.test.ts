import assert from "node:assert/strict";
import { test } from "node:test";

import type { MembershipChange } from "@quorate/consensus";
import {
  type GroupStatus,
  HostError,
  type HostErrorData,
  type Member as Part,
} from "@quorate/host";

import { ClusterMembers, memberAt } from "./cluster-members.ts";
import { memberOperations } from "./operations.ts";

/** A group that answers as the test says, and tells what it was asked. */
class FakeGroup {
  readonly name: string;
  readonly asked: string[] = [];
  /** What the next changes meet, in order; then all are made. */
  readonly failures: HostErrorData[] = [];
  members: Part[];
  leader: string | undefined = "n1";

  constructor(name: string, members: readonly Part[]) {
    this.name = name;
    this.members = [...members];
  }

  status(): GroupStatus {
    const voters = this.members.filter(({ part }) => part === "voter").map(({ node }) => node);
    const { name, leader } = this;
    const indexes = { commitIndex: 1, appliedIndex: 1, lastIndex: 1 };
    const log = { engine: "raft", generation: 1, role: "leader", term: 1 } as const;
    return { name, leader, ...log, voters, learners: [], ...indexes };
  }

  async reconfigure(changes: readonly MembershipChange[]): Promise<readonly Part[]> {
    this.asked.push(
      changes.map((each) => `${each.type} ${"node" in each ? each.node : ""}`).join(", "),
    );
    const failure = this.failures.shift();
    if (failure !== undefined) throw new HostError(failure);
    return this.members;
  }

  async transfer(): Promise<string> {
    this.asked.push("transfer");
    this.leader = "n2";
    return "n2";
  }
}

const voter = (node: string, address = ""): Part => ({ node, part: "voter", address, priority: 1 });
const told = [1, 2, 3].map((n) => ({ name: `n${n}`, host: "h", portBase: 1000 * n }));
const add: MembershipChange = { type: "add", node: "n4", as: "voter", address: "h:4001" };
const refusedFor = (problem: "pending" | "notReady" | "alreadyMember" | "usedName") =>
  ({ code: "changeRefused", problem, node: "n4" }) as const;

function cluster(...groups: readonly FakeGroup[]): ClusterMembers {
  return new ClusterMembers({ self: "n1", groups: () => groups, told, ask: { timeoutMs: 1 } });
}

test("members are those of the groups, where the log says they are, else where the node was told", () => {
  const one = new FakeGroup("a", [voter("n10", "far:5001#id"), voter("n2")]);
  const two = new FakeGroup("b", [voter("n9", "[::1]:6001"), voter("unheard")]);
  assert.deepEqual(cluster(one, two).list(), [
    { name: "n2", host: "h", portBase: 2000 },
    { name: "n9", host: "::1", portBase: 6000 },
    { name: "n10", host: "far", portBase: 5000 },
  ]);
  assert.deepEqual(cluster(new FakeGroup("a", [])).list(), told);
  assert.equal(memberAt("x", "h:0"), undefined);
  assert.equal(memberAt("x", "h:65530"), undefined);
});

test("a change is made in every group; one where it was made before does not stop it", async () => {
  const groups = [new FakeGroup("a", [voter("n1")]), new FakeGroup("b", [voter("n1")])] as const;
  groups[0].failures.push(refusedFor("alreadyMember"));
  assert.equal(await cluster(...groups).change([add]), undefined);
  assert.deepEqual(groups[1].asked, ["add n4"]);
  for (const group of groups) group.failures.push(refusedFor("alreadyMember"));
  assert.equal((await cluster(...groups).change([add]))?.problem, "alreadyMember");
});

test("what passes is waited for, what stays is told, and what an attempt did is not done twice", async () => {
  const group = new FakeGroup("a", [voter("n1")]);
  group.failures.push(refusedFor("notReady"), refusedFor("pending"));
  assert.equal(await cluster(group).change([add]), undefined);
  assert.equal(group.asked.length, 3);
  group.failures.push(refusedFor("usedName"));
  assert.match((await cluster(group).change([add]))?.reason ?? "", /names are used once/);
  group.failures.push(
    { code: "rejected", reason: "lostLeadership", definite: false },
    refusedFor("alreadyMember"),
  );
  assert.equal(await cluster(group).change([add]), undefined);
  group.failures.push({ code: "timeout", afterMs: 1 });
  await assert.rejects(cluster(group).change([add]), /whether the command was executed is unknown/);
});

test("the last voter stays, and so does one without which too few answer", async () => {
  const remove = (node: string): MembershipChange => ({ type: "remove", node });
  const last = new FakeGroup("a", [voter("n1")]);
  assert.equal((await cluster(last).change([remove("n1")]))?.problem, "noVoters");
  // n3 is nowhere: without n2 only this node would be at work.
  const few = new FakeGroup(
    "a",
    told.map(({ name }) => voter(name, "127.0.0.1:2")),
  );
  const refusal = await cluster(few).change([remove("n2")]);
  assert.equal(refusal?.problem, "quorum");
  assert.match(
    refusal.reason,
    /only 1 of the 2 voters of a would be at work, and it takes 2: bring n3 back/,
  );
  assert.deepEqual([...last.asked, ...few.asked], []);
});

test("a leader hands over before it is removed", async () => {
  const group = new FakeGroup("a", [voter("n1"), voter("n2")]);
  group.leader = "n2";
  assert.equal(await cluster(group).change([{ type: "remove", node: "n2" }]), undefined);
  assert.deepEqual(group.asked, ["transfer", "remove n2"]);
});

test("operations check what they are told, and a node takes a vacant place with what is remembered of it", async () => {
  const vacant: Part = { node: "~ab", part: "learner", address: "h:4001#ab", priority: 1 };
  const group = new FakeGroup("a", [voter("n1"), vacant]);
  const operations = memberOperations(cluster(group));
  const run = (name: string, body: object) => {
    const found = operations.find(({ path }) => path === `/members/${name}`);
    return found?.run(body) ?? assert.fail(`${name} is no operation`);
  };
  for (const body of [
    { name: "n4" },
    { name: "-", address: "h:1001" },
    { name: "n4", address: "h:1001#x" },
  ]) {
    const outcome = await run("add", body);
    assert.equal(outcome.type === "refused" && outcome.status, 400);
  }
  const taken = await run("add", { name: "n4", address: "h:4001" });
  assert.match(
    taken.type === "refused" ? taken.reason : "",
    /~ab was added there and waits for its node/,
  );
  assert.equal((await run("claim", { name: "n4", vacancy: "~ab" })).type, "done");
  assert.deepEqual(group.asked, ["remove ~ab, add n4"]);
  const gone = await run("claim", { name: "n4", vacancy: "~cd" });
  assert.equal(gone.type === "refused" && gone.code, "unknownMember");
});
