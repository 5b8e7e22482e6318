/**
 * The consensus engines beside each other in virtual time: what a batch costs
 * each, counted and set beside theory, and how long each is without a leader.
 * The same figures on every machine.
 *
 *     npm run bench -w bench -- engines
 */

import { COMMAND_BYTES, costOf, ENGINE_NAMES, everyLoad } from "./engine-costs.ts";
import { theoryOf } from "./engine-theory.ts";
import { percentile, report } from "./report.ts";
import { successionMs } from "./successions.ts";

const SEEDS = 200;

report(
  `Cost of a batch of ${COMMAND_BYTES}-byte commands, counted`,
  everyLoad().map((load) => {
    const { engine, nodes, outstanding, pace } = load;
    const cost = costOf(load);
    const theory = theoryOf(load);
    const copies = outstanding * (nodes - 1);
    return {
      pace,
      nodes,
      commands: outstanding,
      engine,
      messages: cost.messages,
      "in theory": theory.messages,
      "messages a command": (cost.messages / outstanding).toFixed(2),
      "bytes a command and follower": (cost.bytes / copies).toFixed(1),
      syncs: cost.syncs,
      "syncs a command": (cost.syncs / outstanding).toFixed(3),
      "round trips": cost.roundTrips,
      "syncs in line": cost.syncsInLine,
    };
  }),
);

report(
  `Virtual ms to the first commit under another leader, ${SEEDS} seeds, messages and writes 1 ms`,
  (["crash", "transfer"] as const).flatMap((ending) =>
    [3, 5].flatMap((nodes) =>
      ENGINE_NAMES.map((engine) => {
        const times = Float64Array.from({ length: SEEDS }, (_, seed) =>
          successionMs(engine, nodes, ending, seed + 1),
        );
        return {
          ending,
          nodes,
          engine,
          p50: percentile(times, 0.5),
          p90: percentile(times, 0.9),
          max: Math.max(...times),
        };
      }),
    ),
  ),
);
