/**
 * Entries that a disk has lost, in logs without holes (R36, B24–B26): what a node
 * tells one that has lost an entry, and which of those it is sent it can use. How
 * it is found out that nobody has an entry, is each engine's own.
 */

import type { NodeId } from "@quorate/kernel";

import type { Entry, Index, Term } from "../entry.ts";
import type { Log } from "../log.ts";
import type { LeaderContext } from "./state.ts";

/** Entry bytes in one answer. */
const ANSWER_BYTES = 1 << 20;

/** What a log says of an entry that another has lost. */
type Told =
  /** A snapshot up to this index stands for it. */
  | { readonly type: "compacted"; readonly atLeast: Index }
  /** It, and those that follow. */
  | { readonly type: "known"; readonly entries: readonly Entry[] }
  /** It is lost here, too: it may have been here. */
  | { readonly type: "lost" }
  | { readonly type: "absent" };

export function tellOf(log: Log, index: Index, term: Term): Told {
  if (index <= log.base.index) return { type: "compacted", atLeast: log.base.index };
  if (!log.matches(index, term)) return { type: "absent" };
  if (log.lost.has(index)) return { type: "lost" };
  return { type: "known", entries: log.known(index, ANSWER_BYTES) };
}

/** Whoever has lost what is compacted away here is sent a snapshot from here. */
export function offerSnapshot(
  ctx: LeaderContext,
  to: NodeId,
  { atLeast }: Extract<Told, { readonly type: "compacted" }>,
): void {
  ctx.outputEagerly({ type: "snapshotWanted", to, atLeast, sources: [ctx.self] });
}

/** Neighbouring entries. */
export interface Stretch {
  readonly index: Index;
  readonly entries: readonly Entry[];
}

/**
 * Of entries, the first of them at `index`, those that a log has by index and term, from the
 * first on that is lost there; undefined if none is.
 */
export function useful(log: Log, index: Index, entries: readonly Entry[]): Stretch | undefined {
  if (log.lost.size === 0) return undefined;
  const same = entries.slice(0, log.countSame(index, entries));
  const skip = same.findIndex((_, i) => log.lost.has(index + i));
  return skip < 0 ? undefined : { index: index + skip, entries: same.slice(skip) };
}
