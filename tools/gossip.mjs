/**
 * The gossip experiments, on built code:
 *
 *     node tools/gossip.mjs scale [--nodes 10,100,1000] [--seed N] [--loss PERMILLE] [--svg FILE]
 *     node tools/gossip.mjs lifeguard [--seeds N]
 *     node tools/gossip.mjs detectors [--nodes N] [--seeds N]
 *     node tools/gossip.mjs detection [--nodes 5,10,20,50] [--seeds N]
 *     node tools/gossip.mjs delivery [--nodes 10,50,98] [--events N] [--seed N]
 *     node tools/gossip.mjs storm [--nodes 10,100,1000] [--seed N]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import {
  deliveryReport,
  detectionReport,
  detectorsReport,
  LIFEGUARD_PLAN,
  lifeguardReport,
  scaleReport,
  stormReport,
} from "../protocols/gossip/dist/experiments/index.js";
import { Simulation } from "../lab/dist/index.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: "string" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string" },
    loss: { type: "string", default: "0" },
    events: { type: "string", default: "200" },
    svg: { type: "string" },
  },
});
const worlds = (options) => new Simulation(options);

const report = run(positionals[0]);
console.log(report.table);
if (values.svg !== undefined && report.svg !== undefined) writeFileSync(values.svg, report.svg);

function run(experiment) {
  switch (experiment) {
    case "scale": {
      const nodes = (values.nodes ?? "10,100,1000").split(",").map(Number);
      const plan = { nodes, seed: Number(values.seed), lossPermille: Number(values.loss) };
      return scaleReport(worlds, plan, ({ nodes: done }) => console.error(`${done} nodes done`));
    }
    case "lifeguard": {
      const seeds = Number(values.seeds ?? LIFEGUARD_PLAN.seeds);
      return lifeguardReport(worlds, { ...LIFEGUARD_PLAN, seeds });
    }
    case "detectors": {
      const [nodes, seeds] = [Number(values.nodes ?? 50), Number(values.seeds ?? 3)];
      return detectorsReport(worlds, { nodes, seeds });
    }
    case "detection": {
      const nodes = (values.nodes ?? "5,10,20,50").split(",").map(Number);
      return detectionReport(worlds, nodes, Number(values.seeds ?? 100));
    }
    case "delivery": {
      const nodes = (values.nodes ?? "10,50,98").split(",").map(Number);
      const [events, seed] = [Number(values.events), Number(values.seed)];
      return deliveryReport(worlds, { nodes, events, seed });
    }
    case "storm": {
      const nodes = (values.nodes ?? "10,100,1000").split(",").map(Number);
      return stormReport(worlds, nodes, Number(values.seed));
    }
    default:
      console.error(
        "say scale, lifeguard, detectors, detection, delivery or storm; see the head of this file",
      );
      process.exit(2);
  }
}
