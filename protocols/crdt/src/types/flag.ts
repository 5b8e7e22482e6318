/**
 * Flags: false until enabled. Of an enabling and a concurrent disabling, the
 * type's name says which one wins.
 */

import { bool, type Codec } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { isEmpty, type Leaf, type Store } from "../causal/stores.ts";
import { frozen, Handle, LeafType, type Stability } from "./type.ts";

export class FlagHandle extends Handle<boolean> {
  enable(): void {
    this.cursor.replace();
  }

  disable(): void {
    this.cursor.clear();
  }
}

class EnableWinsType extends LeafType<boolean, FlagHandle> {
  readonly name = "flag";

  read(store: Store | undefined): boolean {
    return store !== undefined && !isEmpty(store);
  }

  handle(cursor: Cursor): FlagHandle {
    return new FlagHandle(this, cursor);
  }
}

/** Whether there is something, and nobody's `no` stands beside it. */
export function isUnanimous(store: Store | undefined): boolean {
  const items = (store as Leaf | undefined)?.items ?? [];
  return items.length > 0 && !items.includes(false);
}

/** A leaf of yes and no in which no wins. Its no is kept until all have seen it. */
export abstract class NoWinsType<H> extends LeafType<boolean, H> {
  override readonly item: Codec<unknown> = bool as Codec<unknown>;

  read(store: Store | undefined): boolean {
    return isUnanimous(store);
  }

  override isPresent(store: Store | undefined): boolean {
    return isUnanimous(store);
  }

  override readonly collects: boolean = true;

  /** Once every word is stable and the answer is no, saying nothing says the same. */
  override settle(cursor: Cursor, { isStable }: Stability): number {
    const { dots } = cursor.peekLeaf()!;
    const dropped = dots.length;
    if (isUnanimous(cursor.peek()) || !dots.every((dot) => isStable(dot))) return 0;
    cursor.clear();
    return dropped;
  }
}

export class DisableWinsHandle extends Handle<boolean> {
  enable(): void {
    this.cursor.replace(true);
  }

  disable(): void {
    this.cursor.replace(false);
  }
}

class DisableWinsType extends NoWinsType<DisableWinsHandle> {
  readonly name = "disableWinsFlag";

  handle(cursor: Cursor): DisableWinsHandle {
    return new DisableWinsHandle(this, cursor);
  }
}

/** A flag; enabling wins over disabling. Value: a boolean. */
export const flag: EnableWinsType = frozen(new EnableWinsType());

/** A flag; disabling wins over enabling. Value: a boolean. */
export const disableWinsFlag: DisableWinsType = frozen(new DisableWinsType());
