/**
 * A counter that never falls below zero, without asking anybody (Balegas et
 * al., _Extending eventually consistent cloud databases for enforcing numeric
 * invariants_, 2015). Whoever increments gains the right to decrement as much,
 * and may hand rights to another actor. A decrement needs own rights.
 *
 * Each actor writes one row: what it added, used and gave away. Nobody else
 * writes there, so a replica knows its own rights at least, and a stale view of
 * the others only understates them.
 *
 * Removing rows would break the bound, so the type is refused where a part may
 * be removed: in maps of keys, lists, trees.
 */

import { type Actor, actorCodec } from "@quorate/clocks";
import { type Codec, invariant, list, struct, uint } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { indexOf } from "../causal/dots.ts";
import { type State } from "../causal/state.ts";
import { type Leaf, type Store } from "../causal/stores.ts";
import { frozen, Handle, LeafType } from "./type.ts";

interface Gift {
  readonly to: Actor;
  readonly amount: number;
}

/** What one actor has done, ever. */
interface Row {
  readonly added: number;
  readonly used: number;
  readonly given: readonly Gift[];
}

const NOTHING: Row = { added: 0, used: 0, given: [] };

const rowCodec = struct<Row>({
  added: uint,
  used: uint,
  given: list(struct<Gift>({ to: actorCodec, amount: uint })),
});

function rows(store: Store | undefined): readonly Row[] {
  return ((store as Leaf | undefined)?.items ?? []) as readonly Row[];
}

function rowOf(store: Store | undefined, state: State, actor: Actor): Row {
  const at = (store as Leaf | undefined)?.dots.findIndex((dot) => state.actorOf(dot) === actor);
  return at === undefined || at < 0 ? NOTHING : rows(store)[at]!;
}

export class BoundedCounterHandle extends Handle<number> {
  /** How much this replica knows an actor may decrement, itself if none is named. */
  rights(actor: Actor = this.cursor.state.actors[0]!): number {
    const store = this.cursor.peek();
    const row = rowOf(store, this.cursor.state, actor);
    let rights = row.added - row.used;
    for (const { amount } of row.given) rights -= amount;
    for (const { given } of rows(store)) {
      for (const { to, amount } of given) if (to === actor) rights += amount;
    }
    return rights;
  }

  /** @param by - An unsigned integer. */
  increment(by: number = 1): void {
    checkAmount(by);
    const row = this.own();
    this.write({ ...row, added: row.added + by });
  }

  /** Decrements if this replica has the rights. Returns whether it had; if not, ask another to hand some over. */
  decrement(by: number = 1): boolean {
    checkAmount(by);
    if (by > this.rights()) return false;
    const row = this.own();
    this.write({ ...row, used: row.used + by });
    return true;
  }

  /** Hands rights to another actor. Returns whether there were so many. */
  transfer(to: Actor, amount: number): boolean {
    checkAmount(amount);
    if (amount > this.rights()) return false;
    const row = this.own();
    const before = row.given.find((gift) => gift.to === to)?.amount ?? 0;
    const others = row.given.filter((gift) => gift.to !== to);
    this.write({ ...row, given: [...others, { to, amount: before + amount }] });
    return true;
  }

  private own(): Row {
    return rowOf(this.cursor.peek(), this.cursor.state, this.cursor.state.actors[0]!);
  }

  private write(row: Row): void {
    invariant(Number.isSafeInteger(row.added), "counters stay below 2^53");
    const leaf = this.cursor.peekLeaf();
    const at = leaf?.dots.findIndex((dot) => indexOf(dot) === 0) ?? -1;
    if (at >= 0 && this.cursor.state.isUnsent(leaf!.dots[at]!)) return this.cursor.amend(at, row);
    if (at >= 0) this.cursor.drop(at);
    this.cursor.add(row);
  }
}

function checkAmount(amount: number): void {
  invariant(Number.isSafeInteger(amount) && amount >= 0, "counters count by unsigned integers");
}

class BoundedCounterType extends LeafType<number, BoundedCounterHandle> {
  readonly name = "boundedCounter";
  override readonly item: Codec<unknown> = rowCodec as Codec<unknown>;
  override readonly removable = false;

  read(store: Store | undefined): number {
    return rows(store).reduce((sum, { added, used }) => sum + added - used, 0);
  }

  handle(cursor: Cursor): BoundedCounterHandle {
    return new BoundedCounterHandle(this, cursor);
  }
}

/** Never below zero. Value: a number. */
export const boundedCounter: BoundedCounterType = frozen(new BoundedCounterType());
