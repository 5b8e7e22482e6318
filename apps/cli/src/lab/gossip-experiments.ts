/** `quorate simulate gossip --experiment …`: measurements instead of a search for mistakes. */

import { writeFileSync } from "node:fs";

import {
  deliveryReport,
  detectionReport,
  detectorsReport,
  LIFEGUARD_PLAN,
  lifeguardReport,
  type Report,
  scaleReport,
  stormReport,
  type Worlds,
} from "@quorate/gossip/experiments";
import { Simulation } from "@quorate/lab";

import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface ExperimentFlags {
  readonly experiment?: string;
  /** One size, or several to compare. */
  readonly nodes?: number | readonly number[];
  readonly seed?: number;
  readonly seeds?: number;
  readonly svg?: string;
}

const EXPERIMENTS = ["scale", "lifeguard", "detectors", "detection", "delivery", "storm"] as const;

const worlds: Worlds = (options) => new Simulation(options);

/** Several sizes, a chart or a name: whoever asks for those wants a measurement. */
export function isExperiment(flags: ExperimentFlags): boolean {
  return (
    flags.experiment !== undefined || flags.svg !== undefined || typeof flags.nodes === "object"
  );
}

/** Measures, prints the table, and writes the chart if there is one. @throws CliError */
export function experiment(flags: ExperimentFlags, terminal: Terminal): ExitStatus {
  const { table, svg } = measure(flags, terminal);
  terminal.write(table);
  if (flags.svg === undefined) return EXIT.fine;
  if (svg === undefined) {
    throw new CliError({ code: "usage", reason: "only the experiment scale draws a chart" });
  }
  writeFileSync(flags.svg, svg);
  return EXIT.fine;
}

function measure(flags: ExperimentFlags, terminal: Terminal): Report {
  const { seed = 1, seeds } = flags;
  const sizes = (fallback: readonly number[]) =>
    flags.nodes === undefined
      ? fallback
      : typeof flags.nodes === "number"
        ? [flags.nodes]
        : flags.nodes;
  const name = flags.experiment ?? "scale";
  switch (name) {
    case "scale":
      return scaleReport(
        worlds,
        { nodes: sizes([10, 100, 1000]), seed, lossPermille: 0 },
        ({ nodes }) => terminal.complain(`${nodes} nodes done`),
      );
    case "lifeguard":
      return lifeguardReport(worlds, { ...LIFEGUARD_PLAN, seeds: seeds ?? LIFEGUARD_PLAN.seeds });
    case "detectors":
      return detectorsReport(worlds, { nodes: sizes([50])[0] ?? 50, seeds: seeds ?? 3 });
    case "detection":
      return detectionReport(worlds, sizes([5, 10, 20, 50]), seeds ?? 60);
    case "delivery":
      return deliveryReport(worlds, { nodes: sizes([9, 50, 98]), events: 200, seed });
    case "storm":
      return stormReport(worlds, sizes([10, 100, 1000]), seed);
    default:
      throw new CliError({
        code: "usage",
        reason: `there is no experiment ${name}; there are ${EXPERIMENTS.join(", ")}`,
      });
  }
}
