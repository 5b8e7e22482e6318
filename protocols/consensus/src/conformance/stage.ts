/** A cluster of replicas on one engine, with clients, faults, and an eye on every promise. */

import type { NodeId } from "@quorate/kernel";

import type { Configuration } from "../entry.ts";
import { founded } from "../membership.ts";
import type { LogWords } from "../ordered-log.ts";
import { voters } from "../quorum.ts";
import { REPLICA_DEFAULTS, type ReplicaConfig } from "../replica/config.ts";
import { Journal } from "../replica/journal.ts";
import { Replica } from "../replica/replica.ts";
import type { Once, ReplicaRequest, ReplicaResponse } from "../replica/words.ts";
import { Ledger } from "./ledger.ts";
import {
  type Claims,
  type Conditions,
  type Engine,
  expect,
  type MakeWorld,
  type World,
} from "./world.ts";

export const CALM: Conditions = {
  latencyMs: [1, 5],
  lossPermille: 0,
  duplicatePermille: 0,
  syncMs: [1, 2],
  lostCheckpointPermille: 0,
  hints: true,
};

/** Each seed draws its own mix of faults: features of one kind hide those of another. */
export function hostile(seed: number): Conditions {
  return {
    latencyMs: [1, [5, 40, 300][seed % 3]!],
    lossPermille: [0, 20, 150][(seed >> 1) % 3]!,
    duplicatePermille: [0, 50][(seed >> 2) % 2]!,
    syncMs: [1, [2, 60][(seed >> 3) % 2]!],
    lostCheckpointPermille: seed % 4 === 0 ? 300 : 0,
    hints: seed % 2 === 1,
  };
}

export interface Setting {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  /** Who founds the cluster; the other nodes may be added later. All, if left out. */
  readonly founders?: readonly NodeId[];
  readonly conditions?: Conditions;
  readonly replica?: Partial<ReplicaConfig>;
}

/** The answer to a question, once there is one. */
export interface Asked {
  response: ReplicaResponse<number> | undefined;
}

export class Stage<L extends LogWords> {
  readonly nodes: readonly NodeId[];
  readonly world: World<L>;
  readonly ledger: Ledger = new Ledger();
  readonly recoveryMs: number;
  /** Where each node's log ended, and with what. */
  readonly seals: Map<NodeId, string> = new Map();
  private readonly claims: Claims<L>;
  /** The configuration of the highest commit index seen so far. */
  private seen: { readonly at: number; readonly configuration: Configuration };
  private commands = 0;

  constructor(engine: Engine<L>, makeWorld: MakeWorld<L>, setting: Setting) {
    const { seed, nodes, founders = nodes, conditions = CALM, replica = {} } = setting;
    this.nodes = nodes;
    this.seen = { at: 0, configuration: founded({ voters: founders }) };
    this.claims = engine.claims();
    this.recoveryMs = engine.recoveryMs;
    const config = { ...REPLICA_DEFAULTS, ...replica };
    this.world = makeWorld({
      ...conditions,
      seed,
      nodes,
      freeze: true,
      create: (id) => {
        const founding = { voters: founders.includes(id) ? founders : [] };
        return new Replica(engine.create(id, founding), new Journal(), config);
      },
      onOutput: (node, output) => {
        if (output.type !== "sealed") return;
        this.seals.set(node, `${output.index}:${String.fromCharCode(...output.data)}`);
      },
    });
  }

  // Time.

  /** Lets time pass, watching the engine's promises. */
  run(durationMs: number): void {
    const until = this.world.now + durationMs;
    while (this.world.now < until && this.world.step()) this.watch();
  }

  /** Lets time pass until `done`. @throws Violation if it is not within `limitMs`. */
  until(what: string, limitMs: number, done: () => boolean): void {
    const until = this.world.now + limitMs;
    while (!done()) {
      expect(this.world.now < until && this.world.step(), `${what} within ${limitMs} ms`);
      this.watch();
    }
  }

  private watch(): void {
    const up = this.up.map((id) => [id, this.world.process(id)!.log] as const);
    const broken = this.claims.check(up);
    expect(broken === undefined, broken ?? "");
  }

  // Nodes.

  get up(): readonly NodeId[] {
    return this.nodes.filter((id) => this.world.process(id) !== undefined);
  }

  /** A node that leads, and that most others would not contradict. */
  get leader(): NodeId | undefined {
    const leading = this.up.filter((id) => this.world.process(id)!.log.role === "leader");
    const newest = (a: NodeId, b: NodeId) =>
      this.world.process(b)!.log.term - this.world.process(a)!.log.term;
    return leading.toSorted(newest)[0];
  }

  journal(id: NodeId): readonly string[] {
    const replica = this.world.process(id);
    expect(replica !== undefined, `${id} is up`);
    // The suite gave every replica this machine.
    return (replica.machine as Journal).lines.map(({ command }) => command);
  }

  /** The configuration that the most advanced node is under. */
  get configuration(): Configuration {
    const logs = this.up.map((id) => this.world.process(id)!.log);
    for (const { commitIndex, configuration } of logs) {
      if (configuration.voters.length === 0 || commitIndex < this.seen.at) continue;
      this.seen = { at: commitIndex, configuration };
    }
    return this.seen.configuration;
  }

  anyNode(among: readonly NodeId[] = this.nodes): NodeId {
    return among[this.world.random.below(among.length)]!;
  }

  // Clients.

  ask(node: NodeId, request: ReplicaRequest): Asked {
    const asked: Asked = { response: undefined };
    if (this.world.process(node) === undefined) return asked;
    this.world.request(node, request, (response) => {
      expect(asked.response === undefined, "a request is answered once");
      asked.response = response;
    });
    return asked;
  }

  /** Asks whoever leads, again and again, until `accepted`. */
  insist(request: ReplicaRequest, accepted: (response: ReplicaResponse<number>) => boolean): void {
    let asked: Asked | undefined;
    let retryAt = 0;
    this.until(`${request.type} succeeds`, 10 * this.recoveryMs, () => {
      if (asked?.response !== undefined && accepted(asked.response)) return true;
      if (this.world.now < retryAt || this.leader === undefined) return false;
      retryAt = this.world.now + 500;
      if (asked === undefined || asked.response !== undefined || this.world.random.chance(1, 4)) {
        asked = this.ask(this.leader, request);
      }
      return false;
    });
  }

  /** Writes a new line at `node`, once. */
  write(node: NodeId, once?: Once): Asked {
    return this.execute(node, `w${++this.commands}`, once);
  }

  private execute(node: NodeId, text: string, once: Once | undefined): Asked {
    const write = this.ledger.begin(text);
    const command = encoded(text);
    const asked: Asked = { response: undefined };
    if (this.world.process(node) === undefined) return asked;
    const request = { type: "execute", command, timeMs: this.world.now, once } as const;
    this.world.request(node, request, (response) => {
      asked.response = response;
      if (response.type === "executed") this.ledger.executed(write, response.result);
      if (response.type === "rejected" && response.definite) this.ledger.refused(write);
    });
    return asked;
  }

  read(node: NodeId, level: "linearizable" | "lease"): void {
    if (this.world.process(node) === undefined) return;
    const call = this.ledger.ask();
    this.world.request(node, { type: "read", level }, (response) => {
      if (response.type === "readable") this.ledger.answered(call, this.journal(node).length);
    });
  }

  // Faults.

  /** Something bad happens, or something good. */
  trouble(): void {
    const { world } = this;
    const { random } = world;
    const node = this.anyNode();
    if (world.process(node) === undefined) {
      if (random.chance(1, 3)) world.start(node);
    } else if (random.chance(1, 25)) world.crash(node);
    if (random.chance(1, 30)) this.partition(this.nodes.filter(() => random.chance(1, 2)));
    if (random.chance(1, 60)) world.sever(node, this.anyNode());
    if (random.chance(1, 15)) world.heal();
  }

  /** Cuts `side` off from everyone else. */
  partition(side: readonly NodeId[]): void {
    for (const a of this.nodes) {
      for (const b of this.nodes) if (side.includes(a) !== side.includes(b)) this.world.sever(a, b);
    }
  }

  /** The faults stop: everyone is up and reaches everyone. */
  mend(): void {
    this.world.heal();
    for (const id of this.nodes) if (this.world.process(id) === undefined) this.world.start(id);
  }

  // The end.

  /**
   * With the faults over, new writes succeed at every voter, all members hold
   * the same journal, and clients were told nothing but the truth.
   */
  conclude(): void {
    this.mend();
    const pending = voters(this.settledConfiguration()).map((id) => [id, this.write(id)] as const);
    for (const [id, asked] of pending) {
      this.until(`a write at ${id} is executed`, 4 * this.recoveryMs, () => {
        return asked.response !== undefined;
      });
      expect(asked.response?.type === "executed", `a write at ${id} gave ${asked.response?.type}`);
    }
    this.agree();
  }

  /** All members come to hold the same journal, which bears out what clients were told. */
  agree(): void {
    const { voters: voting, learners } = this.settledConfiguration();
    const everyone = [...voting, ...learners];
    let differedAt = this.world.now;
    // What waits to be executed may still come, so it must stay so for a while.
    this.until("all members hold the same", 8 * this.recoveryMs, () => {
      const [first, ...others] = everyone.map((id) => this.journal(id).length);
      if (others.some((other) => other !== first)) differedAt = this.world.now;
      return this.world.now - differedAt > this.recoveryMs;
    });
    const [first, ...others] = everyone.map((id) => this.journal(id).join(" "));
    for (const other of others) expect(other === first, "all journals are equal");
    this.ledger.check(this.journal(everyone[0]!));
  }

  /** What the leader is under, once that is committed and alone. */
  private settledConfiguration(): Configuration {
    let settled: Configuration | undefined;
    // A change that was asked for may wait in its leader, and show only once it is decided.
    this.run(this.recoveryMs);
    this.until("a leader is found, and no change is under way", 6 * this.recoveryMs, () => {
      const log = this.leader === undefined ? undefined : this.world.process(this.leader)?.log;
      if (log === undefined || log.configurationIndex > log.commitIndex) return false;
      settled = log.configuration;
      return settled.outgoing.length === 0 && settled.voters.includes(this.leader!);
    });
    return settled!;
  }
}

/** ASCII only. */
export function encoded(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
