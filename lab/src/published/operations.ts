/**
 * The operations of some clients of a register, as a history variable: enough to
 * tell which of them returned before which were invoked, and no more, so that runs
 * which agree on that are one. Invalid calls are the model's bug.
 */

import { invariant, type NodeId } from "@quorate/kernel";

import type { Call, RegisterOp } from "../judge/index.ts";

/** How many operations of each other client had returned when it was invoked; those with none are left out. */
type Before = Readonly<Record<NodeId, number>>;

interface Invoked {
  readonly before: Before;
  /** Undefined for a read. */
  readonly write: string | undefined;
}

interface Returned extends Invoked {
  readonly read: string | undefined;
}

interface Client {
  readonly returned: readonly Returned[];
  readonly underWay: Invoked | undefined;
}

export type Operations = Readonly<Record<NodeId, Client>>;

export const NO_OPERATIONS: Operations = {};

export function invoked(
  operations: Operations,
  client: NodeId,
  write: string | undefined,
): Operations {
  const before: Record<NodeId, number> = {};
  for (const [other, { returned }] of Object.entries(operations)) {
    if (other !== client && returned.length > 0) before[other] = returned.length;
  }
  const { returned } = operations[client] ?? { returned: [] };
  return { ...operations, [client]: { returned, underWay: { before, write } } };
}

export function returned(
  operations: Operations,
  client: NodeId,
  read: string | undefined,
): Operations {
  const { returned, underWay } = operations[client]!;
  invariant(underWay !== undefined, "only what was invoked returns");
  const all = [...returned, { ...underWay, read }];
  return { ...operations, [client]: { returned: all, underWay: undefined } };
}

/**
 * The operations as calls with times. The time of an invocation is how many operations had
 * returned by then, doubled; an operation returns just before the first invocation that knows of
 * it, or after all of them.
 */
export function callsOf(operations: Operations): readonly Call<RegisterOp>[] {
  const invocations = Object.entries(operations).flatMap(([client, { returned, underWay }]) =>
    [...returned, ...(underWay === undefined ? [] : [underWay])].map(({ before }, index) => {
      const known: Before = { ...before, [client]: index };
      return { known, time: 2 * Object.values(known).reduce((sum, count) => sum + count, 0) };
    }),
  );
  const latest = Math.max(0, ...invocations.map(({ time }) => time)) + 1;
  const end = (client: NodeId, index: number): number => {
    const later = invocations.filter(({ known }) => (known[client] ?? 0) > index);
    return Math.min(latest, ...later.map(({ time }) => time - 1));
  };
  const calls: Call<RegisterOp>[] = [];
  let next = 0;
  for (const [client, { returned, underWay }] of Object.entries(operations)) {
    for (const [index, { write, read }] of returned.entries()) {
      const call = invocations[next++]!.time;
      calls.push({ op: opOf(write, read), call, ret: end(client, index) });
    }
    if (underWay === undefined) continue;
    const call = invocations[next++]!.time;
    // Nothing follows from a read that has not returned.
    if (underWay.write !== undefined) calls.push({ op: opOf(underWay.write, undefined), call });
  }
  return calls;
}

function opOf(write: string | undefined, read: string | undefined): RegisterOp {
  if (write !== undefined) return { type: "write", value: write };
  return { type: "read", value: read ?? null };
}
