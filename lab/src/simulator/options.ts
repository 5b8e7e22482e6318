/** What a simulation is made from: nodes, seed, weather, who looks on, and who answers open questions. */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

import type { Substitute } from "./disk.ts";
import type { Fates } from "./fates.ts";
import type { Observer } from "./observer.ts";
import type { Weather } from "./weather.ts";

export interface SimulationOptions<
  V extends Vocabulary,
  P extends Process<V>,
> extends Partial<Weather> {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  /** Makes a node's process at each of its starts. `release` counts the upgrades of that node. */
  readonly create: (id: NodeId, release: number) => P;
  /** Deep-freeze messages and records, to catch protocols that mutate them. */
  readonly freeze?: boolean;
  readonly onNote?: (node: NodeId, note: V["Note"]) => void;
  readonly onOutput?: (node: NodeId, output: V["Output"]) => void;
  readonly observer?: Observer<V, P>;
  /** What is left of a record that a disk loses; without it, disks lose none. */
  readonly substitute?: (record: V["Record"]) => Substitute<V["Record"]> | undefined;
  /**
   * The layer above a process, once a step is over and its input is drained: records that may take
   * the place of all that the process has persisted so far, if it is time for a checkpoint.
   */
  readonly checkpoint?: (id: NodeId, process: P) => Iterable<V["Record"]> | undefined;
  /** The nodes begin down. */
  readonly down?: boolean;
  /** Answers every open question, in place of dice and weather. */
  readonly fates?: Fates;
}
