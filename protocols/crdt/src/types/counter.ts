/**
 * Counters.
 *
 * `counter` adds, subtracts and resets. A reset removes exactly what its maker
 * had seen: an increment that happened meanwhile stays, with its own amount
 * only. So does the removal of a counter from a map. Each change has a dot with
 * its amounts; stable ones are put together on the last of them, and of two
 * replicas of which one has done so, the greater amounts are right.
 *
 * `growCounter` and `upDownCounter` are the counters of the literature (Shapiro
 * et al. 2011, §3.1): one dot for each actor with its total, so their size is
 * the number of actors without any collection. They cannot be reset. Where they
 * are removed from a map, an actor that counts meanwhile keeps its whole total.
 */

import { type Codec, invariant, struct, uint } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { indexOf } from "../causal/dots.ts";
import { type Leaf, type Store } from "../causal/stores.ts";
import { frozen, Handle, LeafType, type Stability } from "./type.ts";

interface Amounts {
  readonly plus: number;
  readonly minus: number;
}

const amounts = struct<Amounts>({ plus: uint, minus: uint });

function total(store: Store | undefined): number {
  let sum = 0;
  for (const { plus, minus } of ((store as Leaf | undefined)?.items ?? []) as readonly Amounts[]) {
    sum += plus - minus;
  }
  return sum;
}

/** Finds the newest own dot: at most one is unsent, and it is the last of this actor. */
function ownAt(leaf: Leaf | undefined): number {
  return leaf === undefined ? -1 : leaf.dots.findLastIndex((dot) => indexOf(dot) === 0);
}

export class GrowCounterHandle extends Handle<number> {
  /** @param by - An unsigned integer. */
  increment(by: number = 1): void {
    this.count(unsigned(by), 0);
  }

  protected count(plus: number, minus: number): void {
    const leaf = this.cursor.peekLeaf();
    const at = ownAt(leaf);
    if (at < 0) return void this.cursor.add({ plus, minus });
    const item = added(leaf!.items[at] as Amounts, plus, minus);
    if (this.cursor.state.isUnsent(leaf!.dots[at]!)) return this.cursor.amend(at, item);
    this.cursor.drop(at);
    this.cursor.add(item);
  }
}

export class UpDownCounterHandle extends GrowCounterHandle {
  /** @param by - An unsigned integer. */
  decrement(by: number = 1): void {
    this.count(0, unsigned(by));
  }
}

export class CounterHandle extends UpDownCounterHandle {
  /** Takes away what is seen here, whoever added it. */
  reset(): void {
    this.cursor.clear();
  }

  protected override count(plus: number, minus: number): void {
    const leaf = this.cursor.peekLeaf();
    const at = ownAt(leaf);
    if (at >= 0 && this.cursor.state.isUnsent(leaf!.dots[at]!)) {
      return this.cursor.amend(at, added(leaf!.items[at] as Amounts, plus, minus));
    }
    this.cursor.add({ plus, minus });
  }
}

function added(to: Amounts, plus: number, minus: number): Amounts {
  const sum = { plus: to.plus + plus, minus: to.minus + minus };
  invariant(
    Number.isSafeInteger(sum.plus) && Number.isSafeInteger(sum.minus),
    "counters stay below 2^53",
  );
  return sum;
}

function unsigned(by: number): number {
  invariant(Number.isSafeInteger(by) && by >= 0, "counters count by unsigned integers");
  return by;
}

class TotalCounterType<H extends GrowCounterHandle> extends LeafType<number, H> {
  readonly name: string;
  override readonly item: Codec<unknown> = amounts as Codec<unknown>;
  private readonly make: new (type: TotalCounterType<H>, cursor: Cursor) => H;

  constructor(name: string, make: new (type: TotalCounterType<H>, cursor: Cursor) => H) {
    super();
    this.name = name;
    this.make = make;
  }

  read(store: Store | undefined): number {
    return total(store);
  }

  handle(cursor: Cursor): H {
    return new this.make(this, cursor);
  }
}

class CounterType extends LeafType<number, CounterHandle> {
  readonly name = "counter";
  override readonly item: Codec<unknown> = amounts as Codec<unknown>;

  /** The amounts of a dot only ever grow, by those of stable dots before it. */
  override readonly joinItems = (mine: unknown, theirs: unknown): Amounts => {
    const [a, b] = [mine as Amounts, theirs as Amounts];
    return { plus: Math.max(a.plus, b.plus), minus: Math.max(a.minus, b.minus) };
  };

  read(store: Store | undefined): number {
    return total(store);
  }

  handle(cursor: Cursor): CounterHandle {
    return new CounterHandle(this, cursor);
  }

  override readonly collects = true;

  /** Nobody can remove some of an actor's stable dots and not the others: they are put together on the last. */
  override settle(cursor: Cursor, { isStable }: Stability): number {
    const leaf = cursor.peekLeaf()!;
    const sums = new Map<number, Amounts>();
    let dropped = 0;
    // The dots of an actor ascend: all but the last add up, and the last takes the sum.
    const last = new Map<number, number>();
    for (const dot of leaf.dots) if (isStable(dot)) last.set(indexOf(dot), dot);
    for (let at = leaf.dots.length - 1; at >= 0; at--) {
      const dot = leaf.dots[at]!;
      if (!isStable(dot) || last.get(indexOf(dot)) === dot) continue;
      const { plus, minus } = leaf.items[at] as Amounts;
      sums.set(indexOf(dot), added(sums.get(indexOf(dot)) ?? { plus: 0, minus: 0 }, plus, minus));
      cursor.drop(at);
      dropped += 1;
    }
    for (const [index, { plus, minus }] of sums) {
      const at = leaf.dots.indexOf(last.get(index)!);
      cursor.amend(at, added(leaf.items[at] as Amounts, plus, minus));
    }
    return dropped;
  }
}

/** Grows. Value: a number. */
export const growCounter: TotalCounterType<GrowCounterHandle> = frozen(
  new TotalCounterType<GrowCounterHandle>("growCounter", GrowCounterHandle),
);

/** Goes up and down; small without collection; cannot be reset. Value: a number. */
export const upDownCounter: TotalCounterType<UpDownCounterHandle> = frozen(
  new TotalCounterType<UpDownCounterHandle>("upDownCounter", UpDownCounterHandle),
);

/** Goes up and down and is reset, exactly. Value: a number. */
export const counter: CounterType = frozen(new CounterType());
