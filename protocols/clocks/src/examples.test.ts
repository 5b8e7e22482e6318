/** The README's examples. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DottedSet,
  HybridClock,
  IntervalStamp,
  noDisk,
  VectorClock,
  VersionVector,
} from "./index.ts";

test("the vector clock of the README tells concurrent from ordered", () => {
  // region: vector
  const alice = new VectorClock("alice");
  const bob = new VectorClock("bob");
  const asked = alice.tick(); // { alice: 1 }
  const hummed = bob.tick(); // { bob: 1 }
  const answered = bob.receive(asked); // { alice: 1, bob: 2 }
  assert.equal(asked.compare(answered), "before");
  assert.equal(asked.compare(hummed), "concurrent");
  // endregion
});

test("the store of the README keeps both of two blind writes, and one of two that read", () => {
  // region: siblings
  let cart = new DottedSet<string>();
  const { context } = cart; // Two clients read the empty cart from server s1 …
  cart = cart.write(context, "s1", "milk");
  cart = cart.write(context, "s1", "bread"); // … and write without having seen each other.
  assert.deepEqual(cart.values, ["bread", "milk"]);
  cart = cart.write(cart.context, "s1", "milk and bread"); // One reads both and settles it.
  assert.deepEqual(cart.values, ["milk and bread"]);
  // endregion
});

test("the hybrid clock of the README goes on while the wall clock does not", () => {
  // region: hybrid
  const clock = new HybridClock("n1");
  const first = clock.tick(1_764_000_000_000, noDisk);
  const second = clock.tick(1_763_999_999_000, noDisk); // Set back by a second.
  assert.deepEqual([second.ms - first.ms, second.count], [0, 1]);
  // endregion
});

test("the interval tree stamps of the README need no names", () => {
  // region: interval
  const [here, there] = IntervalStamp.seed.fork();
  const written = here.event();
  assert.equal(written.compare(there.event()), "concurrent");
  const merged = there.join(written.peek()).event(); // A message carries what it knows, no identity.
  assert.equal(written.compare(merged), "before");
  // endregion
});

test("the empty vector knows nothing", () => {
  assert.equal(VersionVector.empty.get("a"), 0);
});
