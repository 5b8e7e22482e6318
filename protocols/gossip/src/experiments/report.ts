/**
 * The experiments as a person wants them: a table in Markdown, and a chart where
 * there is something to see. What `quorate simulate gossip` prints.
 */

import { type Panel, chart } from "./chart.ts";
import { measureDelivery, measureStorm } from "./delivery.ts";
import { compareDetectors } from "./detectors.ts";
import { type LifeguardPlan, lifeguardTable, measureDetection } from "./lifeguard.ts";
import { measureScale, type ScaleResult } from "./scale.ts";
import type { Worlds } from "./world.ts";

export interface Report {
  readonly table: string;
  readonly svg?: string;
}

export interface ScalePlan {
  readonly nodes: readonly number[];
  readonly seed: number;
  readonly lossPermille: number;
}

/** Dissemination, detection and load at several sizes. `onResult` hears of each as it is done. */
export function scaleReport(
  worlds: Worlds,
  { nodes, seed, lossPermille }: ScalePlan,
  onResult: (result: ScaleResult) => void = () => {},
): Report {
  const results = nodes.map((count) => {
    const result = measureScale(worlds, { nodes: count, seed, lossPermille });
    onResult(result);
    return result;
  });
  const rows = results.map((result) => [
    `${result.nodes}`,
    result.roundsHalf.toFixed(1),
    result.roundsMost.toFixed(1),
    result.roundsAll.toFixed(1),
    result.roundsBound.toFixed(1),
    `${result.missed}`,
    seconds(result.suspectFirstMs),
    seconds(result.detectFirstMs),
    seconds(result.detectLastMs),
    seconds(result.suspicionMinMs),
    result.quietPackets.toFixed(2),
    result.quietBytes.toFixed(0),
    result.busyBytes.toFixed(0),
    `${result.falsePositives}`,
  ]);
  const heading = [
    "nodes",
    "rounds to 50 %",
    "99 %",
    "all",
    "bound",
    "missed",
    "first suspicion s",
    "first failed s",
    "last failed s",
    "least suspicion s",
    "packets/s",
    "bytes/s",
    "bytes/s, 10 crashes",
    "false",
  ];
  return { table: markdown(heading, rows), svg: scaleChart(results) };
}

function scaleChart(results: readonly ScaleResult[]): string {
  const line = (name: string, field: keyof ScaleResult, scale = 1, dashed = false) => ({
    name,
    points: results.map((result) => [result.nodes, result[field] * scale] as const),
    dashed,
  });
  const panels: readonly Panel[] = [
    {
      title: "News",
      unit: "gossip rounds",
      series: [
        line("half know", "roundsHalf"),
        line("99 % know", "roundsMost"),
        line("all know", "roundsAll"),
        line("ln n/ln(1+f) + ln n/f", "roundsBound", 1, true),
      ],
    },
    {
      title: "A crash",
      unit: "seconds",
      series: [
        line("first suspicion", "suspectFirstMs", 0.001),
        line("first failed", "detectFirstMs", 0.001),
        line("last failed", "detectLastMs", 0.001),
        line("least suspicion", "suspicionMinMs", 0.001, true),
      ],
    },
    {
      title: "Load of a node",
      unit: "bytes/s",
      series: [line("quiet", "quietBytes"), line("ten crashes in 41 s", "busyBytes")],
    },
  ];
  return chart("SWIM with Lifeguard, profile lan, by number of nodes", panels);
}

/** The Lifeguard paper's comparison. */
export function lifeguardReport(worlds: Worlds, plan: LifeguardPlan): Report {
  const rows = lifeguardTable(worlds, plan).map((row) => [
    row.variant,
    `${row.falsePositives}`,
    `${row.share.toFixed(1)} %`,
    `${row.falsePositivesAtHealthy}`,
    seconds(row.detectFirstMs),
    seconds(row.detectLastMs),
    row.packetsPerRun.toFixed(0),
  ]);
  const heading = [
    "variant",
    "false positives",
    "of SWIM's",
    "at healthy members",
    "crash: first failed s",
    "last failed s",
    "packets/run",
  ];
  return { table: markdown(heading, rows) };
}

/** How fast crashes are noticed at sizes where real agents were measured. */
export function detectionReport(worlds: Worlds, nodes: readonly number[], crashes: number): Report {
  const rows = nodes.map((count) => {
    const { first, last } = measureDetection(worlds, {}, count, crashes);
    return [`${count}`, (first / 1000).toFixed(2), (last / 1000).toFixed(2)];
  });
  return { table: markdown(["nodes", "first failed s", "last failed s"], rows) };
}

export interface DetectorsPlan {
  readonly nodes: number;
  readonly seeds: number;
}

/** SWIM beside the accrual detector, in three climates. */
export function detectorsReport(worlds: Worlds, { nodes, seeds }: DetectorsPlan): Report {
  const climates = [
    ["calm", 0, 0],
    ["10 % loss", 100, 0],
    ["30 % loss", 300, 0],
    ["a tenth of the nodes slow", 0, Math.floor(nodes / 10)],
  ] as const;
  const rows = climates.flatMap(([climate, lossPermille, slow]) =>
    compareDetectors(worlds, { nodes, lossPermille, slow, seeds }).map((result) => [
      climate,
      result.detector,
      seconds(result.detectFirstMs),
      seconds(result.detectLastMs),
      result.falsePositives.toFixed(1),
      result.packets.toFixed(1),
      result.bytes.toFixed(0),
    ]),
  );
  const heading = [
    "climate",
    "detector",
    "crash: first s",
    "last s",
    "false positives/run",
    "packets/s",
    "bytes/s",
  ];
  return { table: markdown(heading, rows) };
}

export interface DeliveryPlan {
  readonly nodes: readonly number[];
  readonly events: number;
  readonly seed: number;
}

/** What events miss, with and without packet loss. */
export function deliveryReport(worlds: Worlds, { nodes, events, seed }: DeliveryPlan): Report {
  const rows = nodes.flatMap((count) =>
    [0, 100].map((lossPermille) => {
      const run = { nodes: count, events, lossPermille, seed };
      const result = measureDelivery(worlds, run);
      return [
        `${count}`,
        `${lossPermille / 10} %`,
        `${result.deliveries}`,
        `${result.missed}`,
        `${result.missedForGood}`,
        `${result.twice}`,
        `${result.medianMs}`,
        `${result.worstMs}`,
      ];
    }),
  );
  const heading = [
    "nodes",
    "loss",
    "deliveries",
    "missed for 5 s",
    "for good",
    "twice",
    "last node ms",
    "worst ms",
  ];
  return { table: markdown(heading, rows) };
}

/** How long a cluster takes to know itself when all join within a second. */
export function stormReport(worlds: Worlds, nodes: readonly number[], seed: number): Report {
  const rows = nodes.flatMap((count) =>
    [false, true].map((repairByPing) => {
      const { unknownAfter } = measureStorm(worlds, { nodes: count, seed, repairByPing });
      const cells = unknownAfter.map(([after, pairs]) => `${pairs} after ${after} s`);
      return [`${count}`, repairByPing ? "yes" : "no", cells.join(", ")];
    }),
  );
  return {
    table: markdown(["nodes", "repair by pings", "pairs that do not know each other"], rows),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function markdown(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(heading), rule, ...rows.map(line), ""].join("\n");
}
