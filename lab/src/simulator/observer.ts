/** Whoever watches a simulation: called at the moment at which something happens, in the order of happening. */

import type { NodeId, Position, Process, RequestId, Vocabulary } from "@quorate/kernel";

import type { Kind } from "./happening.ts";

export interface Observer<V extends Vocabulary, P extends Process<V>> {
  started?(node: NodeId, process: P): void;
  /** A life ended; `kept` records that were not reported durable are on the disk all the same. */
  stopped?(node: NodeId, kept: number): void;
  wiped?(node: NodeId): void;
  persisted?(node: NodeId, record: V["Record"], position: Position): void;
  durable?(node: NodeId, position: Position): void;
  /** A checkpoint is complete: these records are in the place of all that came before it. */
  checkpointed?(node: NodeId, records: readonly V["Record"][]): void;
  /** `delays`: of each copy, none if it is lost. */
  sent?(
    from: NodeId,
    to: NodeId,
    message: V["Message"],
    eager: boolean,
    delays: readonly number[],
  ): void;
  noted?(node: NodeId, note: V["Note"]): void;
  said?(node: NodeId, output: V["Output"]): void;
  answered?(node: NodeId, request: RequestId, response: V["Response"]): void;
  /**
   * A node is about to take a step. `from`: the sender, or who is unreachable.
   * `cause`: the number of the step that led to it.
   */
  steps?(node: NodeId, kind: Kind | "start", from: NodeId, payload: unknown, cause: number): void;
  /** A node has taken a step, `onIdle` included where it was due. */
  stepped?(node: NodeId, process: P): void;
}

interface Listeners<V extends Vocabulary, P extends Process<V>> {
  readonly observer?: Observer<V, P>;
  readonly onNote?: (node: NodeId, note: V["Note"]) => void;
  readonly onOutput?: (node: NodeId, output: V["Output"]) => void;
}

/** One observer of an observer, or of the two functions that most tests need. */
export function observerOf<V extends Vocabulary, P extends Process<V>>({
  observer,
  onNote,
  onOutput,
}: Listeners<V, P>): Observer<V, P> | undefined {
  if (observer !== undefined || (onNote === undefined && onOutput === undefined)) return observer;
  return {
    noted: (node, note) => onNote?.(node, note),
    said: (node, output) => onOutput?.(node, output),
  };
}
