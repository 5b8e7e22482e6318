/**
 * How many events a second the Raft core handles in memory, three nodes in the
 * simulator with its invariants checked by nobody, beside a floor: the same
 * number of events that do nothing.
 *
 *     npm run bench -w bench -- raft
 */

import { lan, Raft, type RaftWords } from "@quorate/consensus";
import { type Context, type NodeId, type Process, type Speaks } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { report } from "./report.ts";

const NODES = ["a", "b", "c"];
const COMMAND = new Uint8Array(100);
const DURATION_MS = 20_000;

interface Measured {
  readonly events: number;
  readonly commits: number;
  readonly seconds: number;
}

function raft(perMs: number): Measured {
  const initial = { voters: NODES, outgoing: [], learners: [] };
  const world = new Simulation<RaftWords, Raft>({
    seed: 1,
    nodes: NODES,
    create: () => new Raft(lan(initial)),
    latencyMs: [1, 2],
    syncMs: [1, 2],
  });
  world.runFor(5_000);
  const leader = NODES.find((id) => world.process(id)?.role === "leader")!;
  let commits = 0;
  const before = world.steps;
  const started = process.cpuUsage();
  for (let now = 0; now < DURATION_MS; now++) {
    for (let i = 0; i < perMs; i++) {
      world.request(leader, { type: "propose", data: COMMAND }, (response) => {
        if (response.type === "committed") commits++;
      });
    }
    world.runFor(1);
  }
  return { events: world.steps - before, commits, seconds: secondsSince(started) };
}

type EchoWords = Speaks<{ Message: number }>;

/** The least a protocol can do: pass a number on. */
class Echo implements Process<EchoWords> {
  onStart(ctx: Context<EchoWords>): void {
    for (let i = 0; i < 10; i++) ctx.sendEagerly(ctx.self === "a" ? "b" : "a", i);
  }

  onMessage(ctx: Context<EchoWords>, from: NodeId, message: number): void {
    ctx.sendEagerly(from, message + 1);
  }
}

function floor(events: number): Measured {
  const world = new Simulation<EchoWords, Echo>({
    seed: 1,
    nodes: ["a", "b"],
    create: () => new Echo(),
  });
  const started = process.cpuUsage();
  while (world.steps < events) world.step();
  return { events, commits: 0, seconds: secondsSince(started) };
}

function secondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

const rows = [1, 10, 50].map((perMs) => {
  const measured = raft(perMs);
  const least = floor(measured.events);
  return {
    "proposals/ms": perMs,
    "events/s": Math.round(measured.events / measured.seconds),
    "commits/s": Math.round(measured.commits / measured.seconds),
    "events/s of floor": (least.seconds / measured.seconds).toFixed(2),
  };
});
report("Raft core, three nodes in memory, 100-byte commands, CPU time", rows);
