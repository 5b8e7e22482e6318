import assert from "node:assert/strict";
import { test } from "node:test";

import { Recorder } from "./history.ts";
import { spaceTime } from "./space-time.ts";

function drawing(): string {
  const run = new Recorder(["a", "b"]);
  const sent = run.event("a", "send <1>", "x & y");
  run.receive(sent, "b", "receive", "");
  run.lose(run.event("b", "send", "2"), "a");
  return spaceTime("A message", run);
}

test("each event is a dot, each message an arrow, each lost one a dashed line", () => {
  const svg = drawing();
  assert.equal(svg.match(/<circle/g)?.length, 3);
  assert.equal(svg.match(/marker-end/g)?.length, 1);
  assert.equal(svg.match(/class="arrow lost"/g)?.length, 2);
});

test("texts are escaped, and the drawing has a title and colours for dark surroundings", () => {
  const svg = drawing();
  assert.match(svg, /send &lt;1&gt;/);
  assert.match(svg, /x &amp; y/);
  assert.match(svg, /<title>A message<\/title>/);
  assert.match(svg, /prefers-color-scheme: dark/);
});

test("no two texts on a line overlap", () => {
  const run = new Recorder(["a"]);
  for (const title of ["x", "a long text", "y", "another long text"]) run.event("a", title, "");
  const places = [...spaceTime("t", run).matchAll(/<text x="([\d.]+)" y="31"[^>]*>([^<]+)/g)];
  const spans = places.map(([, x, text]) => [
    Number(x) - text!.length * 4,
    Number(x) + text!.length * 4,
  ]);
  assert.equal(spans.length, 4);
  for (const [i, [start]] of spans.entries()) if (i > 0) assert.ok(start! > spans[i - 1]![1]!);
});

test("an event of nobody is a mistake of the author", () => {
  assert.throws(() => new Recorder(["a"]).event("b", "", ""), /one of the processes/);
});
