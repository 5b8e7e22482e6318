/**
 * Dotted version vector sets (Almeida et al., _Scalable and accurate causality
 * tracking for eventually consistent stores_, 2014, §5): all siblings of a key
 * with one clock for them together.
 *
 * An entry (actor, counter, values newest first) says that writes 1 … counter
 * of that actor are known, and that value i is write counter - i; older ones
 * are overwritten. The size is an entry for each server plus the siblings.
 *
 * An immutable value. Each entry remembers when it last changed, in the set's
 * own logical time, so that pruning can drop the longest unchanged.
 */

import { type Codec, list, MalformedInput, struct, uint } from "@quorate/kernel";

import { type Actor, actorCodec, compareActors, counterCodec } from "./actor.ts";
import { countable } from "./errors.ts";
import { VersionVector } from "./version-vector.ts";

export interface DottedEntry<T> {
  readonly actor: Actor;
  readonly counter: number;
  /** Newest first; value `i` is write `counter - i` of the actor. */
  readonly values: readonly T[];
  /** The set's logical time at the entry's last change. */
  readonly changed: number;
}

export class DottedSet<T> {
  /** Ascending by actor. */
  readonly entries: readonly DottedEntry<T>[];

  /** @param entries - Ascending by actor, each with no more values than its counter. */
  constructor(entries: readonly DottedEntry<T>[] = []) {
    this.entries = entries;
  }

  /** The siblings: values that no known write has seen. */
  get values(): readonly T[] {
    return this.entries.flatMap(({ values }) => values);
  }

  /** What a reader of the whole set knows. Sent along with the write that follows. */
  get context(): VersionVector {
    return VersionVector.ofSorted(
      this.entries.map(({ actor }) => actor),
      this.entries.map(({ counter }) => counter),
    );
  }

  /**
   * The set after a write.
   * @param context - What the writer had read: those siblings are overwritten, later ones stay.
   * @param actor - The server that takes the write. It must hold this set as the sum of all its
   * writes: one that lost its disk takes a new name.
   * @throws ClockError `overflow`
   */
  write(context: VersionVector, actor: Actor, value: T): DottedSet<T> {
    const changed = this.time + 1;
    const counter = countable(this.counter(context, actor) + 1);
    return new DottedSet(
      this.zip(
        context,
        (name, mine, read) => {
          const entry = overwrite(name, mine, read, changed);
          if (name !== actor) return entry;
          return { actor, counter, values: [value, ...entry.values], changed };
        },
        actor,
      ),
    );
  }

  /** The set without the siblings that `context` has read. The counters stay, so that they do not return. */
  discard(context: VersionVector): DottedSet<T> {
    const changed = this.time + 1;
    return new DottedSet(
      this.zip(context, (name, mine, read) => overwrite(name, mine, read, changed)),
    );
  }

  /** What either side knows, without what either side knows to be overwritten. */
  sync(other: DottedSet<T>): DottedSet<T> {
    const theirs = new Map(other.entries.map((entry) => [entry.actor, entry]));
    const merged = this.entries.map((mine) => {
      const their = theirs.get(mine.actor);
      theirs.delete(mine.actor);
      return their === undefined ? mine : syncEntries(mine, their);
    });
    merged.push(...theirs.values());
    return new DottedSet(merged.toSorted((a, b) => compareActors(a.actor, b.actor)));
  }

  /**
   * What a client may send with its next write, having read `context` and
   * written through `actor`, without reading again. It covers the write only
   * if no sibling lies between: a vector cannot leave those out, and covering
   * them would lose values that the client never saw.
   */
  acknowledge(context: VersionVector, actor: Actor): VersionVector {
    const { counter } = this.entries.find((entry) => entry.actor === actor) ?? { counter: 0 };
    return counter === context.get(actor) + 1 ? context.with(actor, counter) : context;
  }

  /**
   * One value for the siblings, in a write that has seen them all.
   * @param choose - The same on every replica, whatever the order of the siblings.
   */
  reconcile(actor: Actor, choose: (siblings: readonly T[]) => T): DottedSet<T> {
    const { values } = this;
    return values.length < 2 ? this : this.write(this.context, actor, choose(values));
  }

  /**
   * The greatest sibling: replicas that read so agree, without a write. The
   * others stay until a write overwrites them.
   * @param compare - A total order of values, the same everywhere.
   */
  greatest(compare: (a: T, b: T) => number): T | undefined {
    return this.values.toSorted(compare).at(-1);
  }

  /**
   * At most `limit` entries, if enough of them are empty: those unchanged for
   * longest go. The hazard (see PROTOCOL.md, C8): a write made in a context
   * that names a dropped actor, or a replica that still has the entry, makes
   * old siblings look new. Never by wall clock, which drops what is in use.
   */
  prune(limit: number): DottedSet<T> {
    const spare = this.entries.length - limit;
    if (spare <= 0) return this;
    const dropped = new Set(
      this.entries
        .filter(({ values }) => values.length === 0)
        .toSorted((a, b) => a.changed - b.changed || compareActors(a.actor, b.actor))
        .slice(0, spare),
    );
    return new DottedSet(this.entries.filter((entry) => !dropped.has(entry)));
  }

  private get time(): number {
    return this.entries.reduce((time, { changed }) => Math.max(time, changed), 0);
  }

  private counter(context: VersionVector, actor: Actor): number {
    const mine = this.entries.find((entry) => entry.actor === actor)?.counter ?? 0;
    return Math.max(mine, context.get(actor));
  }

  /** One entry for each actor of the set, of `context` and `also`, in order. */
  private zip(
    context: VersionVector,
    make: (actor: Actor, mine: DottedEntry<T> | undefined, read: number) => DottedEntry<T>,
    ...also: readonly Actor[]
  ): readonly DottedEntry<T>[] {
    const mine = new Map(this.entries.map((entry) => [entry.actor, entry]));
    const actors = new Set([...mine.keys(), ...context.actors, ...also]);
    return [...actors]
      .toSorted(compareActors)
      .map((actor) => make(actor, mine.get(actor), context.get(actor)));
  }
}

/** An entry without the values among the first `read` writes. */
function overwrite<T>(
  actor: Actor,
  entry: DottedEntry<T> | undefined,
  read: number,
  changed: number,
): DottedEntry<T> {
  if (entry === undefined) return { actor, counter: read, values: [], changed };
  const values = entry.values.slice(0, Math.max(0, entry.counter - read));
  if (values.length === entry.values.length && read <= entry.counter) return entry;
  return { actor, counter: Math.max(entry.counter, read), values, changed };
}

function syncEntries<T>(left: DottedEntry<T>, right: DottedEntry<T>): DottedEntry<T> {
  const [newer, older] = left.counter >= right.counter ? [left, right] : [right, left];
  // The older side has overwritten all up to this write; of what it holds, the newer side decides.
  const overwritten = older.counter - older.values.length;
  const values = newer.values.slice(0, Math.max(0, newer.counter - overwritten));
  return { ...newer, values, changed: Math.max(left.changed, right.changed) };
}

/** Binary form of a set whose values have a codec. */
export function dottedSetCodec<T>(value: Codec<T>): Codec<DottedSet<T>> {
  const entries = list(
    struct<DottedEntry<T>>({
      actor: actorCodec,
      counter: counterCodec,
      values: list(value),
      changed: uint,
    }),
  );
  return {
    write: (writer, set) => entries.write(writer, set.entries),
    read(reader) {
      const read = entries.read(reader);
      for (const [i, { actor, counter, values }] of read.entries()) {
        if (i > 0 && actor <= read[i - 1]!.actor) throw new MalformedInput("actors out of order");
        if (values.length > counter) throw new MalformedInput("more values than writes");
      }
      return new DottedSet(read);
    },
  };
}
