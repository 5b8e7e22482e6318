/** Who does harm, and on what stage. */

import type { NodeId, Random } from "@quorate/kernel";

import type { Action } from "../run/action.ts";
import type { Tolerance } from "../subject.ts";

/** What a nemesis may see and do. It acts at the beginning of a millisecond, before anything else happens in it. */
export interface Stage {
  readonly now: number;
  readonly nodes: readonly NodeId[];
  readonly tolerates: Tolerance;
  readonly releases: number;
  /** The dice of this nemesis alone. */
  readonly dice: Random;
  isUp(node: NodeId): boolean;
  isDamaged(node: NodeId): boolean;
  /** Regions of the replicated state on a node's disk that may be damaged there: the atlas spares enough copies. */
  corruptible(node: NodeId): readonly number[];
  /** How many disks hold something of a region. */
  copies(region: number): number;
  /** How many records of a node wait for its disk. */
  unsynced(node: NodeId): number;
  leaders(): readonly NodeId[];
  leaseHolders(): readonly NodeId[];
  act(action: Action): void;
}

export interface Nemesis {
  /** Does what it wants, or nothing. Returns in how many milliseconds (at least 1) it wants to be asked again. */
  act(stage: Stage): number;
}

/** One of them; there must be one. */
export function pick<T>(dice: Random, among: readonly T[]): T {
  return among[dice.below(among.length)]!;
}

/** Each with an even chance. */
export function some<T>(dice: Random, among: readonly T[]): readonly T[] {
  return among.filter(() => dice.chance(1, 2));
}

/** A leader if there is one and chance has it so, or else anybody. */
export function target(stage: Stage): NodeId {
  const leaders = stage.leaders();
  if (leaders.length > 0 && stage.dice.chance(1, 2)) return pick(stage.dice, leaders);
  return pick(stage.dice, stage.nodes);
}
