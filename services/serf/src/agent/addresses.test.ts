import assert from "node:assert/strict";
import { test } from "node:test";

import { advertised, parseAddress, resolveJoin } from "./addresses.ts";
import { AgentError } from "./files.ts";

test("addresses are read as people write them", () => {
  const forms: readonly (readonly [string, string, number])[] = [
    ["10.0.0.1", "10.0.0.1", 7946],
    ["10.0.0.1:99", "10.0.0.1", 99],
    ["node.example:99", "node.example", 99],
    ["::1", "::1", 7946],
    ["[::1]", "::1", 7946],
    ["[::1]:99", "::1", 99],
    [":99", "", 99],
  ];
  for (const [text, host, port] of forms)
    assert.deepEqual(parseAddress(text, 7946), { host, port });
  for (const wrong of ["10.0.0.1:", "10.0.0.1:x", "[::1", "[10.0.0.1]:1", "a:70000", "a:b:c"]) {
    assert.throws(() => parseAddress(wrong, 7946), AgentError, wrong);
  }
});

test("places to join become addresses, each once; what is none is told", async () => {
  const { addresses, failures } = await resolveJoin(
    ["127.0.0.1", "name/127.0.0.1:7946", "[::1]:5", "10.0.0.1:x"],
    7946,
  );
  assert.deepEqual(addresses, ["127.0.0.1:7946", "[::1]:5"]);
  assert.deepEqual(
    failures.map(({ address }) => address),
    ["10.0.0.1:x"],
  );
  const { addresses: named } = await resolveJoin(["localhost:1"], 7946);
  assert.ok(named.includes("127.0.0.1:1") || named.includes("[::1]:1"));
});

test("what is advertised is an address of this machine, or what the operator says", () => {
  const bind = { host: "10.0.0.1", port: 0 };
  assert.equal(advertised({ bind, advertise: undefined }, 99).text, "10.0.0.1:99");
  assert.equal(
    advertised({ bind, advertise: { host: "192.0.2.1", port: 0 } }, 99).text,
    "192.0.2.1:99",
  );
  assert.equal(
    advertised({ bind, advertise: { host: "192.0.2.1", port: 5 } }, 99).text,
    "192.0.2.1:5",
  );
  assert.throws(
    () => advertised({ bind, advertise: { host: "node.example", port: 5 } }, 99),
    AgentError,
  );
});
