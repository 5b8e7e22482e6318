/** Multi-Paxos before the suite that every ordered log must pass. `QUORATE_SEEDS` multiplies its seeds. */

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
} from "../../conformance/index.ts";
import type { LogWords } from "../../ordered-log.ts";
import { lan } from "../../raft/config.ts";
import { Raft } from "../../raft/raft.ts";
import { RaftClaims } from "../../raft/claims.ts";
import type { RaftWords } from "../../raft/messages.ts";
import type { Replica } from "../../replica/replica.ts";
import type { ReplicaWords } from "../../replica/words.ts";
import { MultiPaxosClaims } from "./claims.ts";
import { type MultiPaxosConfig, multiPaxosDefaults } from "./config.ts";
import type { MultiPaxosWords } from "./messages.ts";
import { MultiPaxos } from "./multi-paxos.ts";

const TIMES = Math.max(1, Math.floor(Number(process.env["QUORATE_SEEDS"] ?? 60) / 60));

function paxos(name: string, settings: Partial<MultiPaxosConfig> = {}): Engine<MultiPaxosWords> {
  return {
    name,
    create: (_id, founding) => new MultiPaxos({ ...multiPaxosDefaults(founding), ...settings }),
    claims: () => {
      const claims = new MultiPaxosClaims();
      // The engine made all of these logs.
      return {
        check: (nodes) => claims.check(nodes as readonly (readonly [string, MultiPaxos])[]),
      };
    },
    recoveryMs: 10_000,
    livesOn: "star",
  };
}

const raft: Engine<RaftWords> = {
  name: "Raft",
  create: (_id, founding) => new Raft(lan(founding)),
  claims: () => {
    const claims = new RaftClaims();
    return { check: (nodes) => claims.check(nodes as readonly (readonly [string, Raft])[]) };
  },
  recoveryMs: 10_000,
  livesOn: "clique",
};

function simulate<L extends LogWords>(): MakeWorld<L> {
  return (options) => new Simulation<ReplicaWords<L, number>, Replica<L, number>>(options);
}

const narrow = { inflightMessages: 1, appendBytes: 64, window: 2 };

for (const scene of conformance) {
  for (let seed = 1; seed <= scene.seeds * TIMES; seed++) {
    test(`Multi-Paxos: ${scene.name} (seed ${seed})`, () => {
      const engine = seed % 3 === 0 ? paxos("narrow", narrow) : paxos("wide", { leaseReads: true });
      scene.play(engine, simulate(), seed);
    });
  }
}

for (let seed = 1; seed <= 5 * TIMES; seed++) {
  test(`Multi-Paxos, wide and narrow, and Raft tell their client the same (seed ${seed})`, () => {
    const random = new Random(seed);
    const contestants = [
      contestant(paxos("Multi-Paxos"), simulate()),
      contestant(paxos("narrow Multi-Paxos", narrow), simulate()),
      contestant(raft, simulate()),
    ];
    compare(
      contestants,
      workload(seed, (below) => random.below(below)),
    );
  });
}
