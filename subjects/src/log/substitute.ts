/** What is left of a log's records on a disk that loses sectors. */

import type { Substitute } from "@quorate/lab";

/** Of any engine's records: those that hold entries do so from an index on. */
interface Told {
  readonly type: string;
  readonly index?: unknown;
  readonly entries?: readonly unknown[];
}

/** By an engine's own stand-ins. Places are the indices of entries. */
export function substitution<R extends Told>(
  standIn: (record: R) => R | undefined,
): (record: R) => Substitute<R> | undefined {
  return (record) => {
    const { index: from, entries } = record;
    if (typeof from !== "number" || entries === undefined || entries.length === 0) return undefined;
    const instead = standIn(record);
    return instead && { record: instead, from, to: from + entries.length };
  };
}
