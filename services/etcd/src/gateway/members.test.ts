import assert from "node:assert/strict";
import { test } from "node:test";

import { membership } from "./members.ts";

// What `etcdctl member list -w json` says of real clusters of etcd 3.4.23.

test("ids of a cluster of three with two peer URLs each are those of a real etcd", () => {
  const urls = (n: number) => ({
    peerUrls: [`http://127.0.0.1:2239${n}`, `http://127.0.0.1:2238${n}`],
    clientUrls: [`http://127.0.0.1:2237${n}`],
  });
  const members = new Map([
    ["n1", urls(1)],
    ["n2", urls(2)],
    ["n3", urls(3)],
  ]);
  const known = membership("n1", members, "tok-7");
  assert.equal(known.clusterId, 7669033889773088802n.toString(16));
  assert.deepEqual(
    known.members.map(({ name, id }) => [name, id]),
    [
      ["n2", 8026733281652325379n.toString(16)],
      ["n1", 12446114130733645245n.toString(16)],
      ["n3", 12987598659281638573n.toString(16)],
    ],
  );
  assert.equal(known.self.name, "n1");
});

test("ids of a cluster of one with etcd's token are those of a real etcd", () => {
  const urls = { peerUrls: ["http://127.0.0.1:21380"], clientUrls: ["http://127.0.0.1:21379"] };
  const known = membership("e1", new Map([["e1", urls]]), "etcd-cluster");
  assert.equal(known.clusterId, "31c6e9f19e0fb0d9");
  assert.equal(known.self.id, "69b38ac7138de88d");
});

test("who is not among the members has no membership", () => {
  assert.throws(() => membership("n9", new Map(), "token"), /n9 is not among the members/);
});
