import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Entry, entryBytes } from "./entry.ts";
import { Log } from "./log.ts";

function entry(term: number, size: number = 0): Entry {
  return { term, kind: "command", data: new Uint8Array(size) };
}

function logOf(...terms: readonly number[]): Log {
  const log = new Log();
  for (const term of terms) log.append(entry(term));
  return log;
}

test("an empty log ends before its first entry", () => {
  const log = new Log();
  assert.deepEqual([log.firstIndex, log.lastIndex, log.lastTerm], [1, 0, 0]);
  assert.equal(log.termAt(0), 0);
  assert.equal(log.termAt(1), undefined);
});

test("a log begins after what was compacted away, and knows the term there", () => {
  const log = logOf(1, 1, 2, 3);
  log.compact(3);
  assert.deepEqual(log.base, { index: 3, term: 2 });
  assert.deepEqual([log.firstIndex, log.lastIndex, log.lastTerm], [4, 4, 3]);
  assert.equal(log.termAt(3), 2);
  assert.equal(log.termAt(2), undefined);
  log.compact(4);
  assert.equal(log.lastTerm, 3, "also when nothing is left");
});

test("what is compacted away is neither read nor replaced", () => {
  const log = logOf(1, 1, 2);
  log.compact(2);
  assert.throws(() => log.at(2), /entry 2/);
  assert.throws(() => log.truncateFrom(2), /never replaced/);
  assert.throws(() => log.slice(2, 1), /entry 2/);
  assert.throws(() => log.range(2, 3), /range/);
  log.compact(1);
  assert.equal(log.base.index, 2, "and compacting less changes nothing");
});

test("nobody compacts what is not there", () => {
  assert.throws(() => logOf(1).compact(2), /entry 2/);
});

test("terms never fall along a log", () => {
  assert.throws(() => logOf(2).append(entry(1)), /terms never fall/);
});

test("a slice holds at least one entry, and at most its bytes", () => {
  const log = new Log();
  for (const size of [100, 0, 0]) log.append(entry(1, size));
  assert.equal(log.slice(1, 1).length, 1);
  assert.equal(log.slice(1, 116).length, 1);
  assert.equal(log.slice(2, 32).length, 2);
  assert.equal(log.slice(2, 31).length, 1);
  assert.deepEqual(log.slice(4, 100), []);
});

test("§5.4.1: logs are compared by the last term, then by length", () => {
  const log = logOf(1, 2, 2);
  assert.equal(log.isAtMost(3, 2), true);
  assert.equal(log.isAtMost(2, 2), false);
  assert.equal(log.isAtMost(9, 1), false);
  assert.equal(log.isAtMost(1, 3), true);
});

const terms = fc
  .array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 })
  .map((list) => list.toSorted((a, b) => a - b));

test("a hint is the last index whose term is not later", () => {
  fc.assert(
    fc.property(terms, fc.nat(14), fc.nat(5), fc.nat(12), (list, from, term, base) => {
      const log = logOf(...list);
      log.compact(Math.min(base, list.length));
      const { index: lowest } = log.base;
      let expected = lowest;
      for (let i = lowest + 1; i <= Math.min(from, list.length); i++) {
        if (list[i - 1]! <= term) expected = i;
      }
      if (from >= lowest) assert.equal(log.lastAtOrBelow(from, term), expected);
    }),
  );
});

type Command = readonly [
  verb: "append" | "truncate" | "compact" | "reset",
  at: number,
  size: number,
];

test("whatever is done to it, a log is what a plain list of entries would be", () => {
  const verbs = fc.constantFrom<Command[0]>("append", "append", "truncate", "compact", "reset");
  const commands = fc.array(fc.tuple(verbs, fc.nat(20), fc.nat(50)), { maxLength: 40 });
  fc.assert(
    fc.property(commands, (list) => {
      const log = new Log();
      let model: { readonly index: number; readonly entry: Entry }[] = [];
      let base = 0;
      let term = 1;
      for (const [verb, at, size] of list) {
        const last = base + model.length;
        const index = base + 1 + (model.length === 0 ? 0 : at % model.length);
        if (verb === "append") {
          term = Math.max(term, log.lastTerm) + (at % 2);
          const added = entry(term, size);
          assert.equal(log.append(added), last + 1);
          model.push({ index: last + 1, entry: added });
        } else if (verb === "truncate" && index <= last) {
          log.truncateFrom(index);
          model = model.filter((one) => one.index < index);
        } else if (verb === "compact" && index <= last) {
          log.compact(index);
          model = model.filter((one) => one.index > index);
          base = index;
        } else if (verb === "reset") {
          log.reset(last + at, term);
          base = last + at;
          model = [];
        }
        assert.equal(log.lastIndex, base + model.length);
        let bytes = 0;
        for (const one of model) {
          assert.equal(log.at(one.index), one.entry);
          assert.ok(log.matches(one.index, one.entry.term));
          bytes += entryBytes(one.entry);
        }
        assert.equal(log.bytes, bytes, "and knows its size");
      }
    }),
  );
});
