import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import {
  type ChangeEvent,
  type Delta,
  Doc,
  Nested,
  SharedArray,
  SharedMap,
  SharedText,
} from "./index.ts";
import { randomEdit } from "./random-edit.test.ts";
import { OurPeer } from "./peers.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 20);

type Unit = readonly [value: unknown, attributes: Record<string, unknown>];

/** The units of a text that a delta makes of others. */
function changed(units: readonly Unit[], delta: Delta): Unit[] {
  const result: Unit[] = [];
  let at = 0;
  for (const step of delta) {
    if ("insert" in step) {
      const values = typeof step.insert === "string" ? step.insert.split("") : [step.insert];
      for (const value of values) result.push([value, { ...step.attributes }]);
    } else if ("delete" in step) at += step.delete;
    else {
      for (const [value, attributes] of units.slice(at, at + step.retain)) {
        const all = Object.entries({ ...attributes, ...step.attributes });
        result.push([value, Object.fromEntries(all.filter(([, item]) => item !== null))]);
      }
      at += step.retain;
    }
  }
  return [...result, ...units.slice(at)];
}

test("the deltas of a text's events make one state of the other", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const peers = [new OurPeer(1), new OurPeer(2)];
    const mirrors = peers.map(({ text }) => {
      const mirror: { units: Unit[] } = { units: [] };
      text.observe(({ delta }) => {
        mirror.units = changed(mirror.units, delta);
      });
      return mirror;
    });
    for (let step = 0; step < 100; step++) {
      const [one, other] = random.chance(1, 2) ? peers : peers.toReversed();
      one!.doc.transact(() => {
        for (let n = random.below(3); n >= 0; n--) one!.run(randomEdit(random, true));
      });
      if (random.chance(1, 3)) other!.apply(one!.encode(other!.stateVector()));
      for (const [i, { text }] of peers.entries()) {
        const expected = changed([], text.toDelta());
        assert.deepEqual(mirrors[i]!.units, expected, `seed ${seed}, step ${step}`);
      }
    }
  }
});

test("events of arrays and maps tell values, keys and paths", () => {
  const doc = new Doc({ client: 1 });
  const map = doc.root("m", SharedMap);
  map.set("list", SharedArray.draft([1, 2]));
  map.set("k", "old");
  const events: ChangeEvent[] = [];
  map.observeDeep((all) => events.push(...all));
  doc.transact(() => {
    map.set("k", "new");
    const list = map.get("list");
    assert.ok(list instanceof Nested);
    const array = list.as(SharedArray);
    array.insert(1, ["x"]);
    array.delete(0);
  });
  assert.equal(events.length, 2);
  assert.deepEqual([...events[0]!.keys], [["k", { action: "update", oldValue: "old" }]]);
  assert.deepEqual(events[1]!.path, ["list"]);
  assert.deepEqual(events[1]!.delta, [{ delete: 1 }, { insert: ["x"] }]);
});

test("an observer may change the document and apply updates", () => {
  const other = new Doc({ client: 2 });
  other.root("t", SharedText).insert(0, "other ");
  const doc = new Doc({ client: 1 });
  const text = doc.root("t", SharedText);
  const seen: string[] = [];
  const stop = text.observe(() => {
    seen.push(text.toString());
    if (seen.length === 1) doc.apply(other.encode());
    if (seen.length === 2) text.insert(0, "!");
  });
  text.insert(0, "mine");
  assert.equal(seen.length, 3);
  assert.equal(seen[2], text.toString());
  stop();
  text.insert(0, "?");
  assert.equal(seen.length, 3);
});
