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

import { Simulation, type SimulationOptions } from "./simulation.ts";

type Options = SimulationOptions<ScriptWords, Process<ScriptWords>>;
type Weather = Partial<Pick<Options, "latencyMs" | "duplicatePermille" | "syncMs" | "hints">> &
  Pick<Options, "lostCheckpointPermille">;

/** A held write takes this long, unless it is released: longer than any case lasts. */
const HELD_MS = 100_000;
const PATIENCE_MS = 10_000;

/**
 * The simulator as the suite sees it. It has no way to hold one disk, so
 * holding makes every write begun from now on take ages, and releasing lets
 * virtual time run until they are done.
 */
class SimulatedWorld implements World {
  private readonly simulation: Simulation<ScriptWords, Process<ScriptWords>>;
  private readonly log: Map<NodeId, Seen[]>;
  private held = false;
  private patienceMs = PATIENCE_MS;
  private count = 0;
  private requests: RequestId = 0;

  constructor(
    seed: number,
    weather: Weather,
    nodes: readonly NodeId[],
    create: (node: NodeId) => Process<ScriptWords>,
  ) {
    this.log = new Map(nodes.map((node) => [node, []]));
    const syncMs = (): readonly [number, number] =>
      this.held ? [HELD_MS, HELD_MS] : (weather.syncMs ?? [0, 0]);
    this.simulation = new Simulation<ScriptWords, Process<ScriptWords>>({
      ...weather,
      seed,
      nodes,
      create,
      freeze: true,
      get syncMs() {
        return syncMs();
      },
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

  holdDisk(): void {
    this.held = true;
  }

  releaseDisk(): void {
    this.held = false;
    this.patienceMs = HELD_MS + PATIENCE_MS;
  }

  async until(holds: () => boolean): Promise<boolean> {
    const { simulation } = this;
    const end = simulation.now + this.patienceMs;
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
