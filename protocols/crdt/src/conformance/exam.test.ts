/** Keeps the suite honest: each planted mistake is found, and what is right passes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { VersionVector } from "@quorate/clocks";
import { type Random } from "@quorate/kernel";

import { type Crdt } from "../crdt.ts";
import { CrdtError } from "../errors.ts";
import { Replica, set } from "../index.ts";
import { type HandleOf } from "../types/type.ts";
import { conformance, type Subject } from "./index.ts";

type Elements = ReadonlySet<string>;
type Handle = HandleOf<typeof set.string>;

interface Edit {
  readonly element: string;
  readonly add: boolean;
}

/** A set that does right, to be done wrong in one thing. */
class Right implements Crdt<Elements, Handle> {
  inner: Replica<Elements, Handle>;

  constructor(actor: string, bytes?: Uint8Array) {
    this.inner =
      bytes === undefined
        ? new Replica(set.string, actor)
        : Replica.decode(set.string, actor, bytes);
  }

  get actor(): string {
    return this.inner.actor;
  }

  get value(): Elements {
    return this.inner.value;
  }

  get version(): VersionVector {
    return this.inner.version;
  }

  mutate(edit: (handle: Handle) => void, wallMs?: number): void {
    this.inner.mutate(edit, wallMs);
  }

  delta(): Uint8Array | undefined {
    return this.inner.delta();
  }

  merge(bytes: Uint8Array): boolean {
    return this.inner.merge(bytes);
  }

  encode(): Uint8Array {
    return this.inner.encode();
  }

  stable(frontier: VersionVector): number {
    return this.inner.stable(frontier);
  }
}

function subjectOf(
  kind: new (actor: string, bytes?: Uint8Array) => Right,
): Subject<Elements, Handle, Edit> {
  return {
    name: kind.name,
    open: (actor) => new kind(actor),
    decode: (bytes, actor) => new kind(actor, bytes),
    draw: (random: Random) => ({
      element: "xyz".charAt(random.below(3)),
      add: random.chance(2, 3),
    }),
    apply: (handle, { element, add }) => (add ? handle.add(element) : handle.remove(element)),
    model() {
      const held = new Set<string>();
      return {
        value: held,
        apply: ({ element, add }) => void (add ? held.add(element) : held.delete(element)),
      };
    },
  };
}

/** The promises that a type is found to break within a few seeds. */
function broken(kind: new (actor: string, bytes?: Uint8Array) => Right): ReadonlySet<string> {
  const found = new Set<string>();
  for (const one of conformance) {
    const { promise } = one;
    for (let seed = 1; seed <= 4 && !found.has(promise); seed++) {
      try {
        one.run(subjectOf(kind), seed);
      } catch {
        found.add(promise);
      }
    }
  }
  return found;
}

test("what is right breaks no promise", () => {
  assert.deepEqual(broken(Right), new Set());
});

/** Keeps what another has removed: merges the other's elements as new ones of its own. */
class NeverRemoves extends Right {
  override merge(bytes: Uint8Array): boolean {
    const before = this.value;
    const changed = this.inner.merge(bytes);
    this.inner.mutate((handle) => {
      for (const element of before) if (!handle.has(element)) handle.add(element);
    });
    return changed;
  }
}

/** Loses a delta now and then, though told to give all. */
class ForgetfulDelta extends Right {
  private count = 0;

  override delta(): Uint8Array | undefined {
    const delta = this.inner.delta();
    return ++this.count % 4 === 0 ? undefined : delta;
  }
}

/** Does not count removals among what it has seen. */
class SilentRemovals extends Right {
  private shown: VersionVector = VersionVector.empty;

  override get version(): VersionVector {
    return this.shown;
  }

  override mutate(edit: (handle: Handle) => void, wallMs?: number): void {
    const before = this.value.size;
    this.inner.mutate(edit, wallMs);
    if (this.value.size > before) this.shown = this.inner.version;
  }

  override merge(bytes: Uint8Array): boolean {
    const changed = this.inner.merge(bytes);
    this.shown = this.inner.version;
    return changed;
  }
}

/** Says that something was new when nothing was. */
class AlwaysNews extends Right {
  override merge(bytes: Uint8Array): boolean {
    this.inner.merge(bytes);
    return true;
  }
}

/** Takes the other's state for its own if it is the longer one. */
class LongestWins extends Right {
  override merge(bytes: Uint8Array): boolean {
    const other = Replica.decode(set.string, "reader", bytes);
    if (other.value.size <= this.value.size) return this.inner.merge(bytes);
    this.inner = Replica.decode(set.string, this.actor, bytes);
    return true;
  }
}

/** Takes in what somebody else did under its name. */
class TrustsItsName extends Right {
  override merge(bytes: Uint8Array): boolean {
    try {
      return this.inner.merge(bytes);
    } catch (error) {
      if (error instanceof CrdtError && error.code === "duplicateActor") return false;
      throw error;
    }
  }
}

/** Has done half of it when it refuses. */
class HalfDone extends Right {
  override merge(bytes: Uint8Array): boolean {
    try {
      return this.inner.merge(bytes);
    } catch (error) {
      this.inner.mutate((handle) => handle.add("half"));
      throw error;
    }
  }
}

/** Refuses with whatever comes to hand. */
class UntypedRefusal extends Right {
  override merge(bytes: Uint8Array): boolean {
    try {
      return this.inner.merge(bytes);
    } catch {
      throw new RangeError("offset is out of bounds");
    }
  }
}

/** Collects what is still in use. */
class EagerCollector extends Right {
  override stable(frontier: VersionVector): number {
    const [first] = this.value;
    if (first !== undefined && frontier.size > 0)
      this.inner.mutate((handle) => handle.remove(first));
    return 1;
  }
}

/** Comes back from its bytes without what was removed in them. */
class ForgetsRemovals extends Right {
  constructor(actor: string, bytes?: Uint8Array) {
    super(actor, bytes);
    if (bytes === undefined) return;
    const { value } = this.inner;
    this.inner = new Replica(set.string, actor);
    this.inner.mutate((handle) => {
      for (const element of value) handle.add(element);
    });
  }
}

for (const [kind, promises] of [
  [NeverRemoves, ["P1"]],
  [ForgetfulDelta, ["P4"]],
  [SilentRemovals, ["P3"]],
  [AlwaysNews, ["P2"]],
  [LongestWins, ["P3"]],
  [TrustsItsName, ["P7"]],
  [HalfDone, ["P8"]],
  [UntypedRefusal, ["P7", "P8"]],
  [EagerCollector, ["P6"]],
  [ForgetsRemovals, ["P5"]],
] as const) {
  test(`${kind.name} is found by ${promises.join(" and ")}`, () => {
    const found = broken(kind);
    for (const promise of promises) {
      assert.ok(found.has(promise), `${promise} is not among ${[...found].join(", ")}`);
    }
  });
}
