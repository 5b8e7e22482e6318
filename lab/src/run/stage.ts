/** What witnesses, and what nemeses, get to see of a run. */

import type { NodeId, Process, Random, Vocabulary } from "@quorate/kernel";

import type { Atlas } from "../nemesis/atlas.ts";
import type { Stage } from "../nemesis/nemesis.ts";
import type { Simulation } from "../simulator/simulation.ts";
import type { Cluster, Tolerance, Witness, World } from "../subject.ts";
import type { Action } from "./action.ts";

export type AnyWorld = Simulation<Vocabulary, Process<Vocabulary>>;

/** A witness's view. It is there before the simulation that it looks at. */
export class View implements World {
  simulation: AnyWorld | undefined;
  readonly marks: Map<string, number> = new Map();
  readonly wantsHistory: boolean;

  constructor(wantsHistory: boolean) {
    this.wantsHistory = wantsHistory;
  }

  get now(): number {
    return this.simulation?.now ?? 0;
  }

  process(node: NodeId): Process<Vocabulary> | undefined {
    return this.simulation?.process(node);
  }

  request(node: NodeId, request: unknown): void {
    this.simulation?.request(node, request);
  }

  mark(name: string): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + 1);
  }
}

/** A nemesis's view, and what it does through it. */
export class Backstage implements Stage {
  readonly nodes: readonly NodeId[];
  readonly tolerates: Tolerance;
  readonly releases: number;
  readonly dice: Random;
  private readonly world: AnyWorld;
  private readonly witness: Witness;
  private readonly atlas: Atlas;
  private readonly perform: (action: Action) => void;

  constructor(
    { nodes, tolerates, releases }: Cluster,
    world: AnyWorld,
    witness: Witness,
    dice: Random,
    atlas: Atlas,
    perform: (action: Action) => void,
  ) {
    this.nodes = nodes;
    this.tolerates = tolerates;
    this.releases = releases;
    this.dice = dice;
    this.world = world;
    this.witness = witness;
    this.atlas = atlas;
    this.perform = perform;
  }

  get now(): number {
    return this.world.now;
  }

  isUp(node: NodeId): boolean {
    return this.world.isUp(node);
  }

  isDamaged(node: NodeId): boolean {
    return this.world.disk(node).damaged;
  }

  corruptible(node: NodeId): readonly number[] {
    const { regions } = this.world.disk(node);
    return regions.filter((region) => this.atlas.isVulnerable(node, region));
  }

  copies(region: number): number {
    return this.nodes.filter((node) => this.world.disk(node).regions.includes(region)).length;
  }

  unsynced(node: NodeId): number {
    return this.world.unsynced(node);
  }

  leaders(): readonly NodeId[] {
    return this.witness.leaders?.() ?? [];
  }

  leaseHolders(): readonly NodeId[] {
    return this.witness.leaseHolders?.() ?? [];
  }

  act(action: Action): void {
    this.perform(action);
  }
}
