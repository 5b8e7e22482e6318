/**
 * The diagrams of docs/protocols/vector-clocks.md, drawn from runs of the
 * clocks. `QUORATE_DIAGRAMS=write` rewrites them; otherwise they must be what
 * the clocks do today.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { Recorder, spaceTime } from "@quorate/lab/diagram";

import {
  DottedSet,
  HybridClock,
  type HybridStamp,
  IntervalStamp,
  LamportClock,
  noDisk,
  VectorClock,
  VersionVector,
} from "./index.ts";

const DIRECTORY = new URL("../../../docs/protocols/diagrams/", import.meta.url);

function check(name: string, title: string, run: Recorder): void {
  test(`the diagram ${name} is what the clocks do`, () => {
    const file = new URL(`${name}.svg`, DIRECTORY);
    const drawn = spaceTime(title, run);
    if (process.env["QUORATE_DIAGRAMS"] === "write") writeFileSync(file, drawn);
    assert.equal(readFileSync(file, "utf8"), drawn);
  });
}

/** `[2,1,0]`: the counters of a, b and c. */
function short(vector: VersionVector): string {
  return `[${["a", "b", "c"].map((actor) => vector.get(actor)).join(",")}]`;
}

{
  const run = new Recorder(["a", "b", "c"]);
  const [a, b, c] = ["a", "b", "c"].map((name) => ({
    name,
    vector: new VectorClock(name),
    lamport: new LamportClock(name),
  })) as [Member, Member, Member];
  interface Member {
    readonly name: string;
    readonly vector: VectorClock;
    readonly lamport: LamportClock;
  }
  const tick = ({ name, vector, lamport }: Member, title: string) => {
    const stamps = { vector: vector.tick(), lamport: lamport.tick() };
    return {
      ...stamps,
      mark: run.event(name, title, `${stamps.lamport.time} ${short(stamps.vector)}`),
    };
  };
  const receive = (
    sent: ReturnType<typeof tick>,
    { name, vector, lamport }: Member,
    title: string,
  ) => {
    const stamps = { vector: vector.receive(sent.vector), lamport: lamport.receive(sent.lamport) };
    run.receive(sent.mark, name, title, `${stamps.lamport.time} ${short(stamps.vector)}`);
  };
  const asked = tick(a, "ask");
  tick(c, "hum");
  receive(asked, b, "hear");
  const answered = tick(b, "answer");
  tick(c, "hum again");
  receive(answered, a, "read");
  receive(answered, c, "read");
  run.lose(tick(a, "thank").mark, "b");
  check("vector-clocks", "Lamport times and vector stamps of three processes", run);
}

{
  const run = new Recorder(["alice", "s1", "s2", "bob"]);
  let [s1, s2] = [new DottedSet<string>(), new DottedSet<string>()];
  const show = (set: DottedSet<string>): string =>
    set.entries
      .map(({ actor, counter, values }) => `${actor}:${counter}{${values.join(",")}}`)
      .join(" ");
  const first = run.event("alice", "put milk", "context {}");
  s1 = s1.write(VersionVector.empty, "s1", "milk");
  run.receive(first, "s1", "write", show(s1));
  const blind = run.event("bob", "put bread", "context {}");
  s1 = s1.write(VersionVector.empty, "s1", "bread");
  const both = run.receive(blind, "s1", "write", show(s1));
  s2 = s2.sync(s1);
  const synced = run.receive(both, "s2", "sync", show(s2));
  const { context } = s2;
  const read = run.receive(synced, "bob", "get both", `context ${JSON.stringify(context)}`);
  s2 = s2.write(context, "s2", "both");
  const settled = run.receive(read, "s2", "write both", show(s2));
  s1 = s1.sync(s2);
  run.receive(settled, "s1", "sync", show(s1));
  check(
    "dotted-set",
    "Two blind writes through one server are siblings until a write has seen both",
    run,
  );
}

{
  const run = new Recorder(["a", "b"]);
  const clocks = { a: new HybridClock("a"), b: new HybridClock("b") };
  const show = (wallMs: number, { ms, count }: HybridStamp): string =>
    `wall ${wallMs} → ${ms}.${count}`;
  const sent = clocks.a.tick(105, noDisk);
  const mark = run.event("a", "send", show(105, sent));
  run.receive(mark, "b", "receive", show(100, clocks.b.receive(sent, 100, noDisk)));
  const answer = clocks.b.tick(101, noDisk);
  const back = run.event("b", "send", show(101, answer));
  run.receive(back, "a", "receive", show(106, clocks.a.receive(answer, 106, noDisk)));
  run.event("b", "write", show(112, clocks.b.tick(112, noDisk)));
  check("hybrid-clocks", "Hybrid stamps of two processes, one with a slow wall clock", run);
}

{
  const run = new Recorder(["a", "b", "c"]);
  const show = (stamp: IntervalStamp): string => JSON.stringify(stamp).replaceAll(/"/g, "");
  let [a, b] = IntervalStamp.seed.fork();
  const forked = run.event("a", "fork", show(a));
  run.receive(forked, "b", "begin", show(b));
  a = a.event();
  run.event("a", "event", show(a));
  let c: IntervalStamp;
  [a, c] = a.fork();
  const again = run.event("a", "fork", show(a));
  run.receive(again, "c", "begin", show(c));
  b = b.event();
  const leaving = run.event("b", "event, leave", show(b));
  c = c.join(b);
  run.receive(leaving, "c", "join", show(c));
  c = c.event();
  run.event("c", "event", show(c));
  check("interval-tree-clocks", "Interval tree stamps as participants come and go", run);
}
