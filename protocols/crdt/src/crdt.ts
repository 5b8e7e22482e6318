/**
 * What every replicated data type promises, whatever is inside. The numbered
 * promises are in PROTOCOL.md; `@quorate/crdt/conformance` examines them.
 */

import { type Actor, type VersionVector } from "@quorate/clocks";

/**
 * One replica of a value of type `Value`, edited through a `Handle`.
 *
 * State and deltas are bytes: they may be sent, stored, repeated and reordered
 * as they are, and nothing that a receiver does changes them.
 */
export interface Crdt<Value, Handle> {
  /** Who edits here. No other replica, living or dead, has the same. */
  readonly actor: Actor;

  /** What readers see: plain data, a new one at each reading. */
  readonly value: Value;

  /** What this replica has seen without a gap. Two replicas that have seen the same have the same value. */
  readonly version: VersionVector;

  /**
   * Edits. What the function does to the handle is one change.
   * @param wallMs - The wall clock, for types whose last write wins. Left out, later still wins over
   * earlier, and between concurrent writes whoever had seen more.
   */
  mutate(edit: (handle: Handle) => void, wallMs?: number): void;

  /** What was edited here since the last call, or `undefined`. To be sent to the others. */
  delta(): Uint8Array | undefined;

  /**
   * Takes in a delta or a whole state, from anybody, in any order, any number of times.
   * @param wallMs - The wall clock: with it, times too far ahead are refused.
   * @returns whether anything in it was new.
   * @throws CrdtError for bytes that cannot be taken in; the value is as it was.
   */
  merge(bytes: Uint8Array, wallMs?: number): boolean;

  /** The whole state. Replicas that have seen the same give the same bytes. */
  encode(): Uint8Array;

  /**
   * Drops what only matters to replicas that have not seen `frontier` (garbage collection). The value
   * stays as it is. What is dropped here is dropped everywhere, by the next delta: one replica is
   * enough to call this. That delta is refused (`gap`) by those who have not seen what this one had.
   * @param frontier - Every replica that will ever send again has seen it, and this one has seen all
   * that those had seen when they said so.
   * @returns how much was dropped, in stored entries.
   */
  stable(frontier: VersionVector): number;
}
