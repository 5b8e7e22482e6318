/**
 * What an engine spends on a batch of commands, counted in the simulator: its
 * messages, their bytes in its own encoding, its writes to disk, and how many
 * round trips and writes lie one after the other between asking and commit.
 *
 * Nothing is timed. A link takes a thousand times as long as a disk, so that
 * one number of virtual milliseconds tells trips and writes apart; and leaders
 * speak so seldom when idle that no heartbeat falls among what is counted.
 */

import type { LogWords, OrderedLog } from "@quorate/consensus";
import { engines, type EngineName } from "@quorate/host";
import { invariant, type NodeId, Random, Writer } from "@quorate/kernel";
import { Simulation, type SimulationOptions } from "@quorate/lab";

export const COMMAND_BYTES = 100;

/** One way between two nodes, and one write of a disk. */
const LINK_MS = 1000;
const SYNC_MS = 1;
const REST_MS = 20 * LINK_MS;
const NEVER = -1;
const ROUNDS = 50;
/** Batches before those that are counted: what fills a pipeline. */
const FILLING = 6;
/** Between two batches of the three in a pipeline. */
const PIPELINE_MS = (2 * LINK_MS + SYNC_MS) / 3;
const IDLE = { heartbeatMs: 10_000_000, electionMs: 30_000_000 };

export interface Load {
  readonly engine: EngineName;
  readonly nodes: number;
  /** Commands asked in one instant. */
  readonly outstanding: number;
  readonly pace: Pace;
}

/**
 * When the next batch is asked. `at rest`: once all is quiet, as with a client
 * that writes now and then. `pipelined`: three are on their way at any time, and
 * the next comes in the moment in which the answers to the last but two do.
 */
export type Pace = "at rest" | "pipelined";

/** Names of the engines that can replicate a group, in the order of their table. */
// Keys of a record by name, and nothing else.
export const ENGINE_NAMES = Object.keys(engines) as readonly EngineName[];

/** What is compared, engines next to each other. */
export function everyLoad(): readonly Load[] {
  const loads: Load[] = [];
  for (const pace of ["at rest", "pipelined"] as const) {
    for (const nodes of [3, 5]) {
      for (const outstanding of [1, 64, 512]) {
        for (const engine of ENGINE_NAMES) loads.push({ engine, nodes, outstanding, pace });
      }
    }
  }
  return loads;
}

/** Of one batch. */
export interface Cost {
  readonly messages: number;
  readonly bytes: number;
  /** Of all nodes. */
  readonly syncs: number;
  /** One after the other, until the leader has answered. */
  readonly roundTrips: number;
  readonly syncsInLine: number;
}

type World = Simulation<LogWords, OrderedLog<LogWords>>;
type Fates = NonNullable<SimulationOptions<LogWords, OrderedLog<LogWords>>["fates"]>;

/** Everything arrives and takes as long as it always does; only timers are drawn. */
class Steady implements Fates {
  private readonly timers: Random = new Random(1);

  message(): number {
    return LINK_MS;
  }
  copy(): number {
    return NEVER;
  }
  jitter(_node: number, _timer: string, range: number): number {
    return this.timers.below(range + 1);
  }
  write(): number {
    return SYNC_MS;
  }
  losesCheckpoint(): boolean {
    return false;
  }
  /** A node takes all input of one moment before it acts on it, as in production. */
  busy(): boolean {
    return true;
  }
  choice(): number {
    return 0;
  }
  kept(): number {
    return 0;
  }
  hint(): number {
    return NEVER;
  }
  rate(): number {
    return 0;
  }
  offset(): number {
    return 0;
  }
  calm(): void {}
}

class Counting {
  messages = 0;
  bytes = 0;
  syncs = 0;
  on = false;
  private readonly writer: Writer = new Writer();
  private readonly engine: EngineName;

  constructor(engine: EngineName) {
    this.engine = engine;
  }

  sent(_from: NodeId, _to: NodeId, message: LogWords["Message"]): void {
    if (!this.on) return;
    this.writer.length = 0;
    engines[this.engine].messages.write(this.writer, message);
    this.messages++;
    this.bytes += this.writer.length;
  }

  durable(): void {
    if (this.on) this.syncs++;
  }
}

/** The same load costs the same on every machine. */
export function costOf({ engine, nodes, outstanding, pace }: Load): Cost {
  const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  const counting = new Counting(engine);
  const world: World = new Simulation<LogWords, OrderedLog<LogWords>>({
    seed: 1,
    nodes: names,
    create: () => engines[engine].create({ voters: names }, IDLE),
    fates: new Steady(),
    observer: counting,
  });
  const batches = new Batches(world, elected(world), outstanding);
  // The first one brings what only a new leader has to say.
  batches.ask();
  rest(world);
  const gapMs = pace === "pipelined" ? PIPELINE_MS : REST_MS;
  for (let i = 0; i < FILLING; i++) batches.askThenWait(gapMs);
  batches.elapsedMs = batches.committed = 0;
  counting.on = true;
  for (let i = 0; i < ROUNDS; i++) batches.askThenWait(gapMs);
  const each = batches.elapsedMs / batches.committed;
  return {
    messages: counting.messages / ROUNDS,
    bytes: counting.bytes / ROUNDS,
    syncs: counting.syncs / ROUNDS,
    roundTrips: Math.floor(each / LINK_MS) / 2,
    syncsInLine: (each % LINK_MS) / SYNC_MS,
  };
}

/** Asks a leader for batches, and sees how long each takes to be committed as a whole. */
class Batches {
  committed = 0;
  /** Of all that are committed, in virtual milliseconds. */
  elapsedMs = 0;
  private readonly world: World;
  private readonly leader: NodeId;
  private readonly size: number;

  constructor(world: World, leader: NodeId, size: number) {
    this.world = world;
    this.leader = leader;
    this.size = size;
  }

  ask(): void {
    const { world } = this;
    const asked = world.now;
    let left = this.size;
    for (let i = 0; i < this.size; i++) {
      const data = new Uint8Array(COMMAND_BYTES);
      world.request(this.leader, { type: "propose", data }, ({ type }) => {
        invariant(type === "committed", "a calm cluster commits what it is asked");
        if (--left > 0) return;
        this.committed++;
        this.elapsedMs += world.now - asked;
      });
    }
  }

  askThenWait(ms: number): void {
    const { world } = this;
    this.ask();
    const next = world.now + ms;
    // What is due in the next batch's moment is taken together with it.
    world.runUntil(next - 1);
    world.passTo(next);
  }
}

function elected(world: World): NodeId {
  for (;;) {
    rest(world);
    const leader = world.nodes.find((id) => world.process(id)?.role === "leader");
    if (leader !== undefined) return leader;
  }
}

/** Long enough for what is on its way to arrive and be answered. */
function rest(world: World): void {
  world.runFor(REST_MS);
}
