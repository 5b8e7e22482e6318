import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Entry } from "./entry.ts";
import { founded } from "./membership.ts";
import { Configurations } from "./configurations.ts";

function made(configuration: Configuration): Entry {
  return { term: 1, kind: "configuration", data: encode(configurationCodec, configuration) };
}

const one = founded({ voters: ["a"] });
const two = founded({ voters: ["a", "b"] });
const three = founded({ voters: ["a", "b", "c"] });

/** `one` from the start, `two` from 5 on, `three` from 9 on. */
function history(): Configurations {
  const configurations = new Configurations(one);
  assert.ok(!configurations.appended(4, { term: 1, kind: "noop", data: new Uint8Array(0) }));
  assert.ok(configurations.appended(5, made(two)));
  assert.ok(configurations.appended(9, made(three)));
  return configurations;
}

test("a configuration counts from its entry on", () => {
  const configurations = history();
  assert.deepEqual(configurations.last, { index: 9, configuration: three });
  assert.deepEqual(configurations.at(8), { index: 5, configuration: two });
  assert.deepEqual(configurations.at(4), { index: 0, configuration: one });
  assert.deepEqual(configurations.before(9), two);
  assert.equal(configurations.before(0), undefined);
});

test("truncation takes back what it covers, and no more", () => {
  const configurations = history();
  assert.ok(!configurations.truncated(10));
  assert.ok(configurations.truncated(9));
  assert.deepEqual(configurations.last.configuration, two);
  assert.ok(configurations.truncated(3));
  assert.deepEqual(configurations.last.configuration, one);
});

test("compaction keeps the configuration to go back to (scenario S4)", () => {
  const configurations = history();
  configurations.compacted(7);
  configurations.truncated(8);
  assert.deepEqual(configurations.last, { index: 5, configuration: two });
  assert.throws(() => configurations.at(4), /is known/);
});

test("a snapshot replaces what it covers, and what was never committed (scenario S2)", () => {
  const kept = history();
  kept.restored({ index: 5, configuration: two }, 7, true);
  assert.deepEqual(kept.last, { index: 9, configuration: three });
  const gone = history();
  gone.restored({ index: 5, configuration: two }, 7, false);
  assert.deepEqual(gone.last, { index: 5, configuration: two });
});

test("an entry known at last takes its place in the order", () => {
  const configurations = new Configurations(one);
  configurations.appended(9, made(three));
  assert.ok(configurations.mended(5, made(two)));
  assert.deepEqual(configurations.last, { index: 9, configuration: three });
  assert.deepEqual(configurations.at(6), { index: 5, configuration: two });
});
