import { suite, test } from "node:test";

import { freeze, type NodeId, type Process, Random, type RequestId } from "@quorate/kernel";
import {
  conformance,
  type Driver,
  type Program,
  type ScriptWords,
  type Seen,
  type World,
} from "@quorate/kernel/conformance";

import type { StepResult } from "./node.ts";
import { Path } from "./path.ts";

type Scripted = Process<ScriptWords>;

/** In ticks of a millisecond. */
const PATIENCE = 10_000;

interface DueTimer {
  readonly node: NodeId;
  readonly timer: string;
  readonly at: number;
}

interface Asked {
  readonly node: NodeId;
  readonly id: RequestId;
  readonly program: Program;
}

/**
 * One run through a model's states, its steps drawn from a seed, as the suite sees it. A search
 * takes any armed timer for due; here one that is not due is left alone until enough ticks have
 * passed, which is one of the runs that a search sees.
 */
class OneRun implements World {
  private readonly path: Path<ScriptWords, Scripted>;
  private readonly random: Random;
  private readonly log: Map<NodeId, Seen[]>;
  private readonly users = new Map<RequestId, () => void>();
  private readonly held = new Set<NodeId>();
  /** The process that the suite knows of each node. */
  private readonly known = new Map<NodeId, object>();
  private due: DueTimer[] = [];
  private asked: Asked[] = [];
  private requests = 0;
  private readonly nodes: readonly NodeId[];
  private readonly create: (node: NodeId) => Scripted;

  constructor(seed: number, nodes: readonly NodeId[], create: (node: NodeId) => Scripted) {
    this.random = new Random(seed);
    this.nodes = nodes;
    this.create = create;
    this.log = new Map(nodes.map((node) => [node, []]));
    const network = "bag";
    this.path = new Path({ nodes, create, network, restarts: "later", tickMs: 1 });
    for (const node of nodes) this.begin(node);
  }

  request(node: NodeId, program: Program, onReply?: () => void): RequestId {
    const id = ++this.requests;
    if (onReply !== undefined) this.users.set(id, onReply);
    this.asked.push({ node, id, program: freeze(program) });
    return id;
  }

  async crash(node: NodeId): Promise<void> {
    const pending = this.path.nodes[this.nodes.indexOf(node)]!.pending.length;
    this.due = this.due.filter((timer) => timer.node !== node);
    this.asked = this.asked.filter((asked) => asked.node !== node);
    const kept = this.held.has(node) ? 0 : this.random.below(pending + 1);
    this.take(node, this.path.perform({ type: "crash", node, kept }));
  }

  async start(node: NodeId): Promise<void> {
    this.begin(node);
  }

  holdDisk(node: NodeId): void {
    this.held.add(node);
  }

  releaseDisk(node: NodeId): void {
    this.held.delete(node);
  }

  async until(holds: () => boolean): Promise<boolean> {
    const end = this.path.ticks + PATIENCE;
    while (!holds()) {
      const steps = this.steps();
      if (steps.length > 0) steps[this.random.below(steps.length)]!();
      else if (this.path.ticks < end) this.path.perform({ type: "tick" });
      else return false;
    }
    return true;
  }

  seen(node: NodeId): readonly Seen[] {
    return this.log.get(node)!;
  }

  async close(): Promise<void> {
    // A path holds on to nothing.
  }

  private begin(node: NodeId): void {
    // A life of its own in the eyes of the suite, which looks into its process.
    this.known.set(node, this.create(node));
    this.take(node, this.path.perform({ type: "start", node }));
  }

  /** Everything that may happen next. */
  private steps(): readonly (() => void)[] {
    const { path } = this;
    const steps: (() => void)[] = [];
    for (const envelope of path.messages) {
      const { to: node } = envelope;
      const isUp = path.process(node) !== undefined;
      steps.push(() =>
        this.take(node, path.perform({ type: isUp ? "deliver" : "drop", ...envelope })),
      );
    }
    for (const [i, node] of this.nodes.entries()) {
      const { pending } = path.nodes[i]!;
      if (pending.length === 0 || this.held.has(node)) continue;
      const count = 1 + this.random.below(pending.length);
      steps.push(() => this.take(node, path.perform({ type: "sync", node, count })));
    }
    for (const { node, timer, at } of this.due) {
      if (at > path.ticks) continue;
      steps.push(() => {
        this.due = this.due.filter((other) => other.node !== node || other.timer !== timer);
        this.take(node, path.perform({ type: "timeout", node, timer }));
      });
    }
    // Those of one node in the order asked.
    const firsts = this.nodes.flatMap((id) => this.asked.find(({ node }) => node === id) ?? []);
    for (const asked of firsts) {
      steps.push(() => {
        this.asked = this.asked.filter((other) => other !== asked);
        const { node, id, program: request } = asked;
        this.take(node, path.perform({ type: "ask", node, ask: id - 1, request }));
      });
    }
    return steps;
  }

  private take(node: NodeId, result: StepResult<ScriptWords, Scripted> | undefined): void {
    if (result === undefined) return;
    if (result.failure !== undefined) throw new Error(result.failure);
    const { state, armed } = result;
    for (const { timer, delayMs, jitterMs } of armed) {
      this.due = this.due.filter((other) => other.node !== node || other.timer !== timer);
      const at = this.path.ticks + delayMs + this.random.below(jitterMs + 1);
      this.due.push({ node, timer, at });
    }
    this.due = this.due.filter(
      (other) => other.node !== node || state.timers.includes(other.timer),
    );
    if (state.process !== undefined) mirror(this.known.get(node)!, state.process);
    for (const told of result.told) this.tell(node, told);
  }

  private tell(node: NodeId, told: StepResult<ScriptWords, Scripted>["told"][number]): void {
    const log = this.log.get(node)!;
    switch (told.type) {
      case "note":
        log.push({ type: "note", note: told.note });
        break;
      case "output":
        log.push({ type: "output", output: told.value });
        break;
      case "reply":
        log.push({ type: "reply", request: told.id, response: told.response });
        this.users.get(told.id)?.();
        break;
      case "request":
        break;
    }
  }
}

/** Shows in the objects that the suite knows what their copies have become. */
function mirror(known: object, now: object): void {
  const target = known as { [field: string]: unknown };
  for (const [field, value] of Object.entries(now)) {
    const part = target[field];
    const isPart = typeof part === "object" && part !== null && "onStart" in part;
    if (isPart) mirror(part, value as object);
    else target[field] = value;
  }
}

function oneRun(seed: number): Driver {
  return {
    holdsDisk: true,
    open: async (nodes, create) => new OneRun(seed, nodes, create),
  };
}

for (const seed of [1, 2, 3]) {
  suite(`a run through the checker's states keeps the contract (seed ${seed})`, () => {
    for (const one of conformance) {
      test(`${one.duty}: ${one.title}`, () => one.run(oneRun(seed)));
    }
  });
}
