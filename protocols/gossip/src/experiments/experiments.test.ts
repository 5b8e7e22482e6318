import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import {
  detectionReport,
  measureDelivery,
  measureDetection,
  measureLifeguard,
  measureScale,
  measureStorm,
  scaleReport,
  VARIANTS,
  type Worlds,
} from "./index.ts";

const worlds: Worlds = (options) => new Simulation(options);

test("news reaches all within the bound of push gossip, load does not grow, nobody is called failed", () => {
  const [small, large] = [20, 200].map((nodes) =>
    measureScale(worlds, { nodes, seed: 1, lossPermille: 0 }),
  );
  for (const result of [small!, large!]) {
    assert.ok(result.roundsAll <= result.roundsBound + 1, `${result.roundsAll} rounds`);
    assert.equal(result.missed, 0);
    assert.equal(result.falsePositives, 0);
    assert.ok(result.suspectFirstMs < 4000);
    assert.ok(result.detectFirstMs >= result.suspicionMinMs);
  }
  assert.ok(large!.quietPackets / small!.quietPackets < 1.05);
  assert.ok(large!.quietBytes / small!.quietBytes < 1.1);
});

test("slow members make SWIM call healthy ones failed, and Lifeguard hardly any", () => {
  const run = { nodes: 64, slow: 12, slowMs: 16_384, wellMs: 16, seed: 1 };
  const of = (name: string) =>
    measureLifeguard(
      worlds,
      VARIANTS.find((variant) => variant.name === name)!,
      run,
    );
  const [swim, lifeguard] = [of("SWIM"), of("Lifeguard")];
  assert.ok(swim.falsePositives >= 50, `${swim.falsePositives}`);
  assert.ok(lifeguard.falsePositives * 50 <= swim.falsePositives);
});

test("a lower alpha detects sooner", () => {
  const last = (suspicionMult: number) => measureDetection(worlds, { suspicionMult }, 16, 5).last;
  assert.ok(last(3) < last(5));
});

test("events reach everybody once, with losses too in the end", () => {
  for (const lossPermille of [0, 100]) {
    const result = measureDelivery(worlds, { nodes: 9, events: 20, lossPermille, seed: 1 });
    assert.equal(result.deliveries, 180);
    assert.equal(result.missedForGood, 0);
    assert.equal(result.twice, 0);
    if (lossPermille === 0) assert.equal(result.missed, 0);
  }
});

test("a cluster that joins all at once knows itself in the end", () => {
  const { unknownAfter } = measureStorm(worlds, { nodes: 40, seed: 1, repairByPing: true });
  assert.equal(unknownAfter.at(-1)?.[1], 0);
});

test("reports are tables in Markdown, and the chart is SVG with a line for each series", () => {
  const { table, svg } = scaleReport(worlds, { nodes: [5, 10], seed: 1, lossPermille: 0 });
  const rows = table.trim().split("\n");
  assert.equal(rows.length, 4);
  assert.equal(new Set(rows.map((row) => row.length)).size, 1, "columns line up");
  assert.ok(svg!.startsWith("<svg ") && svg!.endsWith("</svg>\n"));
  for (const name of ["half know", "first suspicion", "quiet"])
    assert.ok(svg!.includes(`>${name}<`));
  assert.ok(!/NaN|Infinity/.test(svg!));
  assert.match(detectionReport(worlds, [5], 2).table, /^\| nodes/);
});
