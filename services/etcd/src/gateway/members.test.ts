import assert from "node:assert/strict";
import { test } from "node:test";

import { vacancy } from "@quorate/host";

import { type MemberUrls, newId, Roster, type RosterOptions } from "./members.ts";

// What `etcdctl member list -w json` says of real clusters of etcd 3.4.23.

type Listed = RosterOptions["group"]["members"];

/** A roster over members that the test changes. */
function rosterOf(self: string, founders: ReadonlyMap<string, MemberUrls>, token: string) {
  let members: Listed = [];
  let configuration = {};
  const group = {
    get members() {
      return members;
    },
    // Only looked at to see whether it is another.
    get log() {
      return { configuration } as RosterOptions["group"]["log"];
    },
  };
  const urlsAt = (address: string): MemberUrls => {
    return { peerUrls: [`http://${address}`], clientUrls: [`http://${address}/client`] };
  };
  const roster = new Roster({ self, founders, token, group, urlsAt });
  const become = (next: Listed): void => {
    members = next;
    configuration = {};
  };
  return { roster, become };
}

const urls = (n: number): MemberUrls => ({
  peerUrls: [`http://127.0.0.1:2239${n}`, `http://127.0.0.1:2238${n}`],
  clientUrls: [`http://127.0.0.1:2237${n}`],
});
const three = new Map([
  ["n1", urls(1)],
  ["n2", urls(2)],
  ["n3", urls(3)],
]);
const voter = { part: "voter", address: "", priority: 1 } as const;

test("ids of a cluster of three with two peer URLs each are those of a real etcd", () => {
  const { roster } = rosterOf("n1", three, "tok-7");
  assert.equal(roster.clusterId, 7669033889773088802n.toString(16));
  assert.deepEqual(
    roster.members.map(({ name, id }) => [name, id]),
    [
      ["n2", 8026733281652325379n.toString(16)],
      ["n1", 12446114130733645245n.toString(16)],
      ["n3", 12987598659281638573n.toString(16)],
    ],
  );
  assert.equal(roster.self.name, "n1");
});

test("ids of a cluster of one with etcd's token are those of a real etcd", () => {
  const alone = { peerUrls: ["http://127.0.0.1:21380"], clientUrls: ["http://127.0.0.1:21379"] };
  const { roster } = rosterOf("e1", new Map([["e1", alone]]), "etcd-cluster");
  assert.equal(roster.clusterId, "31c6e9f19e0fb0d9");
  assert.equal(roster.self.id, "69b38ac7138de88d");
});

test("members come and go, and nobody's id changes: not by an address, not by taking a place", () => {
  const { roster, become } = rosterOf("n1", three, "tok-7");
  const before = new Map(roster.members.map(({ name, id }) => [name, id]));
  const id = newId(["http://h:7061"], "tok-7", 1);
  const place = roster.addressOf({ node: vacancy(id), id }, "h:7061");
  const founders = ["n1", "n2", "n3"].map((node) => ({ node, ...voter }));
  become([...founders, { node: vacancy(id), part: "learner", address: place, priority: 1 }]);
  const vacant = roster.members.find((member) => member.id === id);
  assert.deepEqual(
    [vacant?.name, vacant?.peerUrls, vacant?.clientUrls, vacant?.isLearner],
    ["", ["http://h:7061"], [], true],
  );

  const moved = { node: "n2", ...voter, address: "elsewhere:7021" };
  const taken = { node: "n4", ...voter, address: roster.addressOf({ node: "n4", id }, "h:8061") };
  become([founders[0]!, moved, taken, { node: "n5", ...voter, address: "h:7081" }]);
  const after = new Map(roster.members.map((member) => [member.name, member]));
  assert.deepEqual([...after.keys()].toSorted(), ["n1", "n2", "n4", "n5"]);
  assert.equal(after.get("n2")?.id, before.get("n2"));
  assert.deepEqual(after.get("n2")?.peerUrls, ["http://elsewhere:7021"]);
  assert.equal(after.get("n4")?.id, id);
  assert.deepEqual(after.get("n4")?.clientUrls, ["http://h:8061/client"]);
  const five = after.get("n5")!;
  assert.equal(roster.addressOf(five, "h:9000"), "h:9000");
  become([{ node: "n5", ...voter, address: "h:9000" }]);
  assert.equal(roster.members[0]?.id, five.id);
});

test("a member that is added again at the same place is another", () => {
  assert.notEqual(newId(["http://h:1"], "t", 1), newId(["http://h:1"], "t", 2));
});

test("a node that has yet to join knows itself, and the founders by what it was told", () => {
  const { roster, become } = rosterOf("n4", three, "tok-7");
  const { id } = roster.self;
  assert.deepEqual(
    roster.members.map(({ name }) => name),
    ["n2", "n1", "n3"],
  );
  become([{ node: "n4", part: "promotable", address: "h:7061", priority: 1 }]);
  assert.equal(roster.self, roster.members[0]);
  assert.deepEqual([roster.self.id, roster.self.isLearner], [id, false]);
});
