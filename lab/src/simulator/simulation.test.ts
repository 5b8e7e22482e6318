import assert from "node:assert/strict";
import { test } from "node:test";

import type { Context, NodeId, Process, RequestId, Speaks } from "@quorate/kernel";

import { Clock } from "./clock.ts";
import { Dice } from "./fates.ts";
import type { SimulationOptions } from "./options.ts";
import { Simulation } from "./simulation.ts";
import { CALM } from "./weather.ts";

type Words = Speaks<{
  Message: number;
  Timer: "tick";
  Record: number;
  Request: number;
  Response: number;
  Output: number;
}>;

/** Persists what it is asked, answers when that is durable, and passes it on to everybody. */
class Scribe implements Process<Words> {
  readonly written: number[] = [];
  readonly heard: (readonly [from: NodeId, message: number, now: number])[] = [];
  ticks: number[] = [];
  private readonly peers: readonly NodeId[];

  constructor(peers: readonly NodeId[]) {
    this.peers = Object.freeze([...peers]);
  }

  recover(record: number): void {
    this.written.push(record);
  }

  onStart(ctx: Context<Words>): void {
    ctx.setTimer("tick", 100);
  }

  onTimer(ctx: Context<Words>): void {
    this.ticks.push(ctx.now);
    ctx.setTimer("tick", 100);
  }

  onRequest(ctx: Context<Words>, id: RequestId, request: number): void {
    this.written.push(request);
    ctx.persist(request);
    ctx.reply(id, request);
    for (const peer of this.peers) ctx.sendEagerly(peer, request);
  }

  onMessage(ctx: Context<Words>, from: NodeId, message: number): void {
    this.heard.push([from, message, ctx.now]);
  }
}

const NODES = ["a", "b", "c"];

function open(options: Partial<SimulationOptions<Words, Scribe>> = {}): Simulation<Words, Scribe> {
  return new Simulation<Words, Scribe>({
    seed: 1,
    nodes: NODES,
    create: (id) => new Scribe(NODES.filter((other) => other !== id)),
    syncMs: [5, 5],
    latencyMs: [3, 3],
    ...options,
  });
}

function heard(world: Simulation<Words, Scribe>, node: NodeId): readonly number[] {
  return world.process(node)!.heard.map(([, message]) => message);
}

test("a stalled disk answers nothing until it is released", () => {
  const world = open();
  const answers: number[] = [];
  world.stall("a");
  world.request("a", 1, (value) => answers.push(value));
  world.runFor(1_000);
  assert.deepEqual(answers, []);
  assert.equal(world.unsynced("a"), 1);
  world.release("a");
  world.runFor(10);
  assert.deepEqual(answers, [1]);
});

test("a write that was on its way when the disk stalled completes with the release", () => {
  const world = open();
  const answers: number[] = [];
  world.request("a", 1, (value) => answers.push(value));
  world.runFor(1);
  world.stall("a");
  world.runFor(100);
  assert.deepEqual(answers, []);
  world.release("a");
  world.runFor(0);
  assert.deepEqual(answers, [1]);
});

test("a full disk ends its node at the next write, and what waited never leaves", () => {
  const world = open();
  world.fill("a");
  world.request("a", 1, () => assert.fail("answered"));
  world.runFor(100);
  assert.equal(world.isUp("a"), false);
  world.free("a");
  world.start("a");
  assert.deepEqual(world.process("a")?.written, []);
});

test("a damaged disk keeps its node down until it is wiped", () => {
  const world = open();
  world.request("a", 1, () => {});
  world.runFor(100);
  world.crash("a");
  world.damage("a");
  world.start("a");
  assert.equal(world.isUp("a"), false);
  world.wipe("a");
  world.start("a");
  assert.deepEqual(world.process("a")?.written, []);
});

test("a torn write leaves a prefix of what was not reported durable", () => {
  const kept = new Set<number>();
  for (let seed = 1; seed <= 40; seed++) {
    const world = open({ seed, tornWrites: true });
    for (let i = 1; i <= 3; i++) world.request("a", i, () => {});
    world.runFor(1);
    world.crash("a");
    world.start("a");
    const { written } = world.process("a")!;
    assert.deepEqual(written, [1, 2, 3].slice(0, written.length));
    kept.add(written.length);
  }
  assert.deepEqual(
    [...kept].toSorted((a, b) => a - b),
    [0, 1, 2, 3],
  );
});

test("a paused node hears everything later, in order, and its timers are late", () => {
  const world = open();
  world.runFor(50);
  world.pause("b");
  for (let i = 1; i <= 3; i++) {
    world.request("a", i, () => {});
    world.runFor(10);
  }
  world.runFor(300);
  assert.deepEqual(heard(world, "b"), []);
  world.resume("b");
  world.runFor(0);
  assert.deepEqual(heard(world, "b"), [1, 2, 3]);
  assert.deepEqual(world.process("b")?.ticks, [380]);
});

test("a one-way partition lets messages through the other way", () => {
  const world = open();
  world.partition(["a"], "out");
  world.request("a", 1, () => {});
  world.request("b", 2, () => {});
  world.runFor(20);
  assert.deepEqual(heard(world, "a"), [2]);
  assert.deepEqual(heard(world, "b"), []);
  world.heal();
  world.partition(["a"], "in");
  world.request("a", 3, () => {});
  world.request("b", 4, () => {});
  world.runFor(20);
  assert.deepEqual(heard(world, "a"), [2]);
  assert.deepEqual(heard(world, "b"), [3]);
  assert.deepEqual(heard(world, "c"), [2, 3, 4]);
});

test("a link that was severed can be mended alone", () => {
  const world = open();
  world.sever("a", "b");
  world.sever("a", "c");
  world.mend("a", "b");
  world.request("a", 1, () => {});
  world.runFor(20);
  assert.deepEqual([heard(world, "b"), heard(world, "c")], [[1], []]);
});

test("what is sent over a clogged link arrives when the clog is over", () => {
  const world = open();
  world.clog("b", 200);
  world.request("a", 1, () => {});
  world.runFor(199);
  assert.deepEqual(heard(world, "b"), []);
  world.runFor(1);
  assert.deepEqual(world.process("b")?.heard, [["a", 1, 200]]);
});

test("a link that is full loses what is more", () => {
  const world = open({ capacity: 2 });
  for (let i = 1; i <= 5; i++) world.request("a", i, () => {});
  world.runFor(10);
  assert.deepEqual(heard(world, "b"), [1, 2]);
  world.request("a", 6, () => {});
  world.runFor(10);
  assert.deepEqual(heard(world, "b"), [1, 2, 6], "what has arrived takes no room");
});

test("a clock that jumps makes timers due that much earlier, and never goes back", () => {
  const world = open();
  world.runFor(10);
  world.jump("a", 60);
  world.runFor(100);
  assert.deepEqual(world.process("a")?.ticks, [100]);
  assert.deepEqual(world.process("b")?.ticks, [100]);
  world.runFor(40);
  assert.deepEqual(world.process("a")?.ticks, [100, 200]);
  assert.deepEqual(world.process("b")?.ticks, [100]);
});

test("a fast clock fires no timer before its own time has passed", () => {
  for (const rate of [0, 1, 37, 100]) {
    const clock = new Clock(0, 12, rate);
    for (let now = 0; now < 500; now += 7) {
      for (const delay of [1, 2, 99, 1000]) {
        assert.ok(clock.at(now + clock.lasts(delay)) - clock.at(now) >= delay);
        assert.ok(clock.lasts(delay) <= delay);
      }
    }
  }
});

test("the layer above a process takes checkpoints for it, and it recovers from them", () => {
  const world = open({
    checkpoint: (_, scribe) => (scribe.written.length === 10 ? [...scribe.written] : undefined),
  });
  for (let i = 1; i <= 12; i++) {
    world.request("a", i, () => {});
    world.runFor(20);
  }
  assert.deepEqual(world.disk("a").records, [11, 12]);
  world.crash("a");
  world.start("a");
  assert.deepEqual(world.process("a")?.written, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("an upgrade shows at the next start", () => {
  const releases: number[] = [];
  const world = open({
    create: (id, release) => {
      if (id === "a") releases.push(release);
      return new Scribe([]);
    },
  });
  world.upgrade("a");
  world.crash("a");
  world.start("a");
  assert.deepEqual(releases, [0, 1]);
});

test("a handler that throws ends the life of its node", () => {
  const world = open({
    create: () =>
      new (class extends Scribe {
        override onRequest(): void {
          throw new Error("broken");
        }
      })([]),
  });
  world.request("a", 1, () => assert.fail("answered"));
  assert.throws(() => world.runFor(1), /broken/);
  assert.deepEqual([world.failed, world.isUp("a"), world.isUp("b")], ["a", false, true]);
});

test("delays stay within the weather's range, and most are short if the weather is exponential", () => {
  const dice = new Dice(1, { ...CALM, latencyMs: [10, 110], latencyShape: "exponential" });
  const delays = Array.from({ length: 1_000 }, () => dice.message(0, 1, false, 0));
  assert.ok(delays.every((delay) => delay >= 10 && delay <= 110));
  assert.ok(delays.filter((delay) => delay < 60).length > 800);
  const spread = new Dice(1, { ...CALM, linkSpreadMs: 50 });
  const links = [0, 1, 2, 3].map((to) => spread.message(9, to, false, 0));
  assert.ok(new Set(links).size > 1, "each link has a delay of its own");
  assert.deepEqual(
    links,
    [0, 1, 2, 3].map((to) => spread.message(9, to, false, 0)),
  );
});
