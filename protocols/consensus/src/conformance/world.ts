/**
 * What the suite asks of whoever runs it: an engine to examine, and a world of
 * virtual time to put it in. The lab's `Simulation` is such a world; the suite
 * itself stands on nothing but the contract.
 */

import type { NodeId } from "@quorate/kernel";

import type { Founding } from "../membership.ts";
import type { LogWords, OrderedLog } from "../ordered-log.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaOutput, ReplicaRequest, ReplicaResponse } from "../replica/words.ts";

/** A consensus protocol under examination. */
export interface Engine<L extends LogWords> {
  readonly name: string;
  /** Makes a node's log. A node that is to be added later is founded without voters. */
  create(id: NodeId, founding: Founding): OrderedLog<L>;
  /** The engine's own promises, asked after every step; a fresh checker for each run. */
  claims(): Claims<L>;
  /** Within this time after faults end the engine decides again. Milliseconds. */
  readonly recoveryMs: number;
  /**
   * What suffices for progress while links are broken: a majority all of whose
   * members reach each other (`clique`: Raft, Zab), or one node that reaches a
   * majority (`star`: Multi-Paxos with a quorum-connected election).
   */
  readonly livesOn: "clique" | "star";
}

export interface Claims<L extends LogWords> {
  /** The first broken promise, or `undefined`. */
  check(nodes: readonly (readonly [NodeId, OrderedLog<L>])[]): string | undefined;
}

/** How hostile a world is. Rates are of 1,000. */
export interface Conditions {
  readonly latencyMs: readonly [min: number, max: number];
  readonly lossPermille: number;
  readonly duplicatePermille: number;
  readonly syncMs: readonly [min: number, max: number];
  readonly lostCheckpointPermille: number;
  /** Tell others, now and then, that a crashed node is unreachable. */
  readonly hints: boolean;
}

export interface WorldOptions<L extends LogWords> extends Conditions {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  readonly create: (id: NodeId) => Replica<L, number>;
  readonly freeze: boolean;
  readonly onOutput: (node: NodeId, output: ReplicaOutput) => void;
}

/** A cluster in virtual time. All nodes are up at first. */
export interface World<L extends LogWords> {
  /** Milliseconds. */
  readonly now: number;
  /** The world's one generator: everything that varies comes from the seed. */
  readonly random: {
    below(bound: number): number;
    chance(numerator: number, denominator: number): boolean;
  };
  /** `undefined` while the node is down. */
  process(id: NodeId): Replica<L, number> | undefined;
  /** Asks a node that is up. If it crashes the answer never comes. */
  request(
    id: NodeId,
    request: ReplicaRequest,
    onResponse: (response: ReplicaResponse<number>) => void,
  ): void;
  crash(id: NodeId): void;
  start(id: NodeId): void;
  /** Stops messages from one node to another. */
  sever(from: NodeId, to: NodeId): void;
  heal(): void;
  /** Lets the next thing happen. Returns whether there was one. */
  step(): boolean;
}

export type MakeWorld<L extends LogWords> = (options: WorldOptions<L>) => World<L>;

/** Something that the contract forbids was seen. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** @throws Violation unless `condition` holds. */
export function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}
