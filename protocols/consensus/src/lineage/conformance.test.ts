/** Lineages before the suite that every ordered log must pass: one that stays, and one that moves all the time. */

import { test } from "node:test";

import { conformance } from "../conformance/index.ts";
import type { RequestId } from "@quorate/kernel";
import type { LogRequest } from "../ordered-log.ts";
import type { Ctx } from "./branch.ts";
import { Lineage } from "./lineage.ts";
import { writeMove } from "./move.ts";
import { ENGINE_NAMES, lineages, simulate } from "./rig.test.ts";

const TIMES = Math.max(1, Math.floor(Number(process.env["QUORATE_SEEDS"] ?? 60) / 60));

/** How many proposals a leader takes before it moves. */
const RESTLESS = 12;
/** A move is an election: where there is nothing else nobody can be served. */
const REST_MS = 3000;

/** Moves on of its own accord, in the middle of whatever is played. */
class Restless extends Lineage {
  private proposals = 0;
  private inGeneration = 0;
  private restsUntil = 0;

  override onRequest(ctx: Ctx, id: RequestId, request: LogRequest): void {
    super.onRequest(ctx, id, request);
    if (request.type !== "propose" || this.role !== "leader") return;
    const { number: from, engine } = this.generation;
    if (from !== this.inGeneration) {
      this.inGeneration = from;
      this.restsUntil = ctx.now + REST_MS;
    }
    if (++this.proposals < RESTLESS || ctx.now < this.restsUntil) return;
    this.proposals = 0;
    const to = ENGINE_NAMES[(ENGINE_NAMES.indexOf(engine) + 1) % ENGINE_NAMES.length]!;
    // The replica takes no notice of answers to questions that it did not ask.
    super.onRequest(ctx, -1, { type: "seal", data: writeMove({ from, to }) });
  }
}

/** Scenes that ask who leads in which term, which is another matter where engines come and go. */
const STATIONARY = ["leadership goes to", "a leader that is removed"];

for (const scene of conformance) {
  // Each engine alone plays every graph; here one graph scene is as good as another.
  const seeds = Math.min(scene.seeds, 6) * TIMES;
  for (let seed = 1; seed <= seeds; seed++) {
    const first = ENGINE_NAMES[seed % ENGINE_NAMES.length]!;
    test(`a lineage that stays on ${first}: ${scene.name} (seed ${seed})`, () => {
      scene.play(lineages(first), simulate, seed);
    });
    if (STATIONARY.some((title) => scene.name.startsWith(title))) continue;
    test(`a lineage that moves: ${scene.name} (seed ${seed})`, () => {
      scene.play({ ...lineages(first, Restless), livesOn: "clique" }, simulate, seed);
    });
  }
}
