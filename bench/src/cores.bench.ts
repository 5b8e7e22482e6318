/**
 * What the consensus cores cost in memory: three nodes in the simulator, with
 * invariants checked by nobody, under the same load. CPU time for a command
 * beside a floor (as many events that do nothing) and beside Raft; messages,
 * bytes and syncs for a command.
 *
 *     npm run bench -w bench -- cores
 */

import {
  lan,
  type LogWords,
  MultiPaxos,
  multiPaxosDefaults,
  multiPaxosMessageCodec,
  type OrderedLog,
  Raft,
  raftMessageCodec,
  Zab,
  zabDefaults,
  zabMessageCodec,
} from "@quorate/consensus";
import {
  type Codec,
  type Context,
  type NodeId,
  type Process,
  type Speaks,
  Writer,
} from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { report } from "./report.ts";

const NODES = ["a", "b", "c"];
const COMMAND = new Uint8Array(100);
const DURATION_MS = 5_000;
const ROUNDS = 3;

interface Engine {
  readonly name: string;
  readonly create: () => OrderedLog<LogWords>;
  readonly messages: Codec<unknown>;
}

const ENGINES: readonly Engine[] = [
  { name: "raft", create: () => new Raft(lan({ voters: NODES })), messages: raftMessageCodec },
  {
    name: "paxos",
    create: () => new MultiPaxos(multiPaxosDefaults({ voters: NODES })),
    messages: multiPaxosMessageCodec,
  },
  {
    name: "zab",
    create: () => new Zab(zabDefaults({ voters: NODES })),
    messages: zabMessageCodec,
  },
];

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
function run(engine: Engine, perMs: number, counted?: Counted): Measured {
  const writer = new Writer();
  let counting = false;
  const observer = {
    sent(_from: NodeId, _to: NodeId, message: unknown): void {
      if (counted === undefined || !counting) return;
      writer.length = 0;
      engine.messages.write(writer, message);
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
    create: engine.create,
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
  const best = new Map<string, Measured>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of ENGINES) {
      const measured = run(engine, perMs);
      const before = best.get(engine.name);
      if (before === undefined || measured.seconds < before.seconds) {
        best.set(engine.name, measured);
      }
    }
  }
  const { seconds: raftSeconds, commits: raftCommits } = best.get("raft")!;
  return ENGINES.map((engine) => {
    const { events, commits, seconds } = best.get(engine.name)!;
    const counted: Counted = { messages: 0, bytes: 0, syncs: 0 };
    const { commits: all } = run(engine, perMs, counted);
    return {
      "proposals/ms": perMs,
      engine: engine.name,
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
