/** The named scenarios that implementers get wrong (counters, registers, flags, sets, maps, deltas). */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boundedCounter,
  counter,
  CrdtError,
  disableWinsFlag,
  flag,
  jsonDocument,
  list,
  LIMITS,
  lww,
  map,
  mapOf,
  mv,
  removeWinsSet,
  Replica,
  set,
  twoPhaseSet,
  type Type,
  upDownCounter,
} from "../index.ts";

/** Replicas of one type that hear of each other when told to. */
function replicas<Value, Handle>(type: Type<Value, Handle>, count = 2): Replica<Value, Handle>[] {
  return ["a", "b", "c"].slice(0, count).map((actor) => new Replica(type, actor));
}

function sync<Value, Handle>(...all: readonly Replica<Value, Handle>[]): void {
  for (let round = 0; round < 2; round++) {
    for (const one of all) for (const other of all) if (one !== other) one.merge(other.encode());
  }
  for (const one of all) assert.deepEqual(one.value, all[0]!.value);
}

/** Edits and gives the delta. */
function edit<Value, Handle>(
  replica: Replica<Value, Handle>,
  change: (handle: Handle) => void,
  wallMs?: number,
): Uint8Array {
  replica.mutate(change, wallMs);
  return replica.delta()!;
}

test("S01 merging counters sums actors, and takes each actor's once", () => {
  const [a, b] = replicas(upDownCounter);
  const delta = edit(a!, (n) => n.increment(5));
  edit(b!, (n) => n.decrement(2));
  b!.merge(delta);
  b!.merge(delta);
  b!.merge(a!.encode());
  assert.equal(b!.value, 3);
});

test("S02 a reset takes away what its maker had seen, and not a concurrent increment", () => {
  const [a, b] = replicas(counter);
  edit(a!, (n) => n.increment(5));
  sync(a!, b!);
  edit(a!, (n) => n.increment(2));
  edit(b!, (n) => n.reset());
  sync(a!, b!);
  assert.equal(a!.value, 2);
});

test("S02 the same after the counter's stable dots were put together", () => {
  const [a, b] = replicas(counter);
  for (let i = 0; i < 5; i++) edit(a!, (n) => n.increment());
  sync(a!, b!);
  assert.equal(a!.stable(b!.version), 4);
  assert.equal(a!.value, 5);
  edit(a!, (n) => n.increment(2));
  edit(b!, (n) => n.reset());
  sync(a!, b!);
  assert.equal(a!.value, 2);
});

test("S03 a counter that is made anew in a map starts at zero, and its old self does not win", () => {
  const [a, b] = replicas(mapOf(counter));
  edit(a!, (m) => m.at("x").increment(100));
  sync(a!, b!);
  const stale = b!.encode();
  edit(a!, (m) => m.remove("x"));
  edit(a!, (m) => m.at("x").increment());
  a!.merge(stale);
  sync(a!, b!);
  assert.deepEqual(b!.value, { x: 1 });
});

test("S04 of adding and removing at once, adding wins", () => {
  const [a, b] = replicas(set.string);
  edit(a!, (s) => s.add("x"));
  sync(a!, b!);
  edit(a!, (s) => s.remove("x"));
  edit(b!, (s) => s.add("x"));
  sync(a!, b!);
  assert.ok(a!.root.has("x"));
});

test("S04 in the other set removing wins, and the element may be added again", () => {
  const [a, b] = replicas(removeWinsSet.string);
  edit(a!, (s) => s.remove("x"));
  edit(b!, (s) => s.add("x"));
  sync(a!, b!);
  assert.ok(!a!.root.has("x"));
  edit(a!, (s) => s.add("x"));
  sync(a!, b!);
  assert.ok(b!.root.has("x"));
});

test("S05 removing what is not seen here changes nothing", () => {
  const [a, b] = replicas(set.string);
  edit(a!, (s) => s.add("x"));
  b!.mutate((s) => s.remove("x"));
  assert.equal(b!.delta(), undefined);
  sync(a!, b!);
  assert.ok(b!.root.has("x"));
});

test("S06 what was added again stays when the old addition's delta arrives late", () => {
  const [a, b] = replicas(set.string);
  const old = edit(a!, (s) => s.add("x"));
  const removal = edit(a!, (s) => s.remove("x"));
  b!.merge(removal);
  const again = edit(a!, (s) => s.add("x"));
  b!.merge(again);
  b!.merge(old);
  assert.ok(b!.root.has("x"));
  const c = new Replica(set.string, "c");
  for (const delta of [removal, old]) c.merge(delta);
  assert.ok(!c.root.has("x"), "the removal came first and still counts (S09)");
});

test("S07 removing a key against an edit under it keeps the edited part alone", () => {
  const [a, b] = replicas(mapOf(map({ title: lww.string, done: flag, tags: set.string })));
  edit(a!, (m) => {
    m.create("t").title.set("milk");
    m.at("t").tags.add("shop");
  });
  sync(a!, b!);
  edit(a!, (m) => m.remove("t"));
  edit(b!, (m) => m.at("t").done.enable());
  sync(a!, b!);
  assert.deepEqual(a!.value["t"], { title: undefined, done: true, tags: new Set() });
});

test("S08 removing a part and then the key around it leaves nothing behind, in any order of arrival", () => {
  const type = mapOf(mapOf(set.string));
  const [a] = replicas(type);
  const deltas = [
    edit(a!, (m) => m.at("x").at("y").add("z")),
    edit(a!, (m) => m.at("x").remove("y")),
    edit(a!, (m) => m.remove("x")),
  ];
  for (const order of [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    const late = new Replica(type, "late");
    for (const i of order) if (deltas[i] !== undefined) late.merge(deltas[i]);
    assert.deepEqual(late.value, {});
  }
});

test("S10 a place that is an object here and plain there keeps both until it is set again", () => {
  const [a, b] = replicas(jsonDocument);
  edit(a!, (doc) => doc.set([], {}));
  sync(a!, b!);
  edit(a!, (doc) => doc.set(["k"], { deep: 1 }));
  edit(b!, (doc) => doc.set(["k"], "plain"));
  sync(a!, b!);
  assert.deepEqual(a!.value, { k: { deep: 1 } });
  edit(b!, (doc) => doc.remove(["k"]));
  sync(a!, b!);
  assert.deepEqual(a!.value, {});
});

test("S11 equal times are decided by the actor, not by the value", () => {
  const [a, b] = replicas(lww.string);
  edit(a!, (r) => r.set("zzzz"), 7);
  edit(b!, (r) => r.set("a"), 7);
  sync(a!, b!);
  assert.equal(a!.value, "a");
});

test("a write that has seen another wins over it, whatever the clocks say (N15)", () => {
  const [a, b] = replicas(lww.string);
  edit(a!, (r) => r.set("first"), 3_600_000);
  sync(a!, b!);
  edit(b!, (r) => r.set("second"), 5);
  sync(a!, b!);
  assert.equal(a!.value, "second");
});

test("S12 clearing against writing at the same time keeps the write", () => {
  const [a, b] = replicas(lww.string);
  edit(a!, (r) => r.set("x"), 1);
  sync(a!, b!);
  edit(a!, (r) => r.clear(), 9);
  edit(b!, (r) => r.set("y"), 9);
  sync(a!, b!);
  assert.equal(b!.value, "y");
});

test("S13 a write to a multi-value register replaces what it has seen, and nothing else", () => {
  const [a, b, c] = replicas(mv.string, 3);
  edit(a!, (r) => r.set("a"));
  edit(b!, (r) => r.set("b"));
  sync(a!, b!);
  assert.deepEqual(a!.value.toSorted(), ["a", "b"]);
  edit(c!, (r) => r.set("c"));
  edit(a!, (r) => r.set("both"));
  sync(a!, b!, c!);
  assert.deepEqual(b!.value.toSorted(), ["both", "c"]);
});

test("S14 of enabling and disabling at once, the type's name says which wins", () => {
  for (const [type, expected] of [
    [flag, true],
    [disableWinsFlag, false],
  ] as const) {
    const [a, b] = replicas(type as typeof flag);
    edit(a!, (f) => f.enable());
    sync(a!, b!);
    edit(a!, (f) => f.disable());
    edit(b!, (f) => f.enable());
    sync(a!, b!);
    assert.equal(a!.value, expected);
  }
});

test("S15 a no is kept until it is stable, and then nothing is", () => {
  const [a, b] = replicas(removeWinsSet.string);
  edit(a!, (s) => s.add("x"));
  edit(a!, (s) => s.remove("x"));
  sync(a!, b!);
  const kept = a!.encode().length;
  assert.equal(a!.stable(b!.version), 1);
  assert.ok(a!.encode().length < kept);
  edit(a!, (s) => s.add("x"));
  sync(a!, b!);
  assert.ok(b!.root.has("x"), "a collected no does not live on elsewhere");
});

test("S16 what is added in one change is removed one by one", () => {
  const [a, b] = replicas(set.string);
  const both = edit(a!, (s) => {
    s.add("x");
    s.add("y");
  });
  const removal = edit(a!, (s) => s.remove("x"));
  b!.merge(removal);
  b!.merge(both);
  assert.deepEqual([...b!.value], ["y"]);
});

test("an element of a two-phase set never returns", () => {
  const [a, b] = replicas(twoPhaseSet.string);
  edit(a!, (s) => assert.ok(s.add("x")));
  sync(a!, b!);
  edit(a!, (s) => assert.ok(s.remove("x")));
  sync(a!, b!);
  b!.mutate((s) => assert.ok(!s.add("x")));
  assert.equal(b!.delta(), undefined);
});

test("a bounded counter gives away no more than there is, however it is split", () => {
  const [a, b, c] = replicas(boundedCounter, 3);
  edit(a!, (n) => n.increment(10));
  edit(a!, (n) => assert.ok(n.transfer("b", 6)));
  sync(a!, b!, c!);
  assert.deepEqual([a!.root.rights(), b!.root.rights(), c!.root.rights()], [4, 6, 0]);
  edit(a!, (n) => assert.ok(n.decrement(4)));
  edit(b!, (n) => {
    assert.ok(!n.decrement(7));
    assert.ok(n.decrement(6));
  });
  c!.mutate((n) => assert.ok(!n.decrement()));
  sync(a!, b!, c!);
  assert.equal(a!.value, 0);
  assert.throws(() => mapOf(boundedCounter), /cannot be in a map/);
});

test("Q12 moved by two, an element is at one of the places, once; moved and removed, it is gone", () => {
  const [a, b] = replicas(list(lww.string));
  edit(a!, (l) => ["1", "2", "3", "4"].forEach((text) => l.push().set(text)));
  sync(a!, b!);
  edit(a!, (l) => l.move(0, 3), 1);
  edit(b!, (l) => l.move(0, 1), 2);
  sync(a!, b!);
  assert.deepEqual(a!.value, ["2", "1", "3", "4"]);
  edit(a!, (l) => l.move(1, 3));
  edit(b!, (l) => l.remove(1));
  sync(a!, b!);
  assert.deepEqual(a!.value, ["2", "3", "4"]);
});

test("an element edited while it is removed is back at its place with the edit", () => {
  const [a, b] = replicas(list(lww.string));
  edit(a!, (l) => ["1", "2", "3"].forEach((text) => l.push().set(text)));
  sync(a!, b!);
  edit(a!, (l) => l.remove(1));
  edit(b!, (l) => l.at(1).set("two"));
  sync(a!, b!);
  assert.deepEqual(a!.value, ["1", "two", "3"]);
});

test("one dot with two meanings is found, and the replica is as it was", () => {
  const [a, twin] = [new Replica(lww.string, "a"), new Replica(lww.string, "a")];
  const b = new Replica(lww.string, "b");
  edit(a, (r) => r.set("x"));
  edit(twin, (r) => r.set("y"));
  edit(twin, (r) => r.set("z"));
  b.merge(a.encode());
  const before = b.encode();
  const forged = new Replica(mv.string, "a");
  edit(forged, (r) => r.set("y"));
  assert.throws(() => b.merge(forged.encode()), { code: "wrongType" });
  const other = new Replica(lww.string, "a");
  edit(other, (r) => r.set("other"));
  const c = new Replica(lww.string, "c");
  edit(c, (r) => r.set("c"));
  const mixed = new Replica(lww.string, "d");
  mixed.merge(other.encode());
  mixed.merge(c.encode());
  assert.throws(() => b.merge(mixed.encode()), { code: "duplicateActor" });
  assert.deepEqual(b.encode(), before);
});

test("the future is refused within the limits that are set, and nothing of it stays", () => {
  const source = new Replica(lww.string, "a");
  const deltas = [1, 2, 3, 4, 5, 6].map((n) => edit(source, (r) => r.set(String(n)), 120_000));
  const limited = new Replica(lww.string, "b", { ...LIMITS, gaps: 1, actors: 2, aheadCounters: 5 });
  const before = limited.encode();
  assert.throws(() => limited.merge(deltas[0]!, 1_000), { code: "ahead" });
  assert.throws(() => limited.merge(deltas[5]!), { code: "ahead" });
  assert.deepEqual(limited.encode(), before);
  limited.merge(deltas[1]!);
  assert.throws(() => limited.merge(deltas[3]!), { code: "gap" });
  const stranger = new Replica(lww.string, "c");
  assert.throws(() => limited.merge(edit(stranger, (r) => r.set("?"))), { code: "tooManyActors" });
  limited.merge(source.encode());
  assert.equal(limited.value, "6");
});

test("a time beyond all times, or later than the whole it is in, is malformed", () => {
  const b = new Replica(lww.string, "b");
  const late = [1, ...Array<number>(4).fill(0), ...Array<number>(7).fill(0xff), 0x01, 0, 0, 0];
  assert.throws(() => b.merge(Uint8Array.from(late)), CrdtError);
  assert.throws(() => b.mutate((r) => r.set("x"), 2 ** 48), /wall clocks/);
  const c = new Replica(lww.string, "c");
  edit(c, (r) => r.set("x"), 100);
  const bytes = c.encode();
  bytes[5] = 99; // The header's time, below that of the write.
  assert.throws(() => b.merge(bytes), { code: "malformed" });
});
