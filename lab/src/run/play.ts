/**
 * Plays a run: first a time of faults, in which nothing may break, then calm, in
 * which a core of the nodes must converge and serve (safety, then liveness, as
 * TigerBeetle's simulator has it). Every run has a budget of steps; a budget
 * that is spent is a finding, since a protocol that is busy for ever is broken.
 */

import {
  InvariantViolation,
  type NodeId,
  type Process,
  Random,
  type RequestId,
  type Vocabulary,
} from "@quorate/kernel";

import { Atlas } from "../nemesis/atlas.ts";
import type { Nemesis, Stage } from "../nemesis/nemesis.ts";
import { Dice, type Fates } from "../simulator/fates.ts";
import type { Observer } from "../simulator/observer.ts";
import type { SimulationOptions } from "../simulator/options.ts";
import { Simulation } from "../simulator/simulation.ts";
import type { Broken, Cluster, Subject, Witness } from "../subject.ts";
import { type Action, calmDown, type Outside, perform } from "./action.ts";
import { Chronicle, decisionsOf, type Entry } from "./chronicle.ts";
import { Clients } from "./clients.ts";
import { type Concern, type Intervention, nodesOf, type Timed } from "./intervention.ts";
import { CountedAnswers, ListedFates, WritingFates } from "./listed-fates.ts";
import { both, hooksOf } from "./observers.ts";
import { QuietFates } from "./quiet-fates.ts";
import { LISTED, type Run, RunError } from "./run.ts";
import { type AnyWorld, Backstage, View } from "./stage.ts";
import { type Plan, scenarioNamed, SCENARIOS } from "./scenario.ts";
import { type Past, TimedAnswers } from "./timed-answers.ts";

/** What a run brought to light. */
export interface Finding {
  /**
   * The claim that broke. `stops`: a process threw; `livelock`: the budget of
   * steps was spent; `liveness`: the core did not converge in time.
   */
  readonly claim: string;
  readonly text: string;
  readonly atMs: number;
  readonly step: number;
}

export interface Outcome {
  readonly finding: Finding | undefined;
  readonly steps: number;
  /** When the run ended, in virtual time. */
  readonly atMs: number;
  /** Operations asked, and of these served. */
  readonly asked: number;
  readonly served: number;
  readonly marks: ReadonlyMap<string, number>;
  /** Every decision that was not the dull one, in order; empty unless asked for. */
  readonly decisions: readonly Intervention[];
  /** What these follow from; empty unless asked for. */
  readonly entries: readonly Entry[];
  /** What the clients did, if the subject writes it down. */
  readonly history: string | undefined;
}

/** A second observer, told of actions and findings besides. */
export interface Spectator extends Observer<Vocabulary, Process<Vocabulary>> {
  /** Called once, before the nodes start. */
  opened?(world: { readonly now: number; readonly steps: number }): void;
  acted?(action: Action): void;
}

export interface PlayOptions {
  /** Write down every decision. */
  readonly record?: boolean;
  /** The most answers and actions, or operations of a history, that are written down; {@link RECORDED} unless said otherwise. */
  readonly recordedMost?: number;
  readonly spectator?: Spectator;
  /** The most steps, safety and liveness together; {@link BUDGET} unless the run is a long one. */
  readonly budget?: number;
  /** Write down what the clients do, for the judges. */
  readonly history?: boolean;
  /** Deep-freeze what is handed over, to catch who changes it: slower, otherwise the same. */
  readonly freeze?: boolean;
  /** Open questions of a listed run are answered as they were in another run at about the same time. */
  readonly past?: Past;
  /** Concerns whose dice are silent: a run of the same scenario, with less going on. */
  readonly quiet?: ReadonlySet<Concern>;
}

/** More than any run needs in which something gets done and faults go on for {@link SAFETY_MS}. */
export const BUDGET = 3_000_000;
/** Answers and actions, or operations of a history, that are written down; each takes some hundred bytes. */
const RECORDED = 2_000_000;
/** Longer than faults go on in any scenario. */
const SAFETY_MS = 20_000;
/** Clients wait so long for an answer. */
const PATIENCE_MS = 3_000;
/** In calm, how often convergence is looked at and an operation asked. */
const PROBE_MS = 100;
/** The least number of an operation asked in calm: beyond those of the clients, unless a run is a long one. */
const PROBES = 1_000_000;

/**
 * Plays `run` to its end.
 * @throws RunError if the run is not one of this subject, or is too long for what is to be written down.
 */
export function play(subject: Subject, run: Run, options: PlayOptions = {}): Outcome {
  return new Play(subject, run, options).toTheEnd();
}

/** Somebody who acts at times of his own. */
interface Actor {
  at: number;
  readonly nemesis: Nemesis;
  readonly stage: Stage;
}

interface Asked {
  readonly op: number;
  readonly deadline: number;
}

class Play {
  private readonly run: Run;
  private readonly options: PlayOptions;
  private readonly cluster: Cluster;
  private readonly plan: Plan | undefined;
  private readonly witness: Witness;
  private readonly world: AnyWorld;
  private readonly clients: Clients | undefined;
  private actors: Actor[] = [];
  private readonly listed: readonly Timed[];
  private nextListed = 0;
  /** Disks have lost sectors: all that are left may be needed to find out what was on them. */
  private corrupted = false;
  private readonly chronicle: Chronicle | undefined;
  private readonly view: View;
  private finding: Finding | undefined;
  /** Operations without an answer by their requests, the oldest first. */
  private readonly waiting: Map<RequestId, Asked> = new Map();
  /** Given in the step at hand; the witness hears of the step first. */
  private answers: { readonly op: number; readonly response: unknown }[] = [];
  private asked = 0;
  private served = 0;

  /** Set when calm begins. */
  private core: readonly NodeId[] | undefined;
  private calmUntil = Infinity;
  private nextProbe = Infinity;
  private probes = 0;
  /** The number of the first operation that is asked in calm. */
  private firstProbe = PROBES;
  private servedInCalm = false;
  private converged = false;

  constructor(subject: Subject, run: Run, options: PlayOptions) {
    this.run = run;
    this.options = options;
    this.cluster = subject.open(run.settings, run.bug);
    this.listed = checked(run.interventions, this.cluster.nodes);
    this.plan = planOf(run, this.cluster);
    this.view = new View(options.history ?? false);
    if (options.record === true) this.chronicle = new Chronicle();
    this.witness = this.cluster.witness(this.view);
    this.world = new Simulation<Vocabulary, Process<Vocabulary>>({
      ...this.plan?.weather,
      seed: run.seed,
      nodes: this.cluster.nodes,
      create: (node, release) => this.cluster.create(node, release),
      ...(subject.standIn && { substitute: (record: unknown) => subject.standIn!(record) }),
      ...this.layerAbove(),
      down: true,
      fates: this.fates(),
      observer: this.observer(),
      freeze: options.freeze ?? false,
    });
    this.view.simulation = this.world;
    options.spectator?.opened?.(this.world);
    if (this.plan !== undefined) {
      this.clients = new Clients(this.plan.thinkMs);
      const { nodes, tolerates } = this.cluster;
      const atlas = new Atlas(nodes, tolerates.lost, new Random(run.seed).fork(22));
      for (const [i, nemesis] of [this.clients, ...this.plan.nemeses].entries()) {
        const own = new Random(run.seed).fork(30 + i);
        const act = (action: Action): void => this.act(action);
        const stage = new Backstage(this.cluster, this.world, this.witness, own, atlas, act);
        this.actors.push({ at: i === 0 ? 1 : own.below(500), nemesis, stage });
      }
    }
  }

  toTheEnd(): Outcome {
    const { options } = this;
    try {
      for (const node of this.cluster.nodes) this.world.start(node);
      this.loop(this.world, options.budget ?? budgetOf(this.run));
    } catch (error) {
      this.stopped(error);
    }
    const entries = this.chronicle?.entries ?? [];
    return {
      finding: this.finding,
      steps: this.world.steps,
      atMs: this.world.now,
      asked: this.asked,
      served: this.served,
      marks: this.view.marks,
      decisions: decisionsOf(entries),
      entries,
      history: options.history === true ? this.witness.history?.() : undefined,
    };
  }

  private loop(world: AnyWorld, budget: number): void {
    const safetyMs = this.plan?.safetyMs ?? Infinity;
    const end = this.run.until ?? Infinity;
    let external = this.nextExternal(safetyMs);
    while (this.finding === undefined && !this.converged) {
      const internal = world.nextTime;
      const time = Math.min(internal, external);
      if (time > end || time === Infinity) {
        if (end < Infinity) world.passTo(end);
        return;
      }
      if (external <= internal) {
        world.passTo(external);
        this.actAt(world, external, safetyMs);
        external = this.nextExternal(safetyMs);
      } else world.step();
      if (world.steps > budget) {
        this.found("livelock", `still busy after ${world.steps} steps`);
      }
      this.checkRecording();
    }
  }

  /** What is written down grows with the run, unlike everything else. */
  private checkRecording(): void {
    const { recordedMost = RECORDED, history } = this.options;
    const entries = this.chronicle?.entries.length ?? 0;
    const most = Math.max(entries, history === true ? this.asked : 0);
    if (most <= recordedMost) return;
    const what = entries > recordedMost ? "answers and actions" : "operations";
    const { now } = this.world;
    throw new RunError(
      `more than ${recordedMost} ${what} to write down, at ${now} ms; end the run before, with until=${now}`,
    );
  }

  // Who acts from outside, and when.

  private nextExternal(safetyMs: number): number {
    let next = Math.min(this.listed[this.nextListed]?.at ?? Infinity, this.nextProbe);
    for (const { at } of this.actors) next = Math.min(next, at);
    return this.core === undefined ? Math.min(next, safetyMs) : next;
  }

  private actAt(world: AnyWorld, now: number, safetyMs: number): void {
    for (; this.listed[this.nextListed]?.at === now; this.nextListed++) {
      this.act(this.listed[this.nextListed]!.action);
    }
    if (now === safetyMs && this.core === undefined) this.act(this.calmAction(world));
    for (const actor of this.actors) {
      if (actor.at === now) actor.at = now + actor.nemesis.act(actor.stage);
    }
    this.expire(now);
    if (now === this.nextProbe) this.probe(world, now);
  }

  private act(action: Action): void {
    const world = this.world;
    if (this.finding !== undefined) return;
    if (action.type === "corrupt") this.corrupted = true;
    this.chronicle?.act(world.now, action);
    this.options.spectator?.acted?.(action);
    if (action.type === "ask") {
      this.firstProbe = Math.max(this.firstProbe, action.op + 1);
      return this.ask(action.node, action.op);
    }
    if (action.type !== "calm") return perform(world, action);
    this.actors = [];
    this.core = action.core;
    this.calmUntil = world.now + this.cluster.patienceMs;
    this.nextProbe = world.now + PROBE_MS;
    calmDown(world, action.core, action.outside);
  }

  /** A random core, as small as the protocol must do with; nodes lost for good are not in it. */
  private calmAction(world: AnyWorld): Action {
    const dice = new Random(this.run.seed).fork(21);
    const { nodes, tolerates } = this.cluster;
    const left = nodes.filter((node) => !world.disk(node).damaged);
    const spared = dice.chance(1, 3) || this.corrupted ? 0 : tolerates.lost;
    const size = nodes.length - spared;
    while (left.length > size) left.splice(dice.below(left.length), 1);
    const outside = (["down", "cut", "deaf", "mute"] satisfies Outside[])[dice.below(4)]!;
    return { type: "calm", outside, core: left };
  }

  /** Asks the core for something, and looks whether it has converged. */
  private probe(world: AnyWorld, now: number): void {
    const core = this.core!;
    const missing = this.witness.missing(core);
    if (missing === undefined && this.servedInCalm) {
      this.converged = true;
      return;
    }
    if (now >= this.calmUntil) {
      const text = missing ?? "no operation was served";
      return this.found("liveness", `${this.cluster.patienceMs} ms after the last fault: ${text}`);
    }
    const node = core[this.probes % core.length]!;
    if (world.isUp(node)) this.ask(node, this.firstProbe + this.probes);
    this.probes++;
    this.nextProbe = now + PROBE_MS;
  }

  // Clients.

  private ask(node: NodeId, op: number): void {
    const world = this.world;
    if (!world.isUp(node)) return;
    // The operation's own dice: the low half of the seed, and the operation in place of the high one.
    const dice = new Random((this.run.seed % 0x1_0000_0000) + (op % 0x20_0000) * 0x1_0000_0000);
    const request = world.request(node, this.witness.ask(op, dice, node));
    this.asked++;
    this.waiting.set(request, { op, deadline: world.now + PATIENCE_MS });
  }

  private hear(): void {
    const { answers } = this;
    this.answers = [];
    for (const { op, response } of answers) this.answered(op, response);
  }

  private answered(op: number, response: unknown): void {
    const settled = this.witness.answered(op, response);
    switch (settled.type) {
      case "served":
        this.served++;
        if (this.core !== undefined) this.servedInCalm = true;
        return;
      case "refused":
        return this.clients?.redirect(settled.elsewhere);
      case "broken":
        return this.broken(settled.broken);
    }
  }

  private expire(now: number): void {
    for (const [request, { op, deadline }] of this.waiting) {
      if (deadline > now) return;
      this.waiting.delete(request);
      this.witness.abandoned?.(op);
    }
  }

  // What is seen.

  private broken({ claim, text }: Broken): void {
    this.found(claim, text);
  }

  private found(claim: string, text: string): void {
    const { now, steps } = this.world;
    this.finding ??= { claim, text, atMs: now, step: steps };
  }

  /** A process broke a promise to itself, or has a bug. */
  private stopped(error: unknown): void {
    const node = this.world.failed ?? "a node";
    const text = error instanceof Error ? error.message : String(error);
    if (!(error instanceof InvariantViolation) && this.world.failed === undefined) throw error;
    const claim = /^([A-Z]+\d+): /.exec(text)?.[1] ?? "stops";
    this.found(claim, `${node} stops: ${text}`);
  }

  private fates(): Fates {
    const { nodes } = this.cluster;
    const { chronicle, view } = this;
    const inner = this.answering();
    if (chronicle === undefined) return inner;
    return new WritingFates(nodes, inner, (kind, on, value, dull) => {
      chronicle.answer(view.now, kind, on, value, dull);
    });
  }

  private answering(): Fates {
    const { nodes } = this.cluster;
    const { seed, interventions } = this.run;
    const { past } = this.options;
    if (past !== undefined) {
      return new ListedFates(nodes.length, new TimedAnswers(past, this.view));
    }
    const listed = interventions.filter((each) => each.type === "fate");
    const weather = this.plan?.weather;
    const dice = weather && this.dice(new Dice(seed, weather));
    if (dice !== undefined && listed.length === 0) return dice;
    return new ListedFates(nodes.length, new CountedAnswers(nodes, listed), dice);
  }

  private dice(loud: Dice): Fates {
    const { quiet } = this.options;
    return quiet === undefined ? loud : new QuietFates(this.cluster.nodes.length, loud, quiet);
  }

  /** Takes checkpoints, if the witness does. */
  private layerAbove(): Pick<SimulationOptions<Vocabulary, Process<Vocabulary>>, "checkpoint"> {
    const { witness } = this;
    if (witness.checkpoint === undefined) return {};
    return { checkpoint: (node, process) => witness.checkpoint!(node, process) };
  }

  private observer(): Observer<Vocabulary, Process<Vocabulary>> {
    const { witness, options } = this;
    const stepped = (node: NodeId, process: Process<Vocabulary>): void => {
      const broken = witness.stepped(node, process);
      if (broken !== undefined) this.broken(broken);
      if (this.answers.length > 0) this.hear();
    };
    const answered = (_node: NodeId, request: RequestId, response: unknown): void => {
      const asked = this.waiting.get(request);
      if (asked === undefined) return; // The client has given up, or has heard it before.
      this.waiting.delete(request);
      this.answers.push({ op: asked.op, response });
    };
    const hooks = hooksOf(witness);
    const first: Observer<Vocabulary, Process<Vocabulary>> = { ...hooks, stepped, answered };
    return options.spectator === undefined ? first : both(options.spectator, first);
  }
}

/** What the scenario settles for a run; nothing if it is a list. @throws RunError for a scenario that there is not */
function planOf(run: Run, cluster: Cluster): Plan | undefined {
  if (run.scenario === LISTED) return undefined;
  const scenario = scenarioNamed(run.scenario);
  if (scenario !== undefined) {
    const plan = scenario.plan(new Random(run.seed).fork(20), cluster);
    return { ...plan, safetyMs: run.safetyMs ?? plan.safetyMs };
  }
  const known = SCENARIOS.map(({ name }) => name).join(", ");
  throw new RunError(`there is no scenario ${run.scenario}; there are ${known}`);
}

/** The most steps of a run, if nobody says otherwise: in proportion to how long its faults go on. */
function budgetOf({ safetyMs = 0 }: Run): number {
  return BUDGET * Math.max(1, Math.ceil(safetyMs / SAFETY_MS));
}

/** The timed interventions in the order of their times. @throws RunError for a node that there is not. */
function checked(
  interventions: readonly Intervention[],
  nodes: readonly NodeId[],
): readonly Timed[] {
  for (const intervention of interventions) {
    for (const node of nodesOf(intervention)) {
      if (!nodes.includes(node)) throw new RunError(`there is no node ${node}`);
    }
  }
  return interventions.filter((each) => each.type === "action").toSorted((a, b) => a.at - b.at);
}
