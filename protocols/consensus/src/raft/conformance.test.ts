/** Raft before the suite that every ordered log must pass. `QUORATE_SEEDS` multiplies its seeds. */

import { test } from "node:test";

import { Random } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import {
  compare,
  conformance,
  contestant,
  type Engine,
  type MakeWorld,
  workload,
} from "../conformance/index.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaWords } from "../replica/words.ts";
import { RaftClaims } from "./claims.ts";
import { lan, type RaftConfig } from "./config.ts";
import type { RaftWords } from "./messages.ts";
import { Raft } from "./raft.ts";

const TIMES = Math.max(1, Math.floor(Number(process.env["QUORATE_SEEDS"] ?? 60) / 60));

function raft(name: string, settings: Partial<RaftConfig> = {}): Engine<RaftWords> {
  return {
    name,
    create: (_id, founding) => new Raft({ ...lan(founding), ...settings }),
    claims: () => {
      const claims = new RaftClaims();
      // The engine made all of these logs.
      return { check: (nodes) => claims.check(nodes as readonly (readonly [string, Raft])[]) };
    },
    recoveryMs: 10_000,
    livesOn: "clique",
  };
}

const simulate: MakeWorld<RaftWords> = (options) =>
  new Simulation<ReplicaWords<RaftWords, number>, Replica<RaftWords, number>>(options);

const narrow = { inflightMessages: 1, appendBytes: 64 };

for (const scene of conformance) {
  for (let seed = 1; seed <= scene.seeds * TIMES; seed++) {
    test(`Raft: ${scene.name} (seed ${seed})`, () => {
      const engine =
        seed % 3 === 0 ? raft("narrow Raft", narrow) : raft("Raft", { leaseReads: true });
      scene.play(engine, simulate, seed);
    });
  }
}

for (let seed = 1; seed <= 5 * TIMES; seed++) {
  test(`a wide and a narrow Raft tell their client the same (seed ${seed})`, () => {
    const random = new Random(seed);
    const engines = [raft("Raft"), raft("narrow Raft", narrow)];
    const contestants = engines.map((engine) => contestant(engine, simulate));
    compare(
      contestants,
      workload(seed, (below) => random.below(below)),
    );
  });
}
