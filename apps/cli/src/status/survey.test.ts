import assert from "node:assert/strict";
import { test } from "node:test";

import type { GroupReport, NodeReport } from "../cluster/report.ts";
import { painter } from "../terminal/terminal.ts";
import { statusText } from "./status.ts";
import { groupsOf, type Surveyed } from "./survey.ts";

const voters = ["n1", "n2", "n3"];

function answered(
  name: string,
  group: Partial<GroupReport>,
  node: Partial<NodeReport> = {},
): Surveyed {
  const report: NodeReport = {
    name,
    version: "1.0.0",
    clusterId: "c",
    clusterToken: "quorate",
    founders: [],
    removed: [],
    pid: 1,
    healthy: true,
    reason: "",
    uptimeMs: 61_000,
    members: [],
    gossip: {},
    peers: {},
    counters: {},
    groups: [
      {
        name: "etcd",
        role: "follower",
        term: 3,
        leader: "n1",
        commitIndex: 10,
        appliedIndex: 10,
        lastIndex: 10,
        voters,
        learners: [],
        promotable: [],
        engine: "raft",
        generation: 1,
        figures: {},
        ...group,
      },
    ],
    ...node,
  };
  return { name, endpoint: `${name}:1`, report };
}

const silent: Surveyed = { name: "n3", endpoint: "n3:1", reason: "connection refused" };
const leader = answered("n1", { role: "leader" });
const follower = answered("n2", { appliedIndex: 8 });

test("a majority behind one leader is a quorum, and what is above it may fail", () => {
  const [all] = groupsOf([leader, follower, answered("n3", {})]);
  assert.deepEqual([all?.quorum, all?.spare, all?.leader], [true, 1, "n1"]);
  const [two] = groupsOf([leader, follower, silent]);
  assert.deepEqual([two?.quorum, two?.spare, two?.able], [true, 0, ["n1", "n2"]]);
});

test("a leader without followers is no quorum, nor are followers without a leader", () => {
  const lost: Surveyed = { name: "n2", endpoint: "n2:1", reason: "?" };
  assert.equal(groupsOf([leader, lost, silent])[0]?.quorum, false);
  assert.equal(groupsOf([follower, answered("n3", {})])[0]?.quorum, false);
});

test("of two that call themselves leaders the newer term counts, with those who follow it", () => {
  const newer = answered("n2", { role: "leader", term: 4, leader: "n2" });
  const [group] = groupsOf([leader, newer, answered("n3", { term: 4, leader: "n2" })]);
  assert.deepEqual([group?.leader, group?.able], ["n2", ["n2", "n3"]]);
});

test("the table shows lag and what does not answer", () => {
  const nodes = [leader, follower, silent];
  const text = statusText({ nodes, groups: groupsOf(nodes) }, painter(false));
  assert.equal(
    text,
    `NODE  PID  HEALTH       ENGINE  ROLE      TERM  COMMIT  APPLIED  LAG     UPTIME  VERSION
n1      1  ok           raft    leader       3      10       10    0  1 min 1 s  1.0.0
n2      1  ok           raft    follower     3      10        8    2  1 min 1 s  1.0.0
n3      -  unreachable

n3 at n3:1: connection refused
etcd works: n1 leads in term 3, 2 of 3 voters take part, none may fail
`,
  );
});
