/**
 * Keeps the tests of moves honest: lineages with one planted mistake each, named
 * after the rule that they break. Moves under faults must find each.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { NodeId, RequestId } from "@quorate/kernel";

import { hostile } from "../conformance/stage.ts";
import type { SnapshotMeta } from "../entry.ts";
import type { LogOutput, LogRequest } from "../ordered-log.ts";
import type { Branch, Ctx } from "./branch.ts";
import { Lineage } from "./lineage.ts";
import { MovingStage } from "./rig.test.ts";
import type { LineageConfig, LineageMessage, LineageRecord } from "./words.ts";

/** What a planted mistake may reach into. */
interface Inside {
  due: { readonly index: number; readonly engine: string } | undefined;
  told: number;
}

function inside(lineage: Lineage): Inside {
  // Private to everybody but this exam.
  return lineage as unknown as Inside;
}

/** G2: the next generation begins when the seal is appended, not when it is committed. */
class Early extends Lineage {
  override onRequest(ctx: Ctx, id: RequestId, request: LogRequest): void {
    super.onRequest(ctx, id, request);
    if (request.type !== "seal" || this.role !== "leader") return;
    const engine = this.generation.engine === "raft" ? "paxos" : "raft";
    const { index, entries } = this.pending();
    inside(this).told = this.lastIndex;
    if (entries.length > 0) ctx.outputEagerly({ type: "committed", index, entries });
    this.pretendCommitted();
    inside(this).due = { index: this.lastIndex, engine };
    this.onIdle(ctx);
  }

  private pending() {
    const index = inside(this).told + 1;
    return { index, entries: index > this.lastIndex ? [] : this.entries(index, this.lastIndex) };
  }

  private pretendCommitted(): void {
    const log = this.logs.at(-1)!.log as { commitIndex: number };
    log.commitIndex = this.lastIndex;
  }
}

/** G3: words of an earlier generation are taken for words of the present one. */
class Deaf extends Lineage {
  override onMessage(ctx: Ctx, from: NodeId, message: LineageMessage): void {
    const mixed = message.type === "inner" && message.generation.engine === this.generation.engine;
    super.onMessage(ctx, from, mixed ? { ...message, generation: this.generation } : message);
  }
}

/** G4: the beginning of a generation is not written down. */
class Forgetful extends Lineage {
  override recover(record: LineageRecord): void {
    if (record.type !== "begin") super.recover(record);
  }
}

/** G4: what came before the seal is not told again after a restart. */
class Terse extends Lineage {
  override onStart(ctx: Ctx): void {
    const { told, untold } = this as unknown as { told: number; untold: unknown[] };
    inside(this).told = told + untold.length;
    untold.length = 0;
    super.onStart(ctx);
  }
}

/** L8: what follows the seal in its log is executed. */
class Overrun extends Lineage {
  override hear(ctx: Ctx, branch: Branch, value: LogOutput): void {
    if (value.type === "committed" && branch.end !== undefined) ctx.outputEagerly(value);
    else super.hear(ctx, branch, value);
  }
}

/** G6: a member that lags in a generation that is gone is left alone, and takes no snapshot. */
class Heartless extends Lineage {
  override onRequest(ctx: Ctx, id: RequestId, request: LogRequest): void {
    const late = request.type === "install" && generationOf(request.meta) > this.generation.number;
    if (!late) return super.onRequest(ctx, id, request);
    ctx.reply(id, { type: "rejected", reason: "stale", leader: undefined, definite: true });
  }
}

function generationOf({ generation }: SnapshotMeta): number {
  return generation?.number ?? 1;
}

type Kind = new (config: LineageConfig) => Lineage;

const PLANTED: readonly Kind[] = [Early, Deaf, Forgetful, Terse, Overrun, Heartless];
/** Most are found by the first few; Deaf shows in one of some sixty, wherever one begins. */
const SEEDS = 600;

for (const Planted of PLANTED) {
  test(`moves under faults find ${Planted.name}`, (t) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        play(seed, Planted);
      } catch (error) {
        return t.diagnostic(`seed ${seed}: ${String(error)}`);
      }
    }
    assert.fail(`not found in ${SEEDS} seeds`);
  });
}

function play(seed: number, Planted: Kind): void {
  const nodes = ["a", "b", "c"];
  const replica = { checkpointBytes: seed % 2 === 0 ? 400 : 1 << 20, keepBytes: 1 };
  // There and back: what an engine said in an earlier generation is still on its way.
  const between = ["raft", "paxos"];
  const setting = { seed, nodes, conditions: hostile(seed), replica };
  const stage = new MovingStage(between[seed % 2]!, setting, { Log: Planted, between });
  const { random } = stage.world;
  for (let i = 0; i < 150; i++) {
    const node = stage.anyNode();
    if (random.chance(1, 3)) stage.read(node, "linearizable");
    else stage.write(node);
    if (random.chance(1, 10)) stage.move();
    stage.trouble();
    stage.run(random.below(80));
  }
  stage.conclude();
  stage.everyoneIn(stage.newest);
}
