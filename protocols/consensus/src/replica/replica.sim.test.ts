import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import type { Claims } from "../conformance/index.ts";
import type { LogWords, OrderedLog } from "../ordered-log.ts";
import { MultiPaxosClaims } from "../paxos/multi/claims.ts";
import { multiPaxosDefaults } from "../paxos/multi/config.ts";
import { MultiPaxos } from "../paxos/multi/multi-paxos.ts";
import { RaftClaims } from "../raft/claims.ts";
import { lan } from "../raft/config.ts";
import { Raft } from "../raft/raft.ts";
import { REPLICA_DEFAULTS } from "./config.ts";
import { Journal } from "./journal.ts";
import { Replica } from "./replica.ts";
import type { ReplicaWords } from "./words.ts";
import { ZabClaims } from "../zab/claims.ts";
import { zabDefaults } from "../zab/config.ts";
import { Zab } from "../zab/zab.ts";

type Words = ReplicaWords<LogWords, number>;
type JournalReplica = Replica<LogWords, number>;

interface Engine {
  readonly name: string;
  readonly create: (voters: readonly string[]) => OrderedLog<LogWords>;
  readonly claims: () => Claims<LogWords>;
}

// Each engine made the logs that its claims are asked about.
const raft: Engine = {
  name: "Raft",
  create: (voters) => new Raft(lan({ voters })),
  claims: () => new RaftClaims(),
};
const paxos: Engine = {
  name: "Multi-Paxos",
  create: (voters) => new MultiPaxos(multiPaxosDefaults({ voters })),
  claims: () => new MultiPaxosClaims(),
};
const zab: Engine = {
  name: "Zab",
  create: (voters) => new Zab(zabDefaults({ voters })),
  claims: () => new ZabClaims(),
};

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 24);

function command(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function journal(replica: JournalReplica): readonly string[] {
  return (replica.machine as Journal).lines.map((line) => line.command);
}

function world(
  engine: Engine,
  seed: number,
  nodes: readonly string[],
  faults: boolean,
): Simulation<Words, JournalReplica> {
  const config = {
    ...REPLICA_DEFAULTS,
    // Checkpoints every few commands, and next to no log kept: lagging replicas need snapshots.
    checkpointBytes: faults ? 200 + 100 * (seed % 5) : 1 << 20,
    keepBytes: seed % 3 === 0 ? 1 : 500,
  };
  return new Simulation<Words, JournalReplica>({
    seed,
    nodes,
    create: () => new Replica(engine.create(nodes), new Journal(), config),
    latencyMs: [1, [5, 40, 300][seed % 3]!],
    lossPermille: faults ? [0, 20, 200][(seed >> 1) % 3]! : 0,
    duplicatePermille: faults ? [0, 50][(seed >> 2) % 2]! : 0,
    syncMs: [1, [2, 60][(seed >> 3) % 2]!],
    lostCheckpointPermille: seed % 4 === 0 ? 300 : 0,
    hints: seed % 2 === 1,
    freeze: true,
  });
}

function hostile(engine: Engine, seed: number): void {
  test(`${engine.name}: every command is executed once, in order, whatever happens (seed ${seed})`, () => {
    const nodes = ["a", "b", "c", "d", "e"].slice(0, seed % 2 === 0 ? 3 : 5);
    const cluster = world(engine, seed, nodes, true);
    const { random } = cluster;
    const claims = engine.claims();
    const answered = new Map<string, number>();
    let highest = -1;
    const up = () =>
      nodes.flatMap((id) => {
        const replica = cluster.process(id);
        return replica === undefined ? [] : [[id, replica.log] as const];
      });
    for (let i = 0; i < 250; i++) {
      const node = nodes[random.below(nodes.length)]!;
      if (cluster.process(node) === undefined) cluster.start(node);
      else if (random.chance(1, 25)) cluster.crash(node);
      else if (random.chance(1, 40)) {
        cluster.request(node, { type: "transfer", to: undefined }, () => {});
      } else if (random.chance(1, 3)) {
        // A linearizable read sees at least what was answered before it was asked.
        const atLeast = highest;
        cluster.request(node, { type: "read", level: "linearizable" }, (response) => {
          if (response.type !== "readable") return;
          const seen = journal(cluster.process(node)!).length;
          assert.ok(
            seen > atLeast,
            `${node} reads ${seen} lines, though line ${atLeast} was answered`,
          );
        });
      } else {
        const text = `x${i}`;
        cluster.request(
          node,
          { type: "execute", command: command(text), timeMs: i, once: undefined },
          (response) => {
            if (response.type !== "executed") return;
            answered.set(text, response.result);
            highest = Math.max(highest, response.result);
          },
        );
      }
      if (random.chance(1, 30)) cluster.partition(nodes.filter(() => random.chance(1, 2)));
      if (random.chance(1, 20)) cluster.heal();
      const until = cluster.now + random.below(80);
      while (cluster.now < until && cluster.step()) assert.equal(claims.check(up()), undefined);
    }
    cluster.heal();
    for (const id of nodes) if (cluster.process(id) === undefined) cluster.start(id);
    cluster.runFor(120_000);
    const [first, ...others] = cluster.processes;
    const lines = journal(first!);
    for (const replica of others) {
      assert.deepEqual(journal(replica), lines);
      assert.equal(replica.machine.digest(), first!.machine.digest());
    }
    assert.equal(new Set(lines).size, lines.length, "no command was executed twice");
    for (const [text, result] of answered) assert.equal(lines[result], text);
  });
}

for (const engine of [raft, paxos, zab]) {
  for (let seed = 1; seed <= SEEDS; seed++) hostile(engine, seed);
}

test("a replica that lags beyond the log catches up from a snapshot, and goes on", () => {
  const nodes = ["a", "b", "c"];
  const cluster = world(raft, 3, nodes, true);
  cluster.runFor(5_000);
  const down = cluster.processes.find((replica) => replica.log.role !== "leader")!;
  const id = nodes.find((node) => cluster.process(node) === down)!;
  const other = nodes.find((node) => node !== id)!;
  cluster.crash(id);
  for (let i = 0; i < 100; i++) {
    cluster.request(
      other,
      { type: "execute", command: command(`x${i}`), timeMs: i, once: undefined },
      () => {},
    );
    cluster.runFor(50);
  }
  cluster.start(id);
  cluster.runFor(30_000);
  assert.equal(journal(cluster.process(id)!).length, 100);
});

test("a session's command is executed once, and its answer repeated", () => {
  const cluster = world(raft, 6, ["a", "b", "c"], false);
  cluster.runFor(5_000);
  let session = "";
  cluster.request("a", { type: "open", timeMs: 0 }, (response) => {
    if (response.type === "opened") ({ session } = response);
  });
  cluster.runFor(2_000);
  assert.notEqual(session, "");
  const results: unknown[] = [];
  const ask = (node: string, sequence: number) => {
    const once = { session, sequence };
    const request = { type: "execute", command: command(`c${sequence}`), timeMs: 0, once } as const;
    cluster.request(node, request, (response) => results.push(response));
    cluster.runFor(2_000);
  };
  ask("a", 1);
  ask("b", 1);
  ask("c", 2);
  ask("a", 1);
  assert.deepEqual(results, [
    { type: "executed", result: 0 },
    { type: "executed", result: 0 },
    { type: "executed", result: 1 },
    { type: "sessionLost" },
  ]);
});
