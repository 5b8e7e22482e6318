/** The named scenarios of trees. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { lww, type NodeName, Replica, ROOT, tree, type TreeNode } from "../index.ts";

const type = tree(lww.string);
type Tree = Replica<readonly TreeNode<string | undefined>[], ReturnType<typeof type.handle>>;

function replicas(count: number): Tree[] {
  return ["a", "b", "c"].slice(0, count).map((actor) => new Replica(type, actor));
}

function sync(...all: readonly Tree[]): void {
  for (let round = 0; round < 2; round++) {
    for (const one of all) for (const other of all) if (one !== other) one.merge(other.encode());
  }
  for (const one of all) assert.deepEqual(one.value, all[0]!.value);
}

/** `x(y z)`: the names are values here. */
function draw(nodes: readonly TreeNode<string | undefined>[]): string {
  return nodes
    .map(({ value, children }) => (children.length > 0 ? `${value}(${draw(children)})` : value))
    .join(" ");
}

/** Makes nodes under the root, by their values. */
function plant(replica: Tree, ...values: readonly string[]): NodeName[] {
  const names: NodeName[] = [];
  replica.mutate((handle) => {
    for (const value of values) {
      const node = handle.create();
      handle.at(node).set(value);
      names.push(node);
    }
  });
  return names;
}

test("T01 moved under each other at once, the later move is left out, and there is no cycle", () => {
  const [a, b] = replicas(2);
  const [x, y] = plant(a!, "x", "y");
  sync(a!, b!);
  a!.mutate((handle) => handle.move(x!, y!), 1);
  b!.mutate((handle) => handle.move(y!, x!), 2);
  sync(a!, b!);
  assert.equal(draw(a!.value), "y(x)");
});

test("T02 a node moved out of one that is removed stays; moved in, it goes along", () => {
  const [a, b] = replicas(2);
  const [parent, inner, outer] = plant(a!, "parent", "inner", "outer");
  a!.mutate((handle) => handle.move(inner!, parent!));
  sync(a!, b!);
  a!.mutate((handle) => handle.remove(parent!), 10);
  b!.mutate((handle) => handle.move(inner!, ROOT), 20);
  sync(a!, b!);
  assert.equal(draw(a!.value), "outer inner");
  const [other] = plant(a!, "other");
  sync(a!, b!);
  a!.mutate((handle) => handle.remove(other!), 30);
  b!.mutate((handle) => handle.move(outer!, other!), 40);
  sync(a!, b!);
  assert.equal(draw(a!.value), "inner");
});

test("T03 a long cycle made by three replicas is broken at the latest move", () => {
  const [a, b, c] = replicas(3);
  const [x, y, z] = plant(a!, "x", "y", "z");
  sync(a!, b!, c!);
  a!.mutate((handle) => handle.move(x!, y!), 1);
  b!.mutate((handle) => handle.move(y!, z!), 2);
  c!.mutate((handle) => handle.move(z!, x!), 3);
  sync(a!, b!, c!);
  assert.equal(draw(a!.value), "z(y(x))");
});

test("a node whose move is left out stays where it was before, not at the root", () => {
  const [a, b] = replicas(2);
  const [folder, x, y] = plant(a!, "folder", "x", "y");
  a!.mutate((handle) => {
    handle.move(x!, folder!);
    handle.move(y!, folder!);
  });
  sync(a!, b!);
  a!.mutate((handle) => handle.move(x!, y!), 100);
  b!.mutate((handle) => handle.move(y!, x!), 200);
  sync(a!, b!);
  assert.equal(draw(a!.value), "folder(y(x))");
});

test("T05 siblings keep the order they were given, by index, over moves", () => {
  const [a, b] = replicas(2);
  const names = plant(a!, "1", "2", "3", "4");
  sync(a!, b!);
  a!.mutate((handle) => handle.move(names[3]!, ROOT, 0), 5);
  b!.mutate((handle) => handle.move(names[0]!, ROOT, 3), 5);
  sync(a!, b!);
  assert.equal(draw(a!.value), "4 2 3 1");
});

test("a node cannot be moved under itself, and what is in the trash is no node", () => {
  const [a] = replicas(1);
  const [x, y] = plant(a!, "x", "y");
  a!.mutate((handle) => {
    assert.ok(handle.move(y!, x!));
    assert.ok(!handle.move(x!, y!));
    handle.remove(x!);
    assert.ok(!handle.has(y!));
    assert.throws(() => handle.at(y!));
  });
});

test("T06 three thousand moves after a late one are played again once, and stable ones are collected", () => {
  const [a, b] = replicas(2);
  const names = plant(a!, ...Array.from({ length: 50 }, (_, i) => String(i)));
  sync(a!, b!);
  b!.mutate((handle) => handle.move(names[0]!, names[1]!), 10);
  const random = new Random(1);
  a!.mutate((handle) => {
    for (let i = 0; i < 3_000; i++) {
      handle.move(names[random.below(50)]!, [ROOT, ...names][random.below(51)]!);
    }
  }, 1_000);
  sync(a!, b!);
  const before = a!.encode().length;
  const shape = draw(a!.value);
  assert.ok(a!.stable(b!.version) > 1_500);
  assert.equal(draw(a!.value), shape);
  assert.ok(a!.encode().length < before / 15);
  sync(a!, b!);
  assert.deepEqual(a!.encode(), b!.encode());
});
