/** Writes, reads, sessions and snapshots, in calm and in hostile worlds. */

import type { NodeId } from "@quorate/kernel";

import type { LogWords } from "../ordered-log.ts";
import type { Scene } from "./scene.ts";
import { type Asked, CALM, encoded, hostile, Stage } from "./stage.ts";
import { expect } from "./world.ts";

const THREE: readonly NodeId[] = ["a", "b", "c"];
const FIVE: readonly NodeId[] = ["a", "b", "c", "d", "e"];

/** Writes and reads at random nodes, and what may befall them. */
function traffic<L extends LogWords>(stage: Stage<L>, rounds: number, faults: boolean): void {
  const { random } = stage.world;
  for (let i = 0; i < rounds; i++) {
    const node = stage.anyNode();
    if (random.chance(1, 3)) stage.read(node, random.chance(1, 3) ? "lease" : "linearizable");
    else stage.write(node);
    if (random.chance(1, 40)) stage.ask(node, { type: "transfer", to: undefined });
    if (faults) stage.trouble();
    stage.run(random.below(80));
  }
}

const calm: Scene = {
  name: "writes and reads at any node are linearizable",
  seeds: 2,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, { seed, nodes: THREE });
    stage.until("a leader is found", engine.recoveryMs, () => stage.leader !== undefined);
    traffic(stage, 150, false);
    stage.conclude();
    const { asked, acknowledged } = stage.ledger;
    expect(acknowledged >= asked * 0.95, `a calm world answers nearly all of ${asked} writes`);
    expect(stage.ledger.readCount > 30, "a calm world answers nearly every read");
  },
};

const storm: Scene = {
  name: "crashes, partitions and a bad network break no promise",
  seeds: 12,
  play(engine, makeWorld, seed) {
    const nodes = seed % 2 === 0 ? THREE : FIVE;
    const stage = new Stage(engine, makeWorld, { seed, nodes, conditions: hostile(seed) });
    traffic(stage, 200, true);
    stage.conclude();
  },
};

const snapshots: Scene = {
  name: "snapshots during traffic lose nothing and repeat nothing",
  seeds: 10,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, {
      seed,
      nodes: THREE,
      conditions: hostile(seed),
      // Next to no log is kept, so whoever was away needs a snapshot.
      replica: { checkpointBytes: 150 + 100 * (seed % 5), keepBytes: 1 },
    });
    traffic(stage, 200, true);
    const away = stage.anyNode();
    if (stage.world.process(away) !== undefined) stage.world.crash(away);
    for (let i = 0; i < 40; i++) {
      stage.write(stage.anyNode());
      stage.run(100);
    }
    stage.conclude();
  },
};

const slowDisks: Scene = {
  name: "slow disks delay answers and break nothing",
  seeds: 4,
  play(engine, makeWorld, seed) {
    const conditions = { ...CALM, syncMs: [20, [120, 300][seed % 2]!] } as const;
    const stage = new Stage(engine, makeWorld, { seed, nodes: THREE, conditions });
    traffic(stage, 120, seed % 4 >= 2);
    stage.conclude();
  },
};

/** One client, one session: each command is repeated at other nodes until it is answered. */
class Persistent<L extends LogWords> {
  readonly results: (readonly [command: string, line: number])[] = [];
  private readonly stage: Stage<L>;
  private readonly name: string;
  private session: string | undefined;
  private sequence = 1;
  private asked: Asked[] = [];
  private askAgainAt = 0;

  constructor(stage: Stage<L>, name: string) {
    this.stage = stage;
    this.name = name;
  }

  /** Takes what answers there are, and asks again what has none yet. */
  go(): void {
    for (const { response } of this.asked) {
      if (response === undefined) continue;
      if (response.type === "opened" && this.session === undefined) this.session = response.session;
      if (response.type === "executed" && this.session !== undefined) {
        this.results.push([`${this.name}${this.sequence++}`, response.result]);
      }
      expect(response.type !== "sessionLost", `the session of ${this.name} is remembered`);
      // Answers to what was asked too often may still come; they say the same.
      this.asked = [];
      this.askAgainAt = 0;
      break;
    }
    const { now } = this.stage.world;
    if (now < this.askAgainAt) return;
    this.askAgainAt = now + 700;
    this.asked.push(this.ask(this.stage.anyNode()));
  }

  private ask(node: NodeId): Asked {
    const { session, sequence } = this;
    const timeMs = this.stage.world.now;
    if (session === undefined) return this.stage.ask(node, { type: "open", timeMs });
    const command = encoded(`${this.name}${sequence}`);
    return this.stage.ask(node, {
      type: "execute",
      command,
      timeMs,
      once: { session, sequence },
    });
  }
}

const sessions: Scene = {
  name: "a command repeated within its session is executed once",
  seeds: 8,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, {
      seed,
      nodes: THREE,
      conditions: hostile(seed),
      replica: { checkpointBytes: 400, keepBytes: 1 },
    });
    const clients = ["x", "y"].map((name) => new Persistent(stage, name));
    for (let i = 0; i < 250; i++) {
      for (const client of clients) client.go();
      stage.trouble();
      stage.run(stage.world.random.below(80));
    }
    stage.mend();
    stage.until("every client is served", 10 * engine.recoveryMs, () => {
      for (const client of clients) client.go();
      return clients.every(({ results }) => results.length >= 3);
    });
    stage.run(engine.recoveryMs);
    const journal = stage.journal(stage.leader ?? "a");
    expect(new Set(journal).size === journal.length, "no command was executed twice");
    for (const [command, line] of clients.flatMap(({ results }) => results)) {
      expect(journal[line] === command, `${command} is line ${line}, as its client was told`);
    }
  },
};

const sealing: Scene = {
  name: "a seal ends the log for everyone at the same place",
  seeds: 6,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, {
      seed,
      nodes: THREE,
      conditions: hostile(seed),
      replica: { checkpointBytes: 300, keepBytes: 1 },
    });
    traffic(stage, 60, true);
    stage.mend();
    const data = encoded("onwards");
    stage.insist({ type: "seal", data }, ({ type, ...rest }) => {
      // A leader refuses as soon as it has the seal; with it, that may still be lost.
      const isKnown = stage.seals.size > 0;
      return type === "sealed" || (isKnown && "reason" in rest && rest.reason === "sealed");
    });
    // The leader may go, and one may be away, and it is sealed all the same.
    traffic(stage, 30, true);
    stage.mend();
    stage.until("everyone sees the end", 10 * engine.recoveryMs, () => {
      return stage.seals.size === THREE.length;
    });
    expect(new Set(stage.seals.values()).size === 1, "the log ends at one place");
    const late = stage.write("a");
    stage.until("a late write is answered", engine.recoveryMs, () => late.response !== undefined);
    expect(
      late.response?.type === "rejected" && late.response.reason === "sealed",
      "nothing is executed after the end",
    );
    stage.agree();
  },
};

export const trafficScenes: readonly Scene[] = [
  calm,
  storm,
  snapshots,
  slowDisks,
  sessions,
  sealing,
];
