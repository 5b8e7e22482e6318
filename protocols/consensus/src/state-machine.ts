/**
 * What a replicated service implements: a deterministic function of the
 * commands in the order in which consensus put them (Schneider 1990).
 *
 * A machine is plain data like a process (kernel K2): no clock, no dice, no
 * closures. Whatever varies between nodes (time, random ids) must come inside
 * the command. Machines keep their state in memory; their snapshots are what a
 * restarted or lagging replica is rebuilt from.
 */

import type { Codec } from "@quorate/kernel";

/** Where in the order a command stands. */
export interface Applied {
  /** Index in the log. Several commands of one batch share it. */
  readonly index: number;
  /**
   * The cluster's clock: milliseconds since 1970 as the proposing node read
   * them, never going back from one command to the next.
   */
  readonly timeMs: number;
}

export interface StateMachine<Result> {
  /** How results are kept for clients that ask again, and carried in snapshots. */
  readonly results: Codec<Result>;

  /**
   * Applies one command and returns what its proposer is told. Must be total: a
   * command that makes no sense gives a result that says so, on every replica.
   * The command's bytes may be kept, never changed.
   */
  apply(command: Uint8Array, at: Applied): Result;

  /**
   * Begins reading a consistent image of the state as it is now. Commands are
   * applied while it is read and must not show in it. Several may be open.
   */
  snapshot(): SnapshotSource;

  /** Begins building a state from an image, beside the present one. */
  receive(): SnapshotSink;

  /**
   * Replaces the present state by a received one, at once.
   * @throws MalformedInput if the image was not whole.
   */
  install(image: SnapshotSink): void;

  /** A checksum of the whole state: equal on all replicas that applied the same commands. */
  digest(): number;
}

/** Reads an image piece by piece. Plain data; the pieces are between 1 byte and 1 MiB. */
export interface SnapshotSource {
  /** The next piece, or `undefined` after the last one. */
  next(): Uint8Array | undefined;
  /** Gives back what the image holds on to. Called once, also after the last piece. */
  close(): void;
}

/** Takes the pieces of an image in the order in which they were read. */
export interface SnapshotSink {
  /** @throws MalformedInput for bytes that no snapshot holds. */
  write(piece: Uint8Array): void;
}
