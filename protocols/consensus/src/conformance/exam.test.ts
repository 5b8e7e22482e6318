/**
 * Keeps the suite honest: Rafts with one planted mistake each, named after the
 * rule that they break. Some scene must find each within its own seeds.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import type { Founding } from "../membership.ts";
import { lan, type RaftConfig } from "../raft/config.ts";
import type { RaftWords } from "../raft/messages.ts";
import { Raft } from "../raft/raft.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaWords } from "../replica/words.ts";
import { type Engine, type MakeWorld } from "./index.ts";
import { conformance } from "./suite.ts";

type Ctx = Parameters<Raft["onIdle"]>[0];

/** R16: commits what only the leader has. */
class Hasty extends Raft {
  protected override advance(ctx: Ctx): void {
    this.commitTo(ctx, this.durableIndex);
  }
}

/** R32: answers reads without asking whether it still leads. */
class Trusting extends Raft {
  override onRequest(...[ctx, id, request]: Parameters<Raft["onRequest"]>): void {
    if (request.type !== "read" || this.role !== "leader") {
      return super.onRequest(ctx, id, request);
    }
    ctx.reply(id, { type: "readable", index: this.commitIndex });
  }
}

/** R10: leads on without a quorum. */
class Stubborn extends Raft {
  protected override onQuorumTimeout(ctx: Ctx): void {
    ctx.setTimer("quorum", 500);
  }
}

/** R28, R30: never ends a joint change, never promotes a learner. */
class Forgetful extends Raft {
  protected override goOnChanging(): void {}
}

/** R29: leads on after it was removed. */
class Clinging extends Raft {
  protected override handOver(...args: Parameters<Raft["handOver"]>): void {
    if (this.isVoter(args[0].self)) super.handOver(...args);
  }
}

/** R22: keeps a snapshot's log from anybody. */
class Hoarding extends Raft {
  override onRequest(...[ctx, id, request]: Parameters<Raft["onRequest"]>): void {
    if (request.type !== "install") return super.onRequest(ctx, id, request);
    ctx.reply(id, this.rejected("stale", true));
  }
}

/** R3: votes for anybody. */
class Generous extends Raft {
  override onMessage(...[ctx, from, message]: Parameters<Raft["onMessage"]>): void {
    const asks = message.type === "requestVote";
    super.onMessage(
      ctx,
      from,
      asks ? { ...message, lastIndex: 2 ** 40, lastTerm: 2 ** 40 } : message,
    );
  }
}

type Kind = new (config: RaftConfig) => Raft;

/** Each with the scene that must find it; the others would cost time only. */
const PLANTED: readonly (readonly [Kind, scene: string])[] = [
  [Hasty, "crashes, partitions"],
  [Trusting, "crashes, partitions"],
  [Generous, "crashes, partitions"],
  [Hoarding, "snapshots during traffic"],
  [Stubborn, "three nodes go on"],
  [Forgetful, "an added voter"],
  [Clinging, "members come and go"],
];

const simulate: MakeWorld<RaftWords> = (options) =>
  new Simulation<ReplicaWords<RaftWords, number>, Replica<RaftWords, number>>(options);

for (const [Planted, title] of PLANTED) {
  const { name } = Planted;
  test(`the suite finds ${name}`, (t) => {
    const engine: Engine<RaftWords> = {
      name,
      create: (_id, founding: Founding) => new Planted(lan(founding)),
      // What clients see must suffice.
      claims: () => ({ check: () => undefined }),
      recoveryMs: 10_000,
      livesOn: "clique",
    };
    for (const scene of conformance.filter((one) => one.name.startsWith(title))) {
      for (let seed = 1; seed <= scene.seeds; seed++) {
        try {
          scene.play(engine, simulate, seed);
        } catch (error) {
          return t.diagnostic(`seed ${seed} of "${scene.name}": ${String(error)}`);
        }
      }
    }
    assert.fail("no scene finds it");
  });
}
