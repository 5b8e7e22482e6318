/** Anti-entropy under loss, repetition, partitions, crashes, lost disks and restored backups, in virtual time. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type NodeId, Random } from "@quorate/kernel";
import { Simulation, type SimulationOptions } from "@quorate/lab";

import {
  counter,
  disableWinsFlag,
  growSet,
  list,
  lww,
  map,
  mapOf,
  removeWinsSet,
  tree,
} from "../index.ts";
import { type HandleOf, type ValueOf } from "../types/type.ts";
import { DeltaSync, type Editor, SYNC_DEFAULTS, type SyncConfig } from "./delta-sync.ts";
import { type SyncNote, type SyncWords } from "./words.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 10);

const board = map({
  ids: growSet.number,
  open: disableWinsFlag,
  blocked: removeWinsSet.string,
  votes: mapOf(counter),
  tasks: list(lww.string),
  folders: tree(lww.string),
});

type Command =
  | { readonly type: "id"; readonly id: number }
  | {
      readonly type: "toggle" | "vote" | "reset" | "block" | "task" | "move" | "folder";
      readonly pick: number;
    };

type Value = ValueOf<typeof board>;
type Board = HandleOf<typeof board>;
type Words = SyncWords<Command, Value>;
type Node = DeltaSync<Value, Board, Command>;

const KINDS = ["toggle", "vote", "vote", "reset", "block", "task", "move", "folder"] as const;
const KEYS = ["x", "y"] as const;

function apply(handle: Board, command: Command): void {
  if (command.type === "id") return handle.ids.add(command.id);
  const { pick } = command;
  const key = KEYS[pick % 2]!;
  switch (command.type) {
    case "toggle":
      return pick % 2 === 0 ? handle.open.enable() : handle.open.disable();
    case "vote":
      return handle.votes.at(key).increment(1 + (pick % 3));
    case "reset":
      return pick % 3 === 0 ? handle.votes.remove(key) : handle.votes.at(key).reset();
    case "block":
      return pick % 4 < 2 ? handle.blocked.add(key) : handle.blocked.remove(key);
    case "task":
      return handle.tasks.insert(pick % (handle.tasks.length + 1)).set(String(pick));
    case "move": {
      const { length } = handle.tasks;
      if (length === 0) return;
      return pick % 3 === 0
        ? handle.tasks.remove(pick % length)
        : handle.tasks.move(pick % length, (pick >> 3) % length);
    }
    case "folder": {
      const roots = handle.folders.children();
      const [one, other] = [roots[pick % roots.length], roots[(pick >> 4) % roots.length]];
      if (one === undefined || other === undefined || pick % 3 === 0) {
        handle.folders.create();
        return;
      }
      if (pick % 7 === 0) handle.folders.remove(one);
      else handle.folders.move(one, other);
    }
  }
}

const editor: Editor<Board, Command> = Object.freeze({ apply });
const NODES = ["a", "b", "c", "d"] as const;
const CONFIG: SyncConfig = { ...SYNC_DEFAULTS, gossipMs: 100, recentBytes: 1_500 };

/** A run: who said what, and which edits were acknowledged. */
class Run {
  readonly world: Simulation<Words, Node>;
  readonly notes: SyncNote["type"][] = [];
  readonly acknowledged = new Set<number>();
  private ids = 0;

  constructor(seed: number, weather: Partial<SimulationOptions<Words, Node>> = {}) {
    this.world = new Simulation<Words, Node>({
      seed,
      nodes: NODES,
      create: (id) => new DeltaSync(board, editor, id, NODES, CONFIG),
      latencyMs: [1, 30],
      syncMs: [1, 5],
      freeze: true,
      onNote: (_, note) => this.notes.push(note.type),
      ...weather,
    });
  }

  command(id: NodeId, command: Command): void {
    const wallMs = this.world.random.below(1_000);
    this.world.request(id, { type: "edit", command, wallMs }, (response) => {
      if (response.type === "edited" && command.type === "id") this.acknowledged.add(command.id);
    });
  }

  /** An edit that is looked for in the end, and one that is not. */
  edit(id: NodeId): void {
    const { random } = this.world;
    this.command(id, { type: "id", id: ++this.ids });
    this.command(id, { type: KINDS[random.below(KINDS.length)]!, pick: random.below(1_000) });
  }

  /** Faults stop; everybody is up. Then all agree, and nothing acknowledged is lost. */
  settle(): void {
    this.world.heal();
    for (const id of NODES) if (this.world.process(id) === undefined) this.world.start(id);
    let patienceMs = 60_000;
    while (!this.agrees() && patienceMs > 0) {
      this.world.runFor(100);
      patienceMs -= 100;
    }
    const [first, ...others] = this.world.processes;
    for (const other of others) {
      assert.deepEqual(other.version.toJSON(), first!.version.toJSON());
      assert.deepEqual(other.value, first!.value);
    }
    for (const id of this.acknowledged) assert.ok(first!.value.ids.has(id), `edit ${id} is lost`);
  }

  private agrees(): boolean {
    const [first, ...others] = this.world.processes;
    return others.every((other) => other.version.compare(first!.version) === "equal");
  }
}

test("replicas agree once faults stop, and keep what was acknowledged", () => {
  const notes = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const mix = new Random(seed);
    const run = new Run(seed, {
      lossPermille: mix.below(300),
      duplicatePermille: mix.below(300),
      lostCheckpointPermille: mix.below(500),
      syncMs: [1, 1 + mix.below(60)],
    });
    const { world } = run;
    world.runFor(300);
    for (let i = 0; i < 120; i++) {
      const id = NODES[world.random.below(NODES.length)]!;
      if (world.process(id) === undefined) world.start(id);
      else if (mix.chance(1, 15)) world.crash(id);
      else run.edit(id);
      if (mix.chance(1, 20)) world.partition([id]);
      else if (mix.chance(1, 10)) world.heal();
      world.runFor(world.random.below(60));
    }
    run.settle();
    for (const note of run.notes) notes.add(note);
  }
  for (const note of ["gap", "sentState", "collected", "joined"]) {
    assert.ok(notes.has(note), `no run came to "${note}"`);
  }
});

test("a node that lost its disk edits nothing before it has learned, and then as another actor", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const run = new Run(seed);
    const { world } = run;
    world.runFor(500);
    for (const id of NODES) run.edit(id);
    world.runFor(500);
    const before = world.process("b")!.version;
    world.crash("b");
    world.wipe("b");
    world.partition(["b"]);
    world.start("b");
    const answers: string[] = [];
    const command = { type: "id", id: 1_000 } as const;
    const ask = (): void => {
      world.request("b", { type: "edit", command, wallMs: 0 }, ({ type }) => answers.push(type));
    };
    ask();
    world.runFor(1_000);
    assert.deepEqual(answers, ["joining"]);
    world.heal();
    world.runFor(2_000);
    ask();
    world.runFor(500);
    run.settle();
    assert.deepEqual(answers, ["joining", "edited"]);
    assert.ok(world.process("b")!.version.includes(before), "nothing of its earlier life is lost");
    assert.ok(world.process("a")!.version.size > before.size, "b is another actor");
  }
});

test("a dead node stops collection until it is evicted, and is then not heard (D09)", () => {
  const run = new Run(1);
  const { world } = run;
  world.runFor(500);
  world.crash("d");
  const collected = (): number => run.notes.filter((note) => note === "collected").length;
  const count = collected();
  for (let i = 0; i < 30; i++) {
    for (const id of ["a", "b", "c"]) run.command(id, { type: "vote", pick: i });
    world.runFor(100);
  }
  assert.equal(collected(), count, "nothing is stable without d");
  for (const id of ["a", "b", "c"]) world.request(id, { type: "evict", node: "d" }, () => {});
  world.runFor(3_000);
  assert.ok(collected() > count);
  world.start("d");
  const version = world.process("a")!.version;
  world.request("d", { type: "edit", command: { type: "id", id: 7 }, wallMs: 0 }, () => {});
  world.runFor(3_000);
  assert.deepEqual(world.process("a")!.version.toJSON(), version.toJSON(), "d is not heard");
});

test("collection keeps a counter as small as the number of its actors", () => {
  const run = new Run(3);
  const { world } = run;
  world.runFor(500);
  for (let i = 0; i < 400; i++) {
    run.command(NODES[i % 4]!, { type: "vote", pick: 0 });
    world.runFor(20);
  }
  world.runFor(5_000);
  run.settle();
  const state = (
    world.process("a") as unknown as { replica: { encode(): Uint8Array } }
  ).replica.encode();
  assert.equal(world.process("a")!.value.votes["x"], 400);
  assert.ok(state.length < 400, `${state.length} bytes`);
});
