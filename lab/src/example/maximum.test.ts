import assert from "node:assert/strict";
import { test } from "node:test";

import { type Context, decode, encode, type NodeId, type RequestId } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { Fleet, type FleetWords } from "./fleet.ts";
import { Maximum, type MaximumWords, messageCodec } from "./maximum.ts";

const SEEDS = 200;

// region: simulation
const NODES: readonly NodeId[] = ["a", "b", "c"];

/** Plays one hostile run. Returns the first broken claim, or undefined. */
function play(seed: number, create: (peers: readonly NodeId[]) => Maximum): string | undefined {
  const world = new Simulation<MaximumWords, Maximum>({
    seed,
    nodes: NODES,
    create: (id) => create(NODES.filter((other) => other !== id)),
    latencyMs: [1, 50],
    lossPermille: 100,
    duplicatePermille: 50,
    syncMs: [1, 20],
    lostCheckpointPermille: 300,
    freeze: true,
  });
  const { random } = world;
  const asked = new Set([0]);
  const answers = new Map<NodeId, number>();
  let broken: string | undefined;
  for (let i = 1; i <= 200; i++) {
    const node = NODES[random.below(NODES.length)]!;
    if (world.process(node) === undefined) world.start(node);
    else if (random.chance(1, 10)) world.crash(node);
    else {
      const raise = random.chance(1, 2);
      if (raise) asked.add(i);
      world.request(node, raise ? { type: "raise", value: i } : { type: "read" }, (value) => {
        const before = answers.get(node) ?? 0;
        if (value < before) broken ??= `M1: ${node} answered ${before}, later ${value}`;
        if (!asked.has(value)) broken ??= `M2: ${node} answered ${value}, which nobody asked for`;
        answers.set(node, Math.max(before, value));
      });
    }
    world.runFor(random.below(30));
  }
  for (const node of NODES) if (world.process(node) === undefined) world.start(node);
  world.runFor(5_000);
  const highest = Math.max(...answers.values());
  const behind = world.processes.some(({ value }) => value < highest);
  return broken ?? (behind ? `M3: ${highest} was answered and is not known to all` : undefined);
}
// endregion

// region: hasty
/** A planted mistake: answers before the disk has what the answer says. */
class Hasty extends Maximum {
  protected override answer(ctx: Context<MaximumWords>, id: RequestId): void {
    ctx.replyEagerly(id, this.value);
  }
}
// endregion

function firstBroken(create: (peers: readonly NodeId[]) => Maximum): string | undefined {
  // region: seeds
  for (let seed = 1; seed <= SEEDS; seed++) {
    const broken = play(seed, create);
    if (broken !== undefined) return `seed ${seed}: ${broken}`;
  }
  return undefined;
  // endregion
}

test("a maximum keeps its claims in a hostile world", () => {
  assert.equal(
    firstBroken((peers) => new Maximum(peers)),
    undefined,
  );
});

test("a maximum that answers before its disk is found out", () => {
  assert.match(firstBroken((peers) => new Hasty(peers)) ?? "not found", /^seed \d+: M1: /);
});

test("a message takes two bytes", () => {
  // region: wire
  const bytes = encode(messageCodec, { value: 1_000 });
  assert.deepEqual(decode(messageCodec, bytes), { value: 1_000 });
  // endregion
  assert.equal(bytes.length, 2);
});

test("a fleet of maxima keeps what it answered, kind by kind", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = new Simulation<FleetWords, Fleet>({
      seed,
      nodes: NODES,
      create: (id) => new Fleet(NODES.filter((other) => other !== id)),
      latencyMs: [1, 50],
      lossPermille: 100,
      syncMs: [1, 20],
      freeze: true,
    });
    const { random } = world;
    const answered = { software: 0, settings: 0 };
    for (let i = 1; i <= 100; i++) {
      const node = NODES[random.below(NODES.length)]!;
      if (world.process(node) === undefined) world.start(node);
      else if (random.chance(1, 10)) world.crash(node);
      else {
        const request = { software: random.below(i), settings: 2 * random.below(i) };
        world.request(node, request, ({ software, settings }) => {
          answered.software = Math.max(answered.software, software);
          answered.settings = Math.max(answered.settings, settings);
        });
      }
      world.runFor(random.below(30));
    }
    for (const node of NODES) if (world.process(node) === undefined) world.start(node);
    world.runFor(5_000);
    assert.ok(answered.software > 0 && answered.settings > answered.software);
    for (const { software, settings } of world.processes) {
      assert.ok(software.value >= answered.software);
      assert.ok(settings.value >= answered.settings);
    }
  }
});
