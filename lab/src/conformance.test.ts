import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { freeze, type NodeId, type Process, Random, type RequestId } from "@quorate/kernel";
import {
  conformance,
  type Driver,
  type Program,
  type ScriptWords,
  type Seen,
  type World,
} from "@quorate/kernel/conformance";

import type { SimulationOptions } from "./simulator/options.ts";
import { Simulation } from "./simulator/simulation.ts";

type Options = SimulationOptions<ScriptWords, Process<ScriptWords>>;
type Weather = Pick<
  Options,
  | "latencyMs"
  | "latencyShape"
  | "linkSpreadMs"
  | "duplicatePermille"
  | "syncMs"
  | "stallPermille"
  | "stallMs"
  | "lostCheckpointPermille"
  | "tornWrites"
  | "hints"
  | "driftPermille"
  | "clockOffsetMs"
>;

const PATIENCE_MS = 10_000;

/** The simulator as the suite sees it. */
class SimulatedWorld implements World {
  private readonly simulation: Simulation<ScriptWords, Process<ScriptWords>>;
  private readonly log: Map<NodeId, Seen[]>;
  private count = 0;
  private requests: RequestId = 0;

  constructor(
    seed: number,
    weather: Weather,
    nodes: readonly NodeId[],
    create: (node: NodeId) => Process<ScriptWords>,
  ) {
    this.log = new Map(nodes.map((node) => [node, []]));
    this.simulation = new Simulation<ScriptWords, Process<ScriptWords>>({
      ...weather,
      seed,
      nodes,
      create,
      freeze: true,
      onNote: (node, note) => this.see(node, { type: "note", note }),
      onOutput: (node, output) => this.see(node, { type: "output", output }),
    });
  }

  request(node: NodeId, program: Program, onReply?: () => void): RequestId {
    const request = ++this.requests;
    this.simulation.request(node, freeze(program), (response) => {
      this.see(node, { type: "reply", request, response });
      onReply?.();
    });
    return request;
  }

  async crash(node: NodeId): Promise<void> {
    this.simulation.crash(node);
  }

  async start(node: NodeId): Promise<void> {
    this.simulation.start(node);
  }

  holdDisk(node: NodeId): void {
    this.simulation.stall(node);
  }

  releaseDisk(node: NodeId): void {
    this.simulation.release(node);
  }

  async until(holds: () => boolean): Promise<boolean> {
    const { simulation } = this;
    const end = simulation.now + PATIENCE_MS;
    let seen = -1;
    while (simulation.now < end) {
      if (seen !== this.count && holds()) return true;
      seen = this.count;
      simulation.runFor(1);
    }
    return holds();
  }

  seen(node: NodeId): readonly Seen[] {
    return this.log.get(node)!;
  }

  async close(): Promise<void> {
    // A simulation holds on to nothing.
  }

  private see(node: NodeId, seen: Seen): void {
    this.count++;
    this.log.get(node)!.push(seen);
  }
}

function simulator(seed: number, weather: Weather): Driver {
  return {
    holdsDisk: true,
    open: async (nodes, create) => new SimulatedWorld(seed, weather, nodes, create),
  };
}

/** Calm first, then drawn from the seed. The network stays whole, as the suite asks. */
function weatherOf(seed: number): Weather {
  const random = new Random(seed);
  if (seed === 1) return { lostCheckpointPermille: 0 };
  return {
    latencyMs: [1, 1 + random.below(20)],
    latencyShape: random.chance(1, 2) ? "uniform" : "exponential",
    linkSpreadMs: random.below(10),
    stallPermille: random.below(100),
    stallMs: random.below(200),
    tornWrites: random.chance(1, 2),
    driftPermille: random.below(100),
    clockOffsetMs: random.below(10_000),
    duplicatePermille: random.below(500),
    syncMs: [random.below(2), 1 + random.below(15)],
    lostCheckpointPermille: random.below(1000),
    hints: random.chance(1, 2),
  };
}

for (const seed of [1, 2, 3, 4]) {
  suite(`the simulator keeps the contract (seed ${seed})`, () => {
    for (const one of conformance) {
      test(`${one.duty}: ${one.title}`, () => one.run(simulator(seed, weatherOf(seed))));
    }
  });
}

test("the suite's titles are unique", () => {
  assert.equal(new Set(conformance.map(({ title }) => title)).size, conformance.length);
});
