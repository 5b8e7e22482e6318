/**
 * The diagrams of docs/protocols/crdt.md, drawn from runs of the types.
 * `QUORATE_DIAGRAMS=write` rewrites them; otherwise they must be what the
 * types do today.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { Recorder, type Sent, spaceTime } from "@quorate/lab/diagram";

import { counter, lww, map, mapOf, Replica, set, tree, type TreeNode, type Type } from "./index.ts";

const DIRECTORY = new URL("../../../docs/protocols/diagrams/", import.meta.url);

function check(name: string, title: string, run: Recorder): void {
  test(`the diagram ${name} is what the types do`, () => {
    const file = new URL(`${name}.svg`, DIRECTORY);
    const drawn = spaceTime(title, run);
    if (process.env["QUORATE_DIAGRAMS"] === "write") writeFileSync(file, drawn);
    assert.equal(readFileSync(file, "utf8"), drawn);
  });
}

/** Replicas whose edits and merges are taken down. */
class Stage<Value, Handle> {
  readonly run: Recorder;
  private readonly replicas: Map<string, Replica<Value, Handle>>;
  private readonly deltas = new Map<Sent, Uint8Array>();
  private readonly show: (value: Value) => string;

  constructor(type: Type<Value, Handle>, names: readonly string[], show: (value: Value) => string) {
    this.run = new Recorder(names);
    this.replicas = new Map(names.map((name) => [name, new Replica(type, name)]));
    this.show = show;
  }

  edit(name: string, title: string, change: (handle: Handle) => void, wallMs: number = 0): Sent {
    const replica = this.replicas.get(name)!;
    replica.mutate(change, wallMs);
    const sent = this.run.event(name, title, this.show(replica.value));
    this.deltas.set(sent, replica.delta()!);
    return sent;
  }

  merge(sent: Sent, name: string, title: string = "merge"): Sent {
    const replica = this.replicas.get(name)!;
    replica.merge(this.deltas.get(sent)!);
    return this.run.receive(sent, name, title, this.show(replica.value));
  }
}

{
  const stage = new Stage(set.string, ["a", "b"], (value) => `{${[...value].join(", ")}}`);
  const added = stage.edit("a", "add x", (s) => s.add("x"));
  stage.merge(added, "b");
  const removed = stage.edit("a", "remove x", (s) => s.remove("x"));
  const again = stage.edit("b", "add x", (s) => s.add("x"));
  stage.merge(removed, "b");
  stage.merge(again, "a");
  check("add-wins-set", "Of adding and removing at once, adding wins", stage.run);
}

{
  const stage = new Stage(counter, ["a", "b", "c"], String);
  const five = stage.edit("a", "+5", (n) => n.increment(5));
  stage.merge(five, "b");
  const reset = stage.edit("b", "reset", (n) => n.reset());
  const two = stage.edit("a", "+2", (n) => n.increment(2));
  stage.merge(reset, "c", "merge reset");
  stage.merge(two, "c", "merge +2");
  stage.merge(five, "c", "merge +5, late");
  stage.merge(two, "b");
  stage.merge(reset, "a");
  check(
    "counter-reset",
    "A reset takes away what its maker had seen, in any order of arrival",
    stage.run,
  );
}

{
  const type = mapOf(map({ title: lww.string, votes: counter }));
  const stage = new Stage(type, ["a", "b"], (value) =>
    Object.entries(value)
      .map(([key, { title, votes }]) => `${key}: ${title ?? "-"}, ${votes}`)
      .join("; "),
  );
  const made = stage.edit("a", "title milk, 3 votes", (m) => {
    m.at("k").title.set("milk");
    m.at("k").votes.increment(3);
  });
  stage.merge(made, "b");
  const removed = stage.edit("a", "remove k", (m) => m.remove("k"));
  const voted = stage.edit("b", "1 vote", (m) => m.at("k").votes.increment());
  stage.merge(removed, "b");
  stage.merge(voted, "a");
  check("map-remove-and-update", "An update under a removed key stays, and it alone", stage.run);
}

{
  const show = (nodes: readonly TreeNode<string | undefined>[]): string =>
    nodes
      .map(({ value, children }) => (children.length > 0 ? `${value}(${show(children)})` : value))
      .join(" ");
  const stage = new Stage(tree(lww.string), ["a", "b"], show);
  let [x, y] = ["", ""];
  const made = stage.edit("a", "make x, y", (t) => {
    x = t.create();
    t.at(x).set("x");
    y = t.create();
    t.at(y).set("y");
  });
  stage.merge(made, "b");
  const one = stage.edit("a", "move x under y", (t) => t.move(x, y), 1);
  const other = stage.edit("b", "move y under x", (t) => t.move(y, x), 2);
  stage.merge(one, "b");
  stage.merge(other, "a");
  check("tree-moves", "Of two moves that would make a cycle the later is left out", stage.run);
}
