/**
 * The same workload and the same faults for several engines, and a comparison
 * of what clients saw.
 *
 * Timing differs between engines, so what many clients at once are told may
 * differ too. What one client is told that asks one thing after another, and
 * repeats it until it is answered, may not: those answers must be equal, word
 * for word. The faults come at fixed times, not at random ones.
 */

import type { NodeId } from "@quorate/kernel";

import type { LogWords } from "../ordered-log.ts";
import { type Asked, encoded, hostile, Stage } from "./stage.ts";
import { type Engine, expect, type MakeWorld } from "./world.ts";

/** One engine's part in a comparison, its vocabulary hidden. */
export interface Contestant {
  readonly name: string;
  /** Plays a workload and returns what its client was told, in order. */
  run(workload: Workload): Account;
}

export interface Workload {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  readonly steps: readonly WorkStep[];
}

/** What happens, and after how many milliseconds. */
type WorkStep = { readonly afterMs: number } & (
  | { readonly type: "crash" | "start"; readonly node: NodeId }
  | { readonly type: "partition"; readonly side: readonly NodeId[] }
  | { readonly type: "heal" }
  | { readonly type: "write" | "read"; readonly node: NodeId }
);

/** What a client was told, and how long it took. */
export interface Account {
  readonly answers: readonly string[];
  /** Milliseconds of virtual time from the first question to the last answer. Differs between engines. */
  readonly durationMs: number;
}

/** Makes a workload from a seed: writes and reads by one client, and faults. */
export function workload(seed: number, draw: (below: number) => number): Workload {
  const nodes = ["a", "b", "c"];
  const steps: WorkStep[] = [];
  const any = () => nodes[draw(nodes.length)]!;
  for (let i = 0; i < 60; i++) {
    const afterMs = draw(200);
    const dice = draw(20);
    if (dice === 0) steps.push({ type: "crash", node: any(), afterMs });
    else if (dice === 1) steps.push({ type: "partition", side: [any()], afterMs });
    else if (dice < 4) steps.push({ type: "heal", afterMs });
    else if (dice < 6) steps.push({ type: "start", node: any(), afterMs });
    else steps.push({ type: dice < 10 ? "read" : "write", node: any(), afterMs });
  }
  return { seed, nodes, steps };
}

/** Wraps an engine and its world as a contestant. */
export function contestant<L extends LogWords>(
  engine: Engine<L>,
  makeWorld: MakeWorld<L>,
): Contestant {
  return {
    name: engine.name,
    run: (work) => new Run(engine, makeWorld, work).play(),
  };
}

/**
 * Plays the workload on each and compares what its client was told.
 * @throws Violation at the first answer that differs.
 */
export function compare(
  contestants: readonly Contestant[],
  work: Workload,
): ReadonlyMap<string, Account> {
  const accounts = new Map(contestants.map((one) => [one.name, one.run(work)] as const));
  const [first, ...others] = accounts;
  expect(first !== undefined, "there is something to compare");
  const [name, { answers }] = first;
  for (const [otherName, other] of others) {
    expect(other.answers.length === answers.length, `${name} and ${otherName} answer as often`);
    for (const [i, answer] of answers.entries()) {
      const same = answer === other.answers[i];
      expect(same, `answer ${i}: ${name} says ${answer}, ${otherName} says ${other.answers[i]}`);
    }
  }
  return accounts;
}

class Run<L extends LogWords> {
  private readonly stage: Stage<L>;
  private readonly work: Workload;
  private readonly answers: string[] = [];
  private session = "";
  private sequence = 0;

  constructor(engine: Engine<L>, makeWorld: MakeWorld<L>, work: Workload) {
    this.work = work;
    const { seed, nodes } = work;
    const replica = { checkpointBytes: 300, keepBytes: 1 };
    this.stage = new Stage(engine, makeWorld, { seed, nodes, conditions: hostile(seed), replica });
  }

  play(): Account {
    const { stage } = this;
    const began = stage.world.now;
    this.open();
    for (const step of this.work.steps) {
      stage.run(step.afterMs);
      this.perform(step);
    }
    const durationMs = stage.world.now - began;
    stage.mend();
    stage.until("all members hold the same", 8 * stage.recoveryMs, () => {
      return new Set(stage.nodes.map((id) => stage.journal(id).join(" "))).size === 1;
    });
    this.answers.push(...stage.journal(stage.nodes[0]!));
    return { answers: this.answers, durationMs };
  }

  private perform(step: WorkStep): void {
    const { world } = this.stage;
    switch (step.type) {
      case "crash":
        if (world.process(step.node) !== undefined) world.crash(step.node);
        return;
      case "start":
        if (world.process(step.node) === undefined) world.start(step.node);
        return;
      case "partition":
        return this.stage.partition(step.side);
      case "heal":
        return world.heal();
      case "write":
        return this.write(step.node);
      default:
        return this.read(step.node);
    }
  }

  private open(): void {
    const opened = this.persist("a", (node) => {
      return this.stage.ask(node, { type: "open", timeMs: this.stage.world.now });
    });
    expect(opened.type === "opened", "a session is opened");
    this.session = opened.session;
  }

  private write(node: NodeId): void {
    const once = { session: this.session, sequence: ++this.sequence };
    const command = encoded(`w${this.sequence}`);
    const executed = this.persist(node, (at) => {
      const timeMs = this.stage.world.now;
      return this.stage.ask(at, { type: "execute", command, timeMs, once });
    });
    expect(executed.type === "executed", `a write in a session gives ${executed.type}`);
    this.answers.push(`w${this.sequence} is line ${executed.result}`);
  }

  private read(node: NodeId): void {
    let reader = node;
    const readable = this.persist(node, (at) => {
      reader = at;
      return this.stage.ask(at, { type: "read", level: "linearizable" });
    });
    expect(readable.type === "readable", `a read gives ${readable.type}`);
    this.answers.push(`read ${this.stage.journal(reader).length} lines`);
  }

  /** Asks at `node`, then at others, with everyone brought back if it takes too long. */
  private persist(
    node: NodeId,
    ask: (node: NodeId) => Asked,
  ): Exclude<NonNullable<Asked["response"]>, { type: "rejected" }> {
    const { stage } = this;
    for (let attempt = 0; attempt < 50; attempt++) {
      const at = attempt === 0 ? node : stage.anyNode();
      const asked = ask(at);
      for (let i = 0; i < 100 && asked.response === undefined; i++) stage.run(10);
      const { response } = asked;
      if (response !== undefined && response.type !== "rejected") return response;
      if (attempt === 5) stage.mend();
    }
    throw new Error("an answer comes in the end");
  }
}
