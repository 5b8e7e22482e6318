/** Dotted vectors, alone and as sets, against causal histories of writes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode, MalformedInput, uint } from "@quorate/kernel";

import { contextOf, dottedCodec, nextVersion, type Sibling, syncSiblings } from "./dotted.ts";
import { DottedSet, dottedSetCodec } from "./dotted-set.ts";
import { VersionVector } from "./version-vector.ts";

const RUNS = Number(process.env["QUORATE_SEEDS"] ?? 150);
const SERVERS = ["r", "s", "t"];
const setCodec = dottedSetCodec(uint);

/** What the oracle keeps of a server: all writes it knows, each with those that its writer had read. */
type Known = ReadonlyMap<number, ReadonlySet<number>>;

function maximal(known: Known): readonly number[] {
  const overwritten = new Set(
    [...known].flatMap(([value, read]) => [...read].filter((one) => one !== value)),
  );
  return [...known.keys()].filter((value) => !overwritten.has(value)).toSorted((a, b) => a - b);
}

const action = fc.oneof(
  fc.record({ type: fc.constant("read" as const), client: fc.nat(2), server: fc.nat(2) }),
  fc.record({ type: fc.constant("write" as const), client: fc.nat(2), server: fc.nat(2) }),
  fc.record({ type: fc.constant("sync" as const), server: fc.nat(2), other: fc.nat(2) }),
);

test("the siblings are the writes that no known write has seen, by either kind of clock", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 50 }), (script) => {
      const sets = SERVERS.map(() => new DottedSet<number>());
      const lists: (readonly Sibling<number>[])[] = SERVERS.map(() => []);
      const known: Known[] = SERVERS.map(() => new Map());
      const clients = [0, 1, 2].map(() => ({
        set: VersionVector.empty,
        list: VersionVector.empty,
        history: new Set<number>() as ReadonlySet<number>,
      }));
      for (const [value, step] of script.entries()) {
        const at = step.server;
        if (step.type === "sync") {
          sets[at] = sets[at]!.sync(sets[step.other]!);
          lists[at] = syncSiblings(lists[at]!, lists[step.other]!);
          known[at] = new Map([...known[at]!, ...known[step.other]!]);
        } else if (step.type === "read") {
          clients[step.client] = {
            set: sets[at]!.context,
            list: contextOf(lists[at]!),
            history: new Set([...known[at]!].flatMap(([written, read]) => [written, ...read])),
          };
        } else {
          const client = clients[step.client]!;
          sets[at] = sets[at]!.write(client.set, SERVERS[at]!, value);
          const clock = nextVersion(lists[at]!, SERVERS[at]!, client.list);
          lists[at] = syncSiblings(lists[at]!, [{ clock, value }]);
          known[at] = new Map([...known[at]!, [value, new Set([...client.history, value])]]);
        }
        const expected = maximal(known[at]!);
        assert.deepEqual(
          sets[at]!.values.toSorted((a, b) => a - b),
          expected,
        );
        assert.deepEqual(
          lists[at]!.map((sibling) => sibling.value).toSorted((a, b) => a - b),
          expected,
        );
      }
    }),
    { numRuns: RUNS },
  );
});

/** Sets as servers come to hold them: written and synced. */
const sets = fc.array(action, { maxLength: 30 }).map((script) => {
  const held = SERVERS.map(() => new DottedSet<number>());
  const contexts = [0, 1, 2].map(() => VersionVector.empty);
  for (const [value, step] of script.entries()) {
    const at = step.server;
    if (step.type === "sync") held[at] = held[at]!.sync(held[step.other]!);
    else if (step.type === "read") contexts[step.client] = held[at]!.context;
    else held[at] = held[at]!.write(contexts[step.client]!, SERVERS[at]!, value);
  }
  return held;
});

test("sync is commutative, associative and idempotent", () => {
  fc.assert(
    fc.property(sets, ([a, b, c]) => {
      assert.deepEqual(a!.sync(b!), b!.sync(a!));
      assert.deepEqual(a!.sync(b!).sync(c!), a!.sync(b!.sync(c!)));
      assert.deepEqual(a!.sync(a!), a);
    }),
  );
});

test("a hundred clients that read before they write leave one sibling, a vector for each server or not", () => {
  let set = new DottedSet<number>();
  for (let round = 1; round <= 100; round++) {
    const { context } = set;
    set = set.write(context, "r", round).write(context, "r", -round);
    assert.equal(
      set.values.length,
      2,
      "two writers at a time leave two siblings, not more each round",
    );
  }
  assert.equal(set.entries.length, 1);
});

test("an acknowledged context does not cover a sibling the writer has not read (C12)", () => {
  const set = new DottedSet<number>().write(VersionVector.empty, "r", 1);
  const raced = set.write(VersionVector.empty, "r", 2);
  const context = raced.acknowledge(VersionVector.empty, "r");
  assert.deepEqual(raced.write(context, "r", 3).values.toSorted(), [1, 2, 3]);
  const alone = set.acknowledge(VersionVector.empty, "r");
  assert.deepEqual(set.write(alone, "r", 3).values, [3]);
});

test("a delete with a context leaves the writes that the deleter had not seen", () => {
  const set = new DottedSet<number>().write(VersionVector.empty, "r", 1);
  const later = set.write(VersionVector.empty, "s", 2);
  assert.deepEqual(later.discard(set.context).values, [2]);
  const gone = later.discard(later.context);
  assert.deepEqual(gone.sync(set).values, [], "what was deleted does not return");
});

test("reconciling writes one value that has seen all; reading the greatest writes nothing", () => {
  const a = new DottedSet<number>().write(VersionVector.empty, "r", 1);
  const b = new DottedSet<number>().write(VersionVector.empty, "s", 5);
  const both = a.sync(b);
  const one = both.reconcile("r", (values) => Math.max(...values));
  assert.deepEqual(one.values, [5]);
  assert.deepEqual(both.sync(one).values, [5]);
  assert.equal(
    both.greatest((x, y) => x - y),
    5,
  );
  assert.equal(
    a.reconcile("r", () => 9),
    a,
  );
});

test("pruning drops the longest unchanged empty entries, and old siblings may then look new (C05)", () => {
  let set = new DottedSet<number>();
  for (const server of ["a", "b", "c"]) set = set.write(set.context, server, 1);
  const stale = set;
  set = set.write(set.context, "d", 2);
  const pruned = set.prune(2);
  assert.deepEqual(
    pruned.entries.map(({ actor }) => actor),
    ["c", "d"],
  );
  assert.deepEqual(pruned.sync(stale).values, [2], "an entry still named covers its values");
  const forgotten = set.prune(1);
  assert.deepEqual(forgotten.sync(stale).values.toSorted(), [1, 2], "a dropped one does not");
});

test("binary forms give the values back and refuse what cannot be", () => {
  fc.assert(
    fc.property(sets, (held) => {
      for (const set of held) {
        assert.deepEqual(decode(setCodec, encode(setCodec, set)).entries, set.entries);
      }
    }),
  );
  const version = { dot: { actor: "r", counter: 3 }, past: VersionVector.of([["s", 2]]) };
  assert.deepEqual(decode(dottedCodec, encode(dottedCodec, version)), version);
  const entry = { actor: "r", counter: 1, values: [1, 2], changed: 1 };
  assert.throws(() => decode(setCodec, encode(setCodec, new DottedSet([entry]))), MalformedInput);
});
