/**
 * What a driver implements to be examined. An adapter of some hundred lines: it
 * opens a small world of its driver's own making and writes down what comes out.
 *
 * The suite never sleeps. It asks for something and lets the world go on
 * `until` it has happened; virtual and real time serve alike. A slow world makes
 * the suite slow, never red.
 */

import type { NodeId, Process, RequestId } from "../process.ts";
import type { ScriptWords, Sighting, Utterance } from "./script.ts";

/** One thing that came out of a node. */
export type Seen =
  /** `ctx.note`, taken down at the moment of the call. */
  | { readonly type: "note"; readonly note: Sighting }
  /** An output, when the layer above got it. */
  | { readonly type: "output"; readonly output: Utterance }
  /** An answer, when the local user got it. `request` is what {@link World.request} returned. */
  | { readonly type: "reply"; readonly request: RequestId; readonly response: Utterance };

/** A driver, ready to open worlds. Worlds are opened one after the other, never two at once. */
export interface Driver {
  /**
   * Whether {@link World.holdDisk} works. A driver without it is examined by
   * the cases that do not need it; most of what can go wrong then goes unseen.
   */
  readonly holdsDisk: boolean;

  /**
   * Opens a world in which every node of `nodes` is up, has an empty disk, and
   * knows the others by name.
   *
   * Its network is whole: between two nodes that are up, and have been heard by
   * each other since both started, messages arrive. They may be delayed,
   * reordered and repeated. (The suite sends again until a first message gets
   * through, so connections may take their time and lose what came too early.)
   *
   * @param create - Makes the process of a node, once for each of its lives.
   */
  open(nodes: readonly NodeId[], create: (node: NodeId) => Process<ScriptWords>): Promise<World>;
}

/** A few nodes, and what the suite may do to them. */
export interface World {
  /**
   * Asks a node that is up. Returns a number that is given once in the world's
   * life. Requests of one node are handed over in the order asked; several
   * asked without waiting arrive together, as far as the driver has it so.
   *
   * @param onReply - The local user, called at the very moment of the answer and
   *   after it shows in `seen`. May call `request` from within, as users do.
   */
  request(node: NodeId, program: ScriptWords["Request"], onReply?: () => void): RequestId;

  /**
   * Stops a node as a power cut would: nothing that waits is sent, answered or
   * put out any more, and no handler is called. What the driver had not reported
   * durable may be lost or kept, as the disk has it, but only a suffix is lost.
   * Resolves when the node is down.
   */
  crash(node: NodeId): Promise<void>;

  /**
   * Starts a node that is down on what its disk holds. Resolves when it is up.
   * Requests it never answered stay unanswered.
   */
  start(node: NodeId): Promise<void>;

  /**
   * From now on no write of this node becomes durable, until `releaseDisk`.
   * Writes begun before may still complete. Holding more disks than this one is
   * allowed. Called only while the node is up and has nothing to write.
   */
  holdDisk(node: NodeId): void;

  /** Lets the writes held back become durable, in their order. Also allowed while the node is down. */
  releaseDisk(node: NodeId): void;

  /**
   * Lets the world go on until `holds` is true, and says whether it came to
   * that: false when the driver's patience is over (some seconds of real time,
   * or of virtual time). `holds` is cheap and looks only at `seen` and at the
   * processes; it is asked first, and again whenever something was seen.
   *
   * A handler that threw, or a node that stopped by itself, rejects the promise.
   */
  until(holds: () => boolean): Promise<boolean>;

  /** Everything that came out of a node in all its lives, in the order in which it came. */
  seen(node: NodeId): readonly Seen[];

  /** Stops everything and leaves no handle behind. Called once, also after a failure. */
  close(): Promise<void>;
}

/** One rule, tried out. */
export interface Case {
  /** The duty of `kernel/PROTOCOL.md` that it examines: "K4". */
  readonly duty: string;
  /** A sentence that states a fact. Unique in the suite. */
  readonly title: string;
  /** `heldDisk`: run it only if the driver {@link Driver.holdsDisk}. */
  readonly needs: "nothing" | "heldDisk";
  /**
   * Opens a world, plays, and closes it.
   * @throws ConformanceViolation if the driver breaks the duty.
   */
  run(driver: Driver): Promise<void>;
}

/** Thrown when a driver breaks a duty. Its message ends with what was seen last. */
export class ConformanceViolation extends Error {
  override readonly name = "ConformanceViolation";
}
