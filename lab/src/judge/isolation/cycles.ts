/** Cycles among transactions, the shortest of each kind in each knot of them. */

import type { Dependency, Edge } from "./dependencies.ts";

/** From each node, its edges. */
export type Graph = ReadonlyMap<number, readonly Edge[]>;

export function graphOf(edges: readonly Edge[]): Graph {
  const graph = new Map<number, Edge[]>();
  for (const edge of edges) {
    const known = graph.get(edge.from);
    if (known === undefined) graph.set(edge.from, [edge]);
    else known.push(edge);
  }
  return graph;
}

/**
 * Strongly connected components of more than one node (Tarjan 1972), without
 * recursion: histories are long.
 */
export function knots(graph: Graph): readonly ReadonlySet<number>[] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const onStack = new Set<number>();
  const stack: number[] = [];
  const found: ReadonlySet<number>[] = [];
  for (const root of graph.keys()) {
    if (order.has(root)) continue;
    const work: { readonly node: number; next: number }[] = [];
    const enter = (node: number): void => {
      low.set(node, order.size);
      order.set(node, order.size);
      stack.push(node);
      onStack.add(node);
      work.push({ node, next: 0 });
    };
    enter(root);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const edge = graph.get(top.node)?.[top.next++];
      if (edge !== undefined) {
        if (!order.has(edge.to)) enter(edge.to);
        else if (onStack.has(edge.to)) lower(low, top.node, order.get(edge.to)!);
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above !== undefined) lower(low, above.node, low.get(top.node)!);
      if (low.get(top.node) !== order.get(top.node)) continue;
      const knot = stack.splice(stack.lastIndexOf(top.node));
      for (const node of knot) onStack.delete(node);
      if (knot.length > 1) found.push(new Set(knot));
    }
  }
  return found;
}

function lower(low: Map<number, number>, node: number, value: number): void {
  if (value < low.get(node)!) low.set(node, value);
}

/**
 * A shortest cycle in a knot that begins with an edge of one of the types in `first` and goes on
 * with those in `then`.
 */
export function cycle(
  graph: Graph,
  knot: ReadonlySet<number>,
  first: readonly Dependency[],
  then: readonly Dependency[],
): readonly Edge[] | undefined {
  let best: readonly Edge[] | undefined;
  for (const node of knot) {
    for (const edge of graph.get(node) ?? []) {
      if (!first.includes(edge.type) || !knot.has(edge.to)) continue;
      const back = path(graph, knot, edge.to, edge.from, then);
      if (back === undefined || (best !== undefined && best.length <= back.length + 1)) continue;
      best = [edge, ...back];
      if (best.length === 2) return best;
    }
  }
  return best;
}

/** A shortest way along edges of some types, breadth first. */
function path(
  graph: Graph,
  knot: ReadonlySet<number>,
  from: number,
  to: number,
  types: readonly Dependency[],
): readonly Edge[] | undefined {
  const reached = new Map<number, Edge | undefined>([[from, undefined]]);
  const queue = [from];
  for (let head = 0; head < queue.length; head++) {
    const node = queue[head]!;
    if (node === to) {
      const edges: Edge[] = [];
      for (let edge = reached.get(node); edge !== undefined; edge = reached.get(edge.from)) {
        edges.push(edge);
      }
      return edges.toReversed();
    }
    for (const edge of graph.get(node) ?? []) {
      if (!types.includes(edge.type) || !knot.has(edge.to) || reached.has(edge.to)) continue;
      reached.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  return undefined;
}
