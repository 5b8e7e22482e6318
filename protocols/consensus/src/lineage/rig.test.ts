/** Lineages on a stage: clusters whose logs move from engine to engine. */

import type { NodeId } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { type Setting, Stage } from "../conformance/stage.ts";
import {
  type Claims,
  type Engine,
  expect,
  type MakeWorld,
  type World,
} from "../conformance/world.ts";
import type { Founding } from "../membership.ts";
import type { LogWords, OrderedLog } from "../ordered-log.ts";
import { MultiPaxosClaims } from "../paxos/multi/claims.ts";
import { multiPaxosDefaults } from "../paxos/multi/config.ts";
import { MultiPaxos } from "../paxos/multi/multi-paxos.ts";
import { RaftClaims } from "../raft/claims.ts";
import { lan } from "../raft/config.ts";
import { Raft } from "../raft/raft.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaWords } from "../replica/words.ts";
import { ZabClaims } from "../zab/claims.ts";
import { zabDefaults } from "../zab/config.ts";
import { Zab } from "../zab/zab.ts";
import { Lineage } from "./lineage.ts";
import { writeMove } from "./move.ts";
import type { LineageConfig, LineageWords, LogMaker } from "./words.ts";

export const makers: Readonly<Record<string, LogMaker>> = Object.freeze({
  raft: { create: (initial: Founding) => new Raft(lan(initial)) },
  paxos: { create: (initial: Founding) => new MultiPaxos(multiPaxosDefaults(initial)) },
  zab: { create: (initial: Founding) => new Zab(zabDefaults(initial)) },
});

/** The same with leases. */
const leasing: typeof makers = Object.freeze({
  raft: { create: (initial: Founding) => new Raft({ ...lan(initial), leaseReads: true }) },
  paxos: {
    create: (initial: Founding) =>
      new MultiPaxos({ ...multiPaxosDefaults(initial), leaseReads: true }),
  },
  zab: { create: (initial: Founding) => new Zab({ ...zabDefaults(initial), leaseReads: true }) },
});

/** What watches the promises of each. */
const claimsOf: Readonly<Record<string, () => Claims<LogWords>>> = {
  raft: () => new RaftClaims(),
  paxos: () => new MultiPaxosClaims(),
  zab: () => new ZabClaims(),
};

export const ENGINE_NAMES: readonly string[] = Object.keys(makers);

/** The promises of each generation's engine, kept apart. */
class LineageClaims implements Claims<LineageWords> {
  private readonly claims: Map<number, Claims<LogWords>> = new Map();

  check(nodes: readonly (readonly [NodeId, OrderedLog<LineageWords>])[]): string | undefined {
    const logs = new Map<number, (readonly [NodeId, OrderedLog<LogWords>])[]>();
    for (const [id, log] of nodes) {
      // The stage was given nothing else.
      for (const { generation, log: inner } of (log as Lineage).logs) {
        const { number, engine } = generation;
        const of = logs.get(number) ?? [];
        logs.set(number, [...of, [id, inner]]);
        if (!this.claims.has(number)) this.claims.set(number, claimsOf[engine]!());
      }
    }
    for (const [number, of] of logs) {
      const broken = this.claims.get(number)!.check(of);
      if (broken !== undefined) return `generation ${number}: ${broken}`;
    }
    return undefined;
  }
}

type Kind = new (config: LineageConfig) => Lineage;

export function lineages(
  engine: string,
  Log: Kind = Lineage,
  leaseReads = false,
): Engine<LineageWords> {
  return {
    name: `a lineage that begins on ${engine}`,
    create: (_id, initial) => new Log({ makers: leaseReads ? leasing : makers, engine, initial }),
    claims: () => new LineageClaims(),
    recoveryMs: 10_000,
    livesOn: engine === "paxos" ? "star" : "clique",
  };
}

export const simulate: MakeWorld<LineageWords> = (options): World<LineageWords> =>
  new Simulation<ReplicaWords<LineageWords, number>, Replica<LineageWords, number>>(options);

interface MovingOptions {
  readonly Log?: Kind;
  readonly between?: readonly string[];
  readonly leaseReads?: boolean;
}

/** A stage whose cluster is told to move, between certain engines. */
export class MovingStage extends Stage<LineageWords> {
  private readonly between: readonly string[];

  constructor(
    first: string,
    setting: Setting,
    { Log, between = ENGINE_NAMES, leaseReads }: MovingOptions = {},
  ) {
    super(lineages(first, Log, leaseReads), simulate, setting);
    this.between = between;
  }

  lineage(node: NodeId): Lineage | undefined {
    // The stage was given nothing else.
    return this.world.process(node)?.log as Lineage | undefined;
  }

  /** The furthest generation that anybody who is up is in. */
  get newest(): number {
    return Math.max(...this.up.map((node) => this.lineage(node)!.generation.number));
  }

  /** Asks for a move to another engine, at a node that may know too little to do it. */
  move(node: NodeId = this.leader ?? this.anyNode()): void {
    const lineage = this.lineage(node);
    if (lineage === undefined) return;
    const { number: from, engine } = lineage.generation;
    const others = this.between.filter((each) => each !== engine);
    const to = others[this.world.random.below(others.length)]!;
    this.ask(node, { type: "seal", data: writeMove({ from, to }) });
  }

  /** Asks for a move until it is made. */
  moveSurely(): void {
    const before = this.newest;
    let retryAt = 0;
    this.until("a move is made", 10 * this.recoveryMs, () => {
      if (this.newest > before) return true;
      if (this.world.now >= retryAt) {
        retryAt = this.world.now + 500;
        this.move();
      }
      return false;
    });
  }

  /** Waits until every node is in that generation, and in none besides. */
  everyoneIn(number: number): void {
    const all = (holds: (lineage: Lineage) => boolean) =>
      this.nodes.every((node) => {
        const lineage = this.lineage(node);
        return lineage !== undefined && holds(lineage);
      });
    this.until(`everyone is in generation ${number}`, 10 * this.recoveryMs, () => {
      return all(({ generation }) => generation.number === number);
    });
    this.until("no other generation lingers", 10 * this.recoveryMs, () => {
      return all(({ logs }) => logs.length === 1);
    });
    const engines = new Set(this.nodes.map((node) => this.lineage(node)!.generation.engine));
    expect(engines.size === 1, `everyone is on one engine, not on ${[...engines].join(", ")}`);
  }
}
