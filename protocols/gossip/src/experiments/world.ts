/**
 * What an experiment needs of a simulator. The lab's `Simulation` is one; it is
 * handed in, since protocols do not stand on the lab.
 *
 * @example
 * ```ts
 * const worlds: Worlds = (options) => new Simulation(options);
 * ```
 */

import type { NodeId, Process, RequestId, Vocabulary } from "@quorate/kernel";

export interface WorldOptions<V extends Vocabulary, P extends Process<V>> {
  readonly seed: number;
  readonly nodes: readonly NodeId[];
  readonly create: (id: NodeId) => P;
  readonly latencyMs: readonly [min: number, max: number];
  readonly lossPermille: number;
  readonly onNote?: (node: NodeId, note: V["Note"]) => void;
  readonly onOutput?: (node: NodeId, output: V["Output"]) => void;
}

export interface World<V extends Vocabulary, P extends Process<V>> {
  readonly now: number;
  process(id: NodeId): P | undefined;
  request(
    id: NodeId,
    request: V["Request"],
    onResponse: (response: V["Response"]) => void,
  ): RequestId | void;
  crash(id: NodeId): void;
  start(id: NodeId): void;
  runFor(durationMs: number): void;
}

export type Worlds = <V extends Vocabulary, P extends Process<V>>(
  options: WorldOptions<V, P>,
) => World<V, P>;
