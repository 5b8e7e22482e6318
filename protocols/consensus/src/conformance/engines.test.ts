/** Engines for the suite, and how it is run. `QUORATE_SEEDS` multiplies its seeds. */

import { test } from "node:test";

import { type NodeId, Random } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { LogWords } from "../ordered-log.ts";
import { MultiPaxosClaims } from "../paxos/multi/claims.ts";
import { type MultiPaxosConfig, multiPaxosDefaults } from "../paxos/multi/config.ts";
import type { MultiPaxosWords } from "../paxos/multi/messages.ts";
import { MultiPaxos } from "../paxos/multi/multi-paxos.ts";
import { RaftClaims } from "../raft/claims.ts";
import { lan, type RaftConfig } from "../raft/config.ts";
import type { RaftWords } from "../raft/messages.ts";
import { Raft } from "../raft/raft.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaWords } from "../replica/words.ts";
import { ZabClaims } from "../zab/claims.ts";
import { type ZabConfig, zabDefaults } from "../zab/config.ts";
import type { ZabWords } from "../zab/messages.ts";
import { Zab } from "../zab/zab.ts";
import {
  type Claims,
  compare,
  conformance,
  type Contestant,
  contestant,
  type Engine,
  type MakeWorld,
  workload,
} from "./index.ts";

export const TIMES: number = Math.max(
  1,
  Math.floor(Number(process.env["QUORATE_SEEDS"] ?? 60) / 60),
);

export function simulate<L extends LogWords>(): MakeWorld<L> {
  return (options) => new Simulation<ReplicaWords<L, number>, Replica<L, number>>(options);
}

/** An engine's own claims, for the suite, which knows it as a log only. */
export function claimsOf<L extends LogWords>(claims: {
  check(nodes: readonly (readonly [NodeId, never])[]): string | undefined;
}): Claims<L> {
  // The engine made all of these logs, and its claims know them.
  return { check: (nodes) => claims.check(nodes as readonly (readonly [NodeId, never])[]) };
}

export function raftEngine(name: string, settings: Partial<RaftConfig> = {}): Engine<RaftWords> {
  return {
    name,
    create: (_id, founding) => new Raft({ ...lan(founding), ...settings }),
    claims: () => claimsOf(new RaftClaims()),
    recoveryMs: 10_000,
    livesOn: "clique",
  };
}

export function paxosEngine(
  name: string,
  settings: Partial<MultiPaxosConfig> = {},
): Engine<MultiPaxosWords> {
  return {
    name,
    create: (_id, founding) => new MultiPaxos({ ...multiPaxosDefaults(founding), ...settings }),
    claims: () => claimsOf(new MultiPaxosClaims()),
    recoveryMs: 10_000,
    livesOn: "star",
  };
}

export function zabEngine(name: string, settings: Partial<ZabConfig> = {}): Engine<ZabWords> {
  return {
    name,
    create: (_id, founding) => new Zab({ ...zabDefaults(founding), ...settings }),
    claims: () => claimsOf(new ZabClaims()),
    recoveryMs: 10_000,
    livesOn: "clique",
  };
}

/** Every scene of the suite, in front of an engine with the settings of each seed. */
export function playSuite<L extends LogWords>(
  name: string,
  engineOf: (seed: number) => Engine<L>,
): void {
  for (const scene of conformance) {
    for (let seed = 1; seed <= scene.seeds * TIMES; seed++) {
      test(`${name}: ${scene.name} (seed ${seed})`, () => {
        scene.play(engineOf(seed), simulate(), seed);
      });
    }
  }
}

export function contestantOf<L extends LogWords>(engine: Engine<L>): Contestant {
  return contestant(engine, simulate());
}

/** Whatever engine carries it, a client is told the same. */
export function compareAll(names: string, contestants: readonly Contestant[]): void {
  for (let seed = 1; seed <= 5 * TIMES; seed++) {
    test(`${names} tell their client the same (seed ${seed})`, () => {
      const random = new Random(seed);
      compare(
        contestants,
        workload(seed, (below) => random.below(below)),
      );
    });
  }
}
