/**
 * Leases on clocks that run at different speeds (R33, D11). Within the bound a
 * lease read is linearizable; well beyond it some seed shows a stale one, or the
 * simulation would prove nothing.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Context, NodeId, Position, Process, RequestId } from "@quorate/kernel";
import { Random } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { LogRequest } from "../ordered-log.ts";
import { lan } from "./config.ts";
import type { Message, RaftWords, Record, Timer } from "./messages.ts";
import { Raft } from "./raft.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 60);
const NODES = ["a", "b", "c"];
const BOUND_PERMILLE = 100;

/** Raft on a clock of its own: `permille` says how fast it runs. */
class Drifting implements Process<RaftWords> {
  readonly raft: Raft;
  private readonly permille: number;

  constructor(raft: Raft, permille: number) {
    this.raft = raft;
    this.permille = permille;
  }

  recover(record: Record): void {
    this.raft.recover(record);
  }
  onStart(ctx: Context<RaftWords>): void {
    this.raft.onStart(this.clocked(ctx));
  }
  onMessage(ctx: Context<RaftWords>, from: NodeId, message: Message): void {
    this.raft.onMessage(this.clocked(ctx), from, message);
  }
  onTimer(ctx: Context<RaftWords>, timer: Timer): void {
    this.raft.onTimer(this.clocked(ctx), timer);
  }
  onRequest(ctx: Context<RaftWords>, id: RequestId, request: LogRequest): void {
    this.raft.onRequest(this.clocked(ctx), id, request);
  }
  onDurable(ctx: Context<RaftWords>, position: Position): void {
    this.raft.onDurable(this.clocked(ctx), position);
  }
  onIdle(ctx: Context<RaftWords>): void {
    this.raft.onIdle(this.clocked(ctx));
  }

  private clocked(ctx: Context<RaftWords>): Context<RaftWords> {
    const { permille } = this;
    const real = (ms: number) => Math.ceil((ms * 1000) / permille);
    return {
      self: ctx.self,
      now: Math.floor((ctx.now * permille) / 1000),
      setTimer: (timer, delayMs, jitterMs = 0) =>
        ctx.setTimer(timer, real(delayMs), real(jitterMs)),
      send: (to, message) => ctx.send(to, message),
      sendEagerly: (to, message) => ctx.sendEagerly(to, message),
      persist: (record) => ctx.persist(record),
      checkpoint: (records) => ctx.checkpoint(records),
      cancelTimer: (timer) => ctx.cancelTimer(timer),
      reply: (id, response) => ctx.reply(id, response),
      replyEagerly: (id, response) => ctx.replyEagerly(id, response),
      output: (value) => ctx.output(value),
      outputEagerly: (value) => ctx.outputEagerly(value),
      note: (observation) => ctx.note(observation),
      choose: (count) => ctx.choose(count),
    };
  }
}

/** Isolates leaders and reads from them. Returns how many reads were answered, and the first stale one. */
function play(seed: number, driftPermille: number): { reads: number; stale: string | undefined } {
  const settings = { leaseReads: true, clockDriftPermille: BOUND_PERMILLE };
  const speeds = new Random(seed * 31);
  const rates = new Map(NODES.map((id) => [id, 1000 + speeds.below(driftPermille + 1)]));
  const world = new Simulation<RaftWords, Drifting>({
    seed,
    nodes: NODES,
    create: (id) =>
      new Drifting(new Raft({ ...lan({ voters: NODES }), ...settings }), rates.get(id)!),
    latencyMs: [1, [3, 20][seed % 2]!],
    lossPermille: [0, 50][(seed >> 1) % 2]!,
    syncMs: [1, 5],
  });
  const { random } = world;
  let highest = 0;
  const seen: { reads: number; stale: string | undefined } = { reads: 0, stale: undefined };
  for (let i = 0; i < 1500 && seen.stale === undefined; i++) {
    const node = NODES[random.below(NODES.length)]!;
    if (random.chance(1, 60)) {
      const leader = NODES.find((id) => world.process(id)?.raft.role === "leader");
      if (leader !== undefined) world.partition([leader]);
    }
    if (random.chance(1, 80)) world.heal();
    if (random.chance(1, 200) && world.process(node) !== undefined) {
      world.crash(node);
      world.start(node);
    }
    world.request(node, { type: "propose", data: Uint8Array.of(i) }, (response) => {
      if (response.type === "committed") highest = Math.max(highest, response.index);
    });
    for (const reader of NODES) {
      const atLeast = highest;
      world.request(reader, { type: "read", level: "lease" }, (response) => {
        if (response.type !== "readable") return;
        seen.reads++;
        if (response.index >= atLeast) return;
        seen.stale ??= `${reader} reads at ${response.index} after ${atLeast}`;
      });
    }
    world.runFor(random.below(30));
  }
  return seen;
}

test("lease reads are linearizable while clocks drift within the bound", () => {
  let reads = 0;
  for (let seed = 1; seed <= SEEDS / 4; seed++) {
    const result = play(seed, BOUND_PERMILLE);
    assert.equal(result.stale, undefined, `seed ${seed}`);
    reads += result.reads;
  }
  assert.ok(reads > 1000, "leases are used");
});

test("far beyond the bound a lease read is stale", () => {
  const found = Array.from({ length: 40 }, (_, seed) => seed + 1).some(
    (seed) => play(seed, 20 * BOUND_PERMILLE).stale !== undefined,
  );
  assert.ok(found, "the simulation can tell");
});
