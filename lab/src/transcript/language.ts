/** How one protocol's values are written in transcripts: the only part of the runner that knows them. */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

/**
 * Short, stable renderings. Each returns one line without a line break; none
 * may throw, change its argument, or depend on anything else.
 */
export interface Language<V extends Vocabulary, P extends Process<V>> {
  /** Makes a node. `settings` are the `name=value` words of the `cluster` command. */
  create(id: NodeId, nodes: readonly NodeId[], settings: ReadonlyMap<string, string>): P;
  /** Reads what follows `ask <node>`. @throws Error that says which words it understands. */
  request(words: readonly string[]): V["Request"];
  /** The word by which commands choose messages of this kind. */
  kind(message: V["Message"]): string;
  message(message: V["Message"]): string;
  record(record: V["Record"]): string;
  response(response: V["Response"]): string;
  output(output: V["Output"]): string;
  note(note: V["Note"]): string;
  /** What `show` prints of a node. */
  state(process: P): string;
  /** Called after every step with the nodes that are up: the first broken promise, if any. */
  check?(nodes: readonly (readonly [NodeId, P])[]): string | undefined;
}
