/**
 * A replica of a schema's value: the one implementation of {@link Crdt} for all
 * types of this package. Plain data (K2) but for the schema, which is frozen.
 */

import { type Actor, VersionVector } from "@quorate/clocks";
import { invariant, Writer } from "@quorate/kernel";

import { type CausalContext, CausalContext as Context } from "./causal/context.ts";
import { Cursor } from "./causal/cursor.ts";
import { counterOf, indexOf, INDEXES } from "./causal/dots.ts";
import { State } from "./causal/state.ts";
import { join, Leaf, type Node, type Store } from "./causal/stores.ts";
import { type Incoming, read, schemaOf, write } from "./codec.ts";
import { type Crdt } from "./crdt.ts";
import { CrdtError } from "./errors.ts";
import { wellFormed } from "./values.ts";
import { type AnyType, emptyStore, type Stability, type Type } from "./types/type.ts";

/** What a replica takes in from others, at most. */
export interface Limits {
  /** Actors, ever: each is an entry in every full state. At most 65,536. */
  readonly actors: number;
  /** Ranges of dots that were seen while earlier ones of their actor were not. */
  readonly gaps: number;
  /** How many acts ahead of the known ones an actor may be, in acts. */
  readonly aheadCounters: number;
  /** How far ahead of the wall clock a write may be dated, where `merge` is told the wall clock. */
  readonly aheadMs: number;
}

export const LIMITS: Limits = Object.freeze({
  actors: 16_384,
  gaps: 4_096,
  aheadCounters: 2 ** 32,
  aheadMs: 60_000,
});

export class Replica<Value, Handle> implements Crdt<Value, Handle> {
  private readonly type: Type<Value, Handle>;
  private readonly schema: number;
  private readonly limits: Limits;
  private readonly state: State;

  /**
   * @param type - The schema: `counter`, `map({ … })`, …
   * @param actor - A name that nobody else ever had here: see `Incarnations` in `@quorate/clocks`.
   */
  constructor(type: Type<Value, Handle>, actor: Actor, limits: Limits = LIMITS) {
    invariant(
      actor !== "" && wellFormed(actor) === actor,
      "an actor has a name, of whole characters",
    );
    invariant(limits.actors <= INDEXES, "a replica knows at most 65,536 actors");
    this.type = type;
    this.schema = schemaOf(type);
    this.limits = limits;
    this.state = new State(actor, emptyStore(type));
  }

  /**
   * A replica as it was encoded, to go on with. The own acts in it are one's own: give another
   * actor for a copy that lives beside the original.
   * @throws CrdtError
   */
  static decode<Value, Handle>(
    type: Type<Value, Handle>,
    actor: Actor,
    bytes: Uint8Array,
    limits: Limits = LIMITS,
  ): Replica<Value, Handle> {
    const replica = new Replica(type, actor, limits);
    replica.recover(bytes);
    return replica;
  }

  get actor(): Actor {
    return this.state.actors[0]!;
  }

  get value(): Value {
    return this.type.read(this.state.root, this.state);
  }

  /** The value, to be read in part; and within `mutate`, to be edited. */
  get root(): Handle {
    return this.type.handle(this.cursor);
  }

  get version(): VersionVector {
    // Whoever is told of an act may rely on what it was.
    this.state.seal();
    return this.state.version;
  }

  /** How many ranges of acts were seen, or heard of, while earlier ones of their actor were not. */
  get gaps(): number {
    return Math.max(this.state.context.gaps, this.state.taken.gaps);
  }

  mutate(edit: (handle: Handle) => void, wallMs: number = 0): void {
    this.state.begin(wallMs);
    try {
      edit(this.root);
    } finally {
      this.state.end();
    }
  }

  delta(): Uint8Array | undefined {
    const { state } = this;
    const { touched, pending: context, made: taken, pendingWritten: written } = state;
    if (touched === undefined) return undefined;
    const writer = new Writer();
    const after = state.pendingAfter;
    write(writer, this.type, this.schema, state, { context, taken, written, after, touched });
    state.pendingAfter = VersionVector.empty;
    state.pending = new Context();
    state.made = new Context();
    state.touched = undefined;
    state.pendingWritten = { ms: 0, count: 0 };
    state.seal();
    return writer.finish();
  }

  encode(): Uint8Array {
    const { state } = this;
    const writer = new Writer();
    const { context, taken } = state;
    const after = VersionVector.empty;
    write(writer, this.type, this.schema, state, {
      context,
      taken,
      written: state,
      after,
      touched: undefined,
    });
    state.seal();
    return writer.finish();
  }

  merge(bytes: Uint8Array, wallMs?: number): boolean {
    const before = this.state.actors.length;
    try {
      const incoming = this.read(bytes);
      // Every change has a dot, so those whose dots were all taken in bring nothing.
      if (this.state.taken.includes(incoming.taken)) {
        this.state.uninternAfter(before);
        return false;
      }
      this.check(incoming, wallMs);
      this.take(incoming);
      return true;
    } catch (error) {
      if (error instanceof CrdtError) this.state.uninternAfter(before);
      throw error;
    }
  }

  /**
   * Takes in what this actor itself said before it was restarted: deltas from a log, in order.
   * @throws CrdtError
   */
  recover(bytes: Uint8Array): void {
    this.take(this.read(bytes));
    this.state.seal();
  }

  stable(frontier: VersionVector): number {
    const { state } = this;
    const upTo = state.actors.map((actor) => frontier.get(actor));
    invariant(state.version.includes(frontier), "what is stable was seen here");
    const stability: Stability = {
      isStable: (dot) => counterOf(dot) <= upTo[indexOf(dot)]!,
      quiet: frontier.includes(state.version) && this.gaps === 0,
    };
    const { version } = state;
    state.begin(0);
    const dropped = this.type.settle(this.cursor, stability);
    state.end();
    // A collected mark may stand against something whose removal is yet to arrive elsewhere.
    if (dropped > 0) state.pendingAfter = version.with(this.actor, state.made.lowest(0) - 1);
    return dropped;
  }

  private get cursor(): Cursor {
    return new Cursor(this.state, this.type);
  }

  private read(bytes: Uint8Array): Incoming {
    return read(bytes, this.type, this.schema, (actor) => {
      const full = this.state.actors.length >= this.limits.actors;
      if (full && !this.state.indexes.has(actor)) {
        throw new CrdtError("tooManyActors", `more than ${this.limits.actors} actors`);
      }
      return this.state.intern(actor);
    });
  }

  private take({ context, taken, store, written }: Incoming): void {
    const { state } = this;
    join(this.type, state.root, store, state.context, context);
    state.context.merge(context);
    state.taken.merge(taken);
    state.witness(written);
  }

  /** Looks at everything before anything is taken in. */
  private check(incoming: Incoming, wallMs: number | undefined): void {
    const { context, taken, store, written, after } = incoming;
    const { state, limits } = this;
    if (after.size > 0 && !state.version.includes(after)) {
      throw new CrdtError(
        "gap",
        "something was collected that is known to others; merge earlier deltas first",
      );
    }
    if (context.highest(0) > state.context.upTo(0)) {
      throw new CrdtError(
        "duplicateActor",
        `${this.actor} has acted elsewhere, or forgot that it did; go on under a new actor`,
      );
    }
    for (const index of context.indexes()) {
      const ahead = context.highest(index) - state.context.highest(index);
      if (ahead <= limits.aheadCounters) continue;
      throw new CrdtError("ahead", `${state.actors[index]} is ${ahead} acts ahead`);
    }
    if (wallMs !== undefined && written.ms - wallMs > limits.aheadMs) {
      throw new CrdtError("ahead", `a write is dated ${written.ms - wallMs} ms ahead`);
    }
    if (exceeds(limits.gaps, state.context, context) || exceeds(limits.gaps, state.taken, taken)) {
      throw new CrdtError("gap", `more than ${limits.gaps} gaps; merge a whole state first`);
    }
    checkSame(this.type, state.root, store);
  }
}

/** Whether two contexts together have more gaps than the limit. */
function exceeds(limit: number, seen: CausalContext, heard: CausalContext): boolean {
  // Together they have at most as many as apart, which is seldom near the limit.
  if (seen.gaps + heard.gaps <= limit) return false;
  const both = new Context();
  both.merge(seen);
  both.merge(heard);
  return both.gaps > limit;
}

/** One dot is one act: what two sides say of it is the same, or two act under one name. */
function checkSame(type: AnyType, mine: Store, theirs: Store): void {
  if (!(theirs instanceof Leaf)) {
    for (const [key, their] of theirs.children) {
      const child = (mine as Node).children.get(key);
      if (child !== undefined) checkSame(type.child(key), child, their);
    }
    return;
  }
  if (type.item === undefined || type.joinItems !== undefined) return;
  const { dots, items } = mine as Leaf;
  for (const [i, dot] of theirs.dots.entries()) {
    const at = dots.indexOf(dot);
    if (at < 0 || isSame(items[at], theirs.items[i])) continue;
    throw new CrdtError(
      "duplicateActor",
      "two acts have one name; one replica must change its actor",
    );
  }
}

/** Items are JSON, of few levels. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
