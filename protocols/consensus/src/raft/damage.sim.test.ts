/**
 * Disks that lose entries (R36), one node's at a time: nothing committed is
 * lost, nothing is doubted for ever, and all logs come to be equal.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { Index, Term } from "../entry.ts";
import { RaftClaims } from "./claims.ts";
import { lan, type RaftConfig } from "./config.ts";
import type { RaftWords, Record } from "./messages.ts";
import { Raft } from "./raft.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 30);
const NODES = ["a", "b", "c"];

/** Loses some of the entries that it recovers. */
class Damaged extends Raft {
  private readonly dice: Random;

  constructor(config: RaftConfig, dice: Random) {
    super(config);
    this.dice = dice;
  }

  override recover(record: Record): void {
    if (record.type !== "entries" || this.dice.chance(2, 3)) return super.recover(record);
    this.lose(
      record.index,
      record.entries.map(({ term }) => term),
    );
  }

  protected lose(index: Index, terms: readonly Term[]): void {
    super.recover({ type: "damaged", index, terms });
  }

  get isWhole(): boolean {
    return this.damaged.size === 0;
  }
}

/** Takes what its disk has lost for what was never there. */
class Forgetful extends Damaged {
  private forgot = false;

  override recover(record: Record): void {
    if (!this.forgot || record.type === "state") super.recover(record);
  }

  protected override lose(): void {
    this.forgot = true;
  }
}

type Kind = new (config: RaftConfig, dice: Random) => Damaged;

function play(seed: number, Kind: Kind): { readonly damaged: number; readonly committed: number } {
  const dice = new Random(seed * 7);
  const config = lan({ voters: NODES });
  const claims = new RaftClaims();
  let hurt: string | undefined;
  let damaged = 0;
  const world = new Simulation<RaftWords, Raft>({
    seed,
    nodes: NODES,
    create: (id) => (id === hurt ? new Kind(config, dice) : new Raft(config)),
    latencyMs: [1, [5, 40][seed % 2]!],
    lossPermille: [0, 50][(seed >> 1) % 2]!,
    duplicatePermille: 20,
    syncMs: [1, [2, 30][(seed >> 2) % 2]!],
    freeze: true,
  });
  const { random } = world;
  const check = () => {
    const up = NODES.flatMap((id) => {
      const raft = world.process(id);
      return raft === undefined ? [] : [[id, raft] as const];
    });
    assert.equal(claims.check(up), undefined);
  };
  const committed = new Map<number, number>();
  for (let i = 0; i < 300; i++) {
    const node = NODES[random.below(NODES.length)]!;
    const injured = hurt === undefined ? undefined : world.process(hurt);
    // A node that is whole again may stay up; only then is another one hurt.
    if (injured instanceof Damaged && injured.isWhole) hurt = undefined;
    if (world.process(node) === undefined) {
      if (hurt === undefined && random.chance(1, 2)) {
        hurt = node;
        damaged++;
      }
      world.start(node);
    } else if (random.chance(1, 20) && (hurt === undefined || hurt === node)) world.crash(node);
    else {
      world.request(node, { type: "propose", data: Uint8Array.of(i % 256) }, (response) => {
        if (response.type === "committed") committed.set(response.index, i % 256);
      });
    }
    if (random.chance(1, 30)) world.partition(NODES.filter(() => random.chance(1, 2)));
    if (random.chance(1, 10)) world.heal();
    const until = world.now + random.below(80);
    while (world.now < until && world.step()) check();
  }
  world.heal();
  for (const id of NODES) if (world.process(id) === undefined) world.start(id);
  const until = world.now + 60_000;
  while (world.now < until && world.step()) check();
  const logs = world.processes.map((raft) => raft.log.range(1, raft.commitIndex));
  assert.equal(logs.length, NODES.length);
  for (const log of logs) assert.deepEqual(log, logs[0]);
  for (const [index, value] of committed) assert.equal(logs[0]![index - 1]!.data[0], value);
  return { damaged, committed: committed.size };
}

test("entries that are lost before the end of a snapshot are covered by it and never sent", () => {
  const raft = new Raft(lan({ voters: NODES }));
  const entry = (value: number) =>
    ({ term: 1, kind: "command", data: Uint8Array.of(value) }) as const;
  raft.recover({ type: "entries", index: 1, entries: [1, 2, 3, 4, 5, 6].map(entry) });
  raft.recover({ type: "damaged", index: 3, terms: [1, 1] });
  raft.recover({ type: "entries", index: 5, entries: [entry(5), entry(6)] });
  const { configuration } = raft;
  const meta = { index: 5, term: 1, configuration, configurationIndex: 0, sealed: false };
  raft.recover({ type: "snapshot", meta });
  assert.equal(raft.damaged.size, 0);
  assert.equal(raft.log.firstIndex, 5, "what was lost is in the snapshot and not in the log");
  assert.deepEqual(raft.log.range(5, 6), [entry(5), entry(6)]);
});

test("lost entries are fetched or proved uncommitted, and nothing else is lost", () => {
  const totals = { damaged: 0, committed: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { damaged, committed } = play(seed, Damaged);
    totals.damaged += damaged;
    totals.committed += committed;
  }
  assert.ok(totals.damaged > SEEDS / 2, "disks were damaged");
  assert.ok(totals.committed > 10 * SEEDS, "and the cluster worked");
});

test("who takes unknown for absent loses what was committed", () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);
  const found = seeds.some((seed) => {
    try {
      play(seed, Forgetful);
      return false;
    } catch (error) {
      assert.match(String(error), /I\d+: |Expected values/);
      return true;
    }
  });
  assert.ok(found, "the simulation can tell");
});
