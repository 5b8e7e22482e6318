import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import { copy } from "@quorate/kernel";

import { isPresent, type MemberRecord, type MemberState, VERSIONS } from "../member.ts";
import { MemberTable, roster } from "./members.ts";

function record(name: string, state: MemberState, incarnation = 1): MemberRecord {
  return { name, address: name, incarnation, meta: new Uint8Array(0), versions: VERSIONS, state };
}

const STATES: readonly MemberState[] = ["alive", "suspect", "dead", "left"];

for (const shared of [0, 3]) {
  test(`a table on a roster of ${shared} is a map with counts`, () => {
    const base = roster(Array.from({ length: shared }, (_, i) => record(`${i}`, "alive")));
    const step = fc.record({
      name: fc.integer({ min: 0, max: 5 }).map(String),
      state: fc.constantFrom(...STATES, undefined),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new MemberTable(base);
        const plain = new Map(base.records.map((entry) => [entry.name, entry]));
        for (const { name, state } of steps) {
          if (state === undefined) {
            table.forget(name);
            plain.delete(name);
          } else {
            const entry = record(name, state);
            table.put(entry, 5);
            plain.set(name, entry);
          }
          const sorted = (records: Iterable<MemberRecord>) =>
            [...records].toSorted((a, b) => (a.name < b.name ? -1 : 1));
          assert.deepEqual(sorted(table.all()), sorted(plain.values()));
          assert.equal(table.known, plain.size);
          assert.equal(table.present, [...plain.values()].filter(isPresent).length);
          for (const entry of plain.values()) assert.equal(table.get(entry.name), entry);
          const bySlot = Array.from({ length: table.slots }, (_, slot) => table.at(slot));
          assert.equal(bySlot.filter((entry) => entry !== undefined).length, plain.size);
        }
      }),
    );
  });
}

test("tables that stand on one roster share it when copied", () => {
  const base = roster([record("x", "alive")]);
  const table = new MemberTable(base);
  const other = copy(table);
  other.put(record("x", "dead"), 1);
  assert.equal(table.get("x"), base.records[0]);
  assert.equal(other.get("x")?.state, "dead");
});

test("those gone for long are found by when they went", () => {
  const table = new MemberTable();
  table.put(record("x", "suspect"), 10);
  table.put(record("x", "dead"), 20);
  table.put(record("y", "left"), 30);
  assert.deepEqual(table.goneBefore(25), ["x"]);
  assert.equal(table.sinceOf("x"), 20);
  table.put(record("x", "alive", 2), 40);
  assert.deepEqual(table.goneBefore(100), ["y"]);
});
