import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { between, branchOf, type Extent, isPosition, MAX_POSITION } from "./position.ts";

/** Someone who inserts: branches have the actor's name and a number. */
class Author {
  readonly name: string;
  private readonly own = new Map<string, Extent>();
  private count = 0;

  constructor(name: string) {
    this.name = name;
  }

  place(left: string | undefined, right: string | undefined): string {
    return between(left, right, this.own, () => branchOf(this.name, ++this.count));
  }

  /** Types a run at an index of a list, each behind the last one, or each before it. */
  run(list: readonly string[], index: number, length: number, backwards = false): string[] {
    const places: string[] = [];
    let [left, right] = [list[index - 1], list[index]];
    for (let i = 0; i < length; i++) {
      const place = this.place(left, right);
      if (backwards) right = place;
      else left = place;
      places.push(place);
    }
    return places;
  }
}

test("a place lies between its neighbours, is new, and is a place, whoever inserts where", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(), author: fc.nat(2), remove: fc.nat(4) }), {
        maxLength: 120,
      }),
      (steps) => {
        const authors = ["a", "b:%", "ü"].map((name) => new Author(name));
        const seen = new Set<string>();
        let list: string[] = [];
        for (const { at, author, remove } of steps) {
          if (remove === 0 && list.length > 0) {
            list = list.toSpliced(at % list.length, 1);
            continue;
          }
          const index = at % (list.length + 1);
          const place = authors[author]!.place(list[index - 1], list[index]);
          assert.ok(isPosition(place), place);
          assert.ok(!seen.has(place), "used once");
          if (index > 0) assert.ok(list[index - 1]! < place);
          if (index < list.length) assert.ok(place < list[index]!);
          seen.add(place);
          list = list.toSpliced(index, 0, place);
        }
      },
    ),
  );
});

/** Whether the places of one author lie together when both lists are sorted. */
function together(places: readonly string[], all: readonly string[]): boolean {
  const at = places.map((place) => all.indexOf(place)).toSorted((a, b) => a - b);
  return at.at(-1)! - at[0]! === places.length - 1;
}

for (const [title, backwards] of [
  ["forward runs of two authors at one place do not interleave (Q01)", [false, false]],
  ["backward runs do not interleave (Q02)", [true, true]],
  ["a forward and a backward run do not interleave", [false, true]],
] as const) {
  test(title, () => {
    for (const index of [0, 1, 2, 3]) {
      const base = new Author("base").run([], 0, 3);
      const one = new Author("a").run(base, index, 10, backwards[0]);
      const other = new Author("b").run(base, index, 10, backwards[1]);
      const all = [...base, ...one, ...other].toSorted();
      assert.ok(together(one, all) && together(other, all), `at ${index}`);
    }
  });
}

test("places stay short: runs either way, two who take turns, and inserting at random", () => {
  const forward = new Author("a").run([], 0, 10_000);
  assert.ok(Math.max(...forward.map(({ length }) => length)) <= 10);
  const backward = new Author("a").run([], 0, 10_000, true);
  assert.ok(Math.max(...backward.map(({ length }) => length)) <= 10);
  const turns: string[] = [];
  const pair = [new Author("a"), new Author("b")];
  for (let i = 0; i < 10_000; i++) turns.push(pair[i % 2]!.place(turns.at(-1), undefined));
  assert.ok(Math.max(...turns.map(({ length }) => length)) <= 30);
  const random: string[] = [];
  const author = new Author("a");
  for (let i = 0; i < 5_000; i++) {
    const index = (i * 7_919) % (random.length + 1);
    random.splice(index, 0, author.place(random[index - 1], random[index]));
  }
  assert.ok(Math.max(...random.map(({ length }) => length)) < 600);
});

test("texts that are no places are refused", () => {
  const step = "a.1:n0";
  for (const wrong of [
    "",
    "x",
    step,
    `${step}0`,
    `${step}3`,
    `:n01`,
    `a:`,
    `${step}1${step}1`,
    "a:n-1",
    "a:z1",
  ]) {
    assert.ok(!isPosition(wrong), wrong);
  }
  assert.ok(isPosition(`${step}0${step}1`));
  assert.ok(!isPosition(`${"a".repeat(MAX_POSITION)}:n01`));
});
