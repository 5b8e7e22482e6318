import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Context,
  decode,
  encode,
  type Process,
  type RequestId,
  type Speaks,
} from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { incarnationCodec, type IncarnationRecord, Incarnations, nodeOf } from "./identity.ts";

class Memory {
  readonly records: IncarnationRecord[] = [];

  persist(record: IncarnationRecord): void {
    this.records.push(record);
  }
}

function life(disk: Memory, place: string, nonce: number): string {
  const incarnations = new Incarnations("n");
  for (const record of disk.records) incarnations.recover(record);
  return incarnations.start(disk, place, nonce);
}

test("a restart in the same place is the same actor", () => {
  const disk = new Memory();
  assert.equal(life(disk, "here", 1), life(disk, "here", 2));
  assert.equal(disk.records.length, 1);
});

test("a copy of the disk elsewhere is another actor, while the original stays (C03)", () => {
  const disk = new Memory();
  const original = life(disk, "here", 1);
  const copy = new Memory();
  copy.records.push(...disk.records);
  assert.notEqual(life(copy, "there", 2), original);
  assert.equal(life(disk, "here", 3), original);
});

test("two copies started apart are two actors, by their nonces", () => {
  const disk = new Memory();
  life(disk, "here", 1);
  const copies = [7, 8].map((nonce) => {
    const copy = new Memory();
    copy.records.push(...disk.records);
    return life(copy, `place ${nonce}`, nonce);
  });
  assert.notEqual(copies[0], copies[1]);
});

test("a node that lost its disk and joins again by its name is another actor (C04)", () => {
  assert.notEqual(life(new Memory(), "here", 1), life(new Memory(), "here", 2));
});

test("a restored backup takes a new incarnation when it hears of its own future (C02)", () => {
  const disk = new Memory();
  const incarnations = new Incarnations("n");
  const first = incarnations.start(disk, "here", 1);
  const second = incarnations.renew(disk, 2);
  assert.notEqual(first, second);
  assert.equal(life(disk, "here", 3), second);
  assert.equal(nodeOf(second), "n");
});

test("the record has a binary form", () => {
  const record = { type: "incarnation", epoch: 3, nonce: 2 ** 32 - 1, place: "here" } as const;
  assert.deepEqual(decode(incarnationCodec, encode(incarnationCodec, record)), record);
});

type Words = Speaks<{
  Record: IncarnationRecord;
  Request: "act";
  Response: string;
  Output: string;
}>;

/** Counts acts in memory only, as a careless process would: a life must not repeat what another did. */
class Actor implements Process<Words> {
  private readonly incarnations: Incarnations;
  private acts = 0;

  constructor(name: string) {
    this.incarnations = new Incarnations(name);
  }

  recover(record: IncarnationRecord): void {
    this.incarnations.recover(record);
  }

  onStart(ctx: Context<Words>): void {
    const nonce = ctx.choose(2 ** 32);
    this.incarnations.start(ctx, `life ${nonce}`, nonce);
  }

  onMessage(): void {}

  onRequest(ctx: Context<Words>, id: RequestId): void {
    this.acts += 1;
    const dot = `${this.incarnations.actor}:${this.acts}`;
    ctx.output(dot);
    ctx.reply(id, dot);
  }
}

test("no dot leaves a node twice, over crashes in mid-write and lost disks (C01)", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const seen: string[] = [];
    const world = new Simulation<Words, Actor>({
      seed,
      nodes: ["n"],
      create: (id) => new Actor(id),
      syncMs: [1, 20],
      freeze: true,
      onOutput: (_, dot) => seen.push(dot),
    });
    for (let i = 0; i < 40; i++) {
      world.request("n", "act", () => {});
      world.runFor(world.random.below(10));
      if (!world.random.chance(1, 4)) continue;
      world.crash("n");
      if (world.random.chance(1, 5)) world.wipe("n");
      world.start("n");
    }
    world.runFor(100);
    assert.ok(seen.length > 0);
    assert.equal(new Set(seen).size, seen.length, `seed ${seed}`);
  }
});
