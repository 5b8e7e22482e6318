/**
 * Moves between engines while everything else goes wrong: crashes that tear the
 * log on disk, lost and repeated messages, partitions, snapshots of every age.
 */

import { test } from "node:test";

import { CALM, hostile } from "../conformance/stage.ts";
import { expect } from "../conformance/world.ts";
import { ENGINE_NAMES, MovingStage } from "./rig.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 24);
const THREE = ["a", "b", "c"] as const;
const FIVE = ["a", "b", "c", "d", "e"] as const;

for (const first of ENGINE_NAMES) {
  test(`a log that begins on ${first} moves there and back, and nobody notices`, () => {
    const stage = new MovingStage(first, { seed: 1, nodes: THREE, conditions: CALM });
    const { random } = stage.world;
    stage.until("a leader is found", stage.recoveryMs, () => stage.leader !== undefined);
    for (const number of [2, 3, 4]) {
      for (let i = 0; i < 40; i++) {
        if (i === 20) stage.move();
        if (random.chance(1, 3)) stage.read(stage.anyNode(), "linearizable");
        else stage.write(stage.anyNode());
        stage.run(random.below(20));
      }
      stage.everyoneIn(number);
    }
    stage.conclude();
    const { asked, acknowledged } = stage.ledger;
    expect(acknowledged === asked, `all of ${asked} writes are answered, not ${acknowledged}`);
  });
}

/** Zab waits for better candidates before it settles on one, and a quorum then promises and synchronises. */
const MOVES = [
  ["raft", "paxos", 100],
  ["paxos", "raft", 100],
  ["zab", "raft", 100],
  ["zab", "paxos", 100],
  ["raft", "zab", 250],
  ["paxos", "zab", 250],
] as const;

for (const [first, to, boundMs, leaseReads] of MOVES.flatMap(([from, to, ms]) => [
  [from, to, ms, false] as const,
  [from, to, ms, true] as const,
])) {
  const leases = leaseReads ? " under leases" : "";
  test(`a move from ${first} to ${to}${leases} stops writes for no longer than an election that nobody opposes`, (t) => {
    const setting = { seed: 1, nodes: THREE, conditions: CALM };
    const stage = new MovingStage(first, setting, { between: [to], leaseReads });
    stage.until("a leader is found", stage.recoveryMs, () => stage.leader !== undefined);
    stage.run(stage.recoveryMs);
    let acknowledged = 0;
    let lastMs = stage.world.now;
    let pauseMs = 0;
    for (let i = 0; i < 600; i++) {
      if (i === 300) stage.move();
      stage.write(THREE[i % 3]!);
      stage.run(1);
      if (stage.ledger.acknowledged === acknowledged) continue;
      ({ acknowledged } = stage.ledger);
      pauseMs = Math.max(pauseMs, stage.world.now - lastMs);
      lastMs = stage.world.now;
    }
    stage.everyoneIn(2);
    t.diagnostic(`${pauseMs} ms of virtual time between two acknowledged writes`);
    // Messages take up to 5 ms here and disks up to 2; an election timeout is ten times this.
    expect(pauseMs < boundMs, `${pauseMs} ms without an acknowledged write`);
    stage.conclude();
  });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`moves under faults lose nothing and repeat nothing (seed ${seed})`, () => {
    const nodes = seed % 3 === 0 ? FIVE : THREE;
    // Checkpoints of every size, and next to no log kept: whoever was away needs a snapshot.
    const replica = { checkpointBytes: [150, 600, 1 << 20][seed % 3]!, keepBytes: 1 };
    const first = ENGINE_NAMES[seed % ENGINE_NAMES.length]!;
    const leaseReads = seed % 2 === 0;
    const setting = { seed, nodes, conditions: hostile(seed), replica };
    const stage = new MovingStage(first, setting, { leaseReads });
    const { random } = stage.world;
    for (let i = 0; i < 250; i++) {
      const node = stage.anyNode();
      if (random.chance(1, 3)) stage.read(node, leaseReads ? "lease" : "linearizable");
      else stage.write(node);
      if (random.chance(1, 15)) stage.move(node);
      stage.trouble();
      stage.run(random.below(80));
    }
    stage.mend();
    stage.moveSurely();
    stage.conclude();
    stage.everyoneIn(stage.newest);
  });
}
