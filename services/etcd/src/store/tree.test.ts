import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@quorate/kernel";
import { Keyspace } from "./keyspace.ts";

test("a tree of many keys lists, counts and forgets them like a sorted array", () => {
  const random = new Random(7);
  const keyspace = new Keyspace();
  const { tree } = keyspace;
  const living = new Set<string>();
  const dead = new Set<string>();
  const value = new Uint8Array(1);
  const check = (): void => {
    const all = [...living, ...dead].toSorted();
    assert.deepEqual(
      tree.list("", undefined).map((entry) => entry.key),
      all,
    );
    assert.equal(tree.live, living.size);
    const alive = [...living].toSorted();
    for (let i = 0; i < 20; i++) {
      const key = `k${random.below(4000)}`;
      assert.equal(tree.rank(key), alive.filter((other) => other < key).length);
    }
  };
  for (let round = 0; round < 30_000; round++) {
    const key = `k${random.below(round < 20_000 ? 4000 : 300)}`;
    const entry = keyspace.keys.get(key);
    if (entry === undefined || random.chance(1, 3)) {
      keyspace.put(key, value, "");
      living.add(key);
      dead.delete(key);
    } else if (entry.alive) {
      keyspace.delete(entry);
      living.delete(key);
      dead.add(key);
    } else {
      keyspace.forget(entry);
      dead.delete(key);
    }
    keyspace.commit();
    if (round % 5000 === 0) check();
  }
  check();
  for (const key of living) keyspace.delete(keyspace.keys.get(key)!);
  for (const entry of Array.from(keyspace.keys.values())) keyspace.forget(entry);
  assert.deepEqual([tree.live, tree.list("", undefined)], [0, []]);
});
