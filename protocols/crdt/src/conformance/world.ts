/** A handful of replicas, and what they sent. */

import { type VersionVector } from "@quorate/clocks";
import { Random } from "@quorate/kernel";

import { type Crdt } from "../crdt.ts";
import { type Subject } from "./subject.ts";

export const NAMES = ["a", "b", "c"] as const;

export class World<Value, Handle, Edit> {
  readonly subject: Subject<Value, Handle, Edit>;
  readonly random: Random;
  readonly replicas: Crdt<Value, Handle>[];
  /** All deltas, in the order in which they were made, and what their makers had seen before. */
  readonly sent: Uint8Array[] = [];
  private readonly after: VersionVector[] = [];
  /** Of each replica's own acts, those in deltas. */
  private readonly told: Map<string, number> = new Map();

  constructor(subject: Subject<Value, Handle, Edit>, seed: number) {
    this.subject = subject;
    this.random = new Random(seed);
    this.replicas = NAMES.map((name) => subject.open(name));
  }

  one(): Crdt<Value, Handle> {
    return this.replicas[this.random.below(this.replicas.length)]!;
  }

  /** Edits a replica, often enough for the wall clocks to disagree. Returns the delta, if anything changed. */
  edit(replica: Crdt<Value, Handle> = this.one(), count: number = 1): Uint8Array | undefined {
    for (let i = 0; i < count; i++) {
      const edit = this.subject.draw(this.random);
      replica.mutate(
        (handle) => this.subject.apply(handle, edit, replica.actor),
        this.random.below(50),
      );
    }
    const delta = replica.delta();
    if (delta === undefined) return undefined;
    const { actor, version } = replica;
    this.sent.push(delta);
    this.after.push(version.with(actor, this.told.get(actor) ?? 0));
    this.told.set(actor, version.get(actor));
    return delta;
  }

  /** Edits a replica until something changes, which in some types it may not any more. */
  change(replica: Crdt<Value, Handle> = this.one()): Uint8Array | undefined {
    for (let i = 0; i < 20; i++) {
      const delta = this.edit(replica);
      if (delta !== undefined) return delta;
    }
    return undefined;
  }

  /**
   * Edits here and there, and lets some deltas and states arrive: late, twice, or never.
   * @param causally - Only to those who have seen what the delta's maker had.
   */
  run(steps: number, causally: boolean = false): void {
    for (let i = 0; i < steps; i++) {
      const replica = this.one();
      switch (this.random.below(5)) {
        case 0:
        case 1:
          this.edit(replica, 1 + this.random.below(3));
          break;
        case 2:
        case 3:
          if (this.sent.length > 0)
            this.deliver(this.random.below(this.sent.length), replica, causally);
          break;
        default:
          if (this.random.chance(1, 3)) replica.merge(this.one().encode());
      }
    }
  }

  /** Collects, and tells nobody yet: the others learn of it from a state. */
  collect(replica: Crdt<Value, Handle>, frontier: VersionVector): void {
    replica.stable(frontier);
    replica.delta();
    this.told.set(replica.actor, replica.version.get(replica.actor));
  }

  private deliver(at: number, to: Crdt<Value, Handle>, causally: boolean): void {
    if (causally && !to.version.includes(this.after[at]!)) return;
    to.merge(this.sent[at]!);
  }

  /** Lets everybody see everything. */
  settle(): void {
    for (let round = 0; round < 2; round++) {
      for (const replica of this.replicas) {
        for (const other of this.replicas) if (other !== replica) replica.merge(other.encode());
      }
    }
  }

  /** A copy of a replica under a name that nobody has, to look at. */
  copy(replica: Crdt<Value, Handle>): Crdt<Value, Handle> {
    return this.subject.decode(replica.encode(), "observer");
  }
}
