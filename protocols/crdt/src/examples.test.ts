/** The README's examples. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import * as documents from "./document/index.ts";
import * as frontDoor from "./index.ts";
import {
  counter,
  DeltaSync,
  type Editor,
  flag,
  list,
  lww,
  map,
  mapOf,
  Replica,
  set,
  type SyncWords,
} from "./index.ts";

test("the counter of the README counts on both sides", () => {
  // region: counter
  const here = new Replica(counter, "alice");
  const there = new Replica(counter, "bob");
  here.mutate((likes) => likes.increment());
  there.mutate((likes) => likes.increment(2));
  here.merge(there.encode()); // Whole states, in any order, any number of times …
  there.merge(here.delta()!); // … or what changed since the last time.
  assert.equal(here.value, 3);
  assert.equal(there.value, 3);
  // endregion
});

test("the cart of the README keeps what was added while it was removed", () => {
  // region: cart
  const cart = mapOf(map({ pieces: counter, notes: set.string }));
  const phone = new Replica(cart, "phone");
  const laptop = new Replica(cart, "laptop");
  phone.mutate((items) => items.at("milk").pieces.increment(2));
  laptop.merge(phone.delta()!);
  phone.mutate((items) => items.remove("milk"));
  laptop.mutate((items) => items.at("milk").pieces.increment());
  laptop.merge(phone.delta()!);
  phone.merge(laptop.delta()!);
  assert.deepEqual(phone.value["milk"]?.pieces, 1); // The one that the phone had not seen.
  // endregion
  assert.deepEqual(laptop.value, phone.value);
});

test("the to-do list of the README is ordered, edited and typed", () => {
  // region: todo
  const todo = map({ title: lww.string, done: flag, tags: set.string });
  const todos = new Replica(list(todo), "alice");
  todos.mutate((items) => {
    items.push().title.set("write");
    items.push().title.set("read");
    items.move(1, 0);
    items.at(0).done.enable();
  }, Date.now()); // The wall clock, for `lww`.
  const open = todos.value.filter(({ done }) => !done).map(({ title }) => title);
  assert.deepEqual(open, ["write"]);
  // endregion
});

test("the process of the README keeps replicas the same over a bad network", () => {
  // region: sync
  type Likes = ReturnType<typeof counter.handle>;
  const editor: Editor<Likes, number> = Object.freeze({
    apply: (likes: Likes, by: number) => likes.increment(by),
  });
  const nodes = ["a", "b", "c"];
  const world = new Simulation<SyncWords<number, number>, DeltaSync<number, Likes, number>>({
    seed: 1,
    nodes,
    lossPermille: 300,
    create: (id) => new DeltaSync(counter, editor, id, nodes),
  });
  world.runFor(5_000);
  for (const id of nodes) world.request(id, { type: "edit", command: 1, wallMs: 0 }, () => {});
  world.runFor(20_000);
  assert.deepEqual(
    world.processes.map(({ value }) => value),
    [3, 3, 3],
  );
  // endregion
});

test("the front door has all that documents have", () => {
  const all = new Map<string, unknown>(Object.entries(frontDoor));
  const missing = Object.entries(documents).filter(([name, part]) => all.get(name) !== part);
  assert.deepEqual(missing, []);
});
