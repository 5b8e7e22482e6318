/**
 * What the consensus cores cost in memory: three nodes in the simulator, with
 * invariants checked by nobody, under the same load. CPU time for a command
 * beside a floor (as many events that do nothing) and beside Raft; messages,
 * bytes and syncs for a command.
 *
 *     npm run bench -w bench -- cores
 */

import type { LogWords, OrderedLog } from "@quorate/consensus";
import { type EngineName, engines } from "@quorate/host";
import { type Context, type NodeId, type Process, type Speaks, Writer } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { ENGINE_NAMES } from "./engine-costs.ts";
import { report } from "./report.ts";

const NODES = ["a", "b", "c"];
const COMMAND = new Uint8Array(100);
const DURATION_MS = 5_000;
const ROUNDS = 3;

interface Measured {
  readonly events: number;
  readonly commits: number;
  readonly seconds: number;
}

interface Counted {
  messages: number;
  bytes: number;
  syncs: number;
}

/** @param counted - Counts traffic, which takes time of its own. */
function run(engine: EngineName, perMs: number, counted?: Counted): Measured {
  const writer = new Writer();
  let counting = false;
  const observer = {
    sent(_from: NodeId, _to: NodeId, message: unknown): void {
      if (counted === undefined || !counting) return;
      writer.length = 0;
      engines[engine].messages.write(writer, message);
      counted.messages++;
      counted.bytes += writer.length;
    },
    durable(): void {
      if (counted !== undefined && counting) counted.syncs++;
    },
  };
  const world = new Simulation<LogWords, OrderedLog<LogWords>>({
    seed: 1,
    nodes: NODES,
    create: () => engines[engine].create({ voters: NODES }, {}),
    // Links between real nodes keep their order.
    latencyMs: [1, 1],
    syncMs: [1, 1],
    ...(counted === undefined ? {} : { observer }),
  });
  world.runFor(5_000);
  const leader = NODES.find((id) => world.process(id)?.role === "leader")!;
  counting = true;
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

function floor(events: number): number {
  const world = new Simulation<EchoWords, Echo>({
    seed: 1,
    nodes: ["a", "b"],
    create: () => new Echo(),
  });
  const started = process.cpuUsage();
  while (world.steps < events) world.step();
  return secondsSince(started);
}

function secondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

const rows = [1, 10, 50].flatMap((perMs) => {
  // Taken in turns, and the best of each: a busy machine slows everyone alike.
  const best = new Map<EngineName, Measured>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of ENGINE_NAMES) {
      const measured = run(engine, perMs);
      const before = best.get(engine);
      if (before === undefined || measured.seconds < before.seconds) {
        best.set(engine, measured);
      }
    }
  }
  const { seconds: raftSeconds, commits: raftCommits } = best.get("raft")!;
  return ENGINE_NAMES.map((engine) => {
    const { events, commits, seconds } = best.get(engine)!;
    const counted: Counted = { messages: 0, bytes: 0, syncs: 0 };
    const { commits: all } = run(engine, perMs, counted);
    return {
      "proposals/ms": perMs,
      engine,
      "commits/s": Math.round(commits / seconds),
      "cost of raft's": (seconds / commits / (raftSeconds / raftCommits)).toFixed(2),
      "events/s of floor": (floor(events) / seconds).toFixed(2),
      "messages each": (counted.messages / all).toFixed(2),
      "bytes each": Math.round(counted.bytes / all),
      "syncs each": (counted.syncs / all).toFixed(2),
    };
  });
});
report("Consensus cores, three nodes in memory, 100-byte commands, CPU time", rows);
