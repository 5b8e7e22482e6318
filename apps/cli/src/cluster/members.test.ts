import assert from "node:assert/strict";
import { test } from "node:test";

import { formatCluster, localMembers, parseCluster } from "./members.ts";
import { hostPort, isLoopback, parseHostPort, portBaseOf } from "./ports.ts";

function wrong(text: string): string {
  const parsed = parseCluster(text);
  return parsed.type === "wrong" ? parsed.reason : assert.fail(`${text} was accepted`);
}

test("each node has a block of twenty ports", () => {
  assert.equal(portBaseOf(7000, 0), 7000);
  assert.equal(portBaseOf(7000, 2), 7040);
  assert.deepEqual(
    localMembers(3, "127.0.0.1", 7000).map(({ name }) => name),
    ["n1", "n2", "n3"],
  );
});

test("a cluster reads back as it was written", () => {
  const members = [
    { name: "n1", host: "127.0.0.1", portBase: 7000 },
    { name: "far", host: "::1", portBase: 7000 },
    { name: "n-2.x", host: "db.example.org", portBase: 100 },
  ];
  const text = formatCluster(members);
  assert.equal(text, "n1=127.0.0.1:7001,far=[::1]:7001,n-2.x=db.example.org:101");
  assert.deepEqual(parseCluster(text), { type: "members", members });
});

test("a cluster that cannot be meant is refused", () => {
  assert.match(wrong(""), /does not begin with NAME=/);
  assert.match(wrong("n1"), /does not begin with NAME=/);
  assert.match(wrong("-x=h:1000"), /does not begin with NAME=/);
  assert.match(wrong("n1=host"), /does not end with =HOST:PORT/);
  assert.match(wrong("n1=host:99999"), /does not end with =HOST:PORT/);
  assert.match(wrong("n1=a:7001,n1=b:7001"), /n1 is there twice/);
  assert.match(wrong("n1=a:7001,n2=a:7002"), /n1 and n2 share ports/);
  assert.match(wrong("n1=a:65535"), /no room/);
});

test("addresses are taken apart and put together", () => {
  assert.deepEqual(parseHostPort("[fe80::1%eth0]:80"), { host: "fe80::1%eth0", port: 80 });
  assert.equal(parseHostPort("::1:80"), undefined);
  assert.equal(parseHostPort("host:0"), undefined);
  assert.equal(hostPort("::1", 80), "[::1]:80");
});

test("loopback is what only this machine reaches", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.ok(isLoopback(host));
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.evil.org"]) assert.ok(!isLoopback(host));
});
