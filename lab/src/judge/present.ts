/**
 * What is under way at one position of a timeline. It is the same whatever the
 * configuration, so there is one, and the search moves it back and forth.
 */

import { BLIND, type Event, type Item, type Timeline } from "./timeline.ts";

export class Present<Op> {
  /** Events before this position have happened. */
  position = 0;
  /** Operations called and not returned, by whether they may write. */
  readonly writers: Set<Item<Op>> = new Set<Item<Op>>();
  readonly readers: Set<Item<Op>> = new Set<Item<Op>>();
  /** By effect: how many unknown operations have been called. */
  readonly available: number[];
  /** By name of a state: how many operations called and not returned need it. */
  private readonly watching: number[];
  /** How many may depend on the state in ways we cannot tell. */
  private watchingAnything = 0;
  private readonly events: readonly Event<Op>[];

  constructor(timeline: Timeline<Op>) {
    this.events = timeline.events;
    this.available = timeline.effects.map(() => 0);
    this.watching = Array.from({ length: timeline.names }, () => 0);
  }

  /** Whether an operation under way could tell the named state from others; a negative name is any. */
  isWatched(name: number): boolean {
    return name < 0 || this.watchingAnything > 0 || this.watching[name]! > 0;
  }

  moveTo(position: number): void {
    while (this.position < position) {
      const { type, item } = this.events[this.position++]!;
      this.count(item, type === "call" ? 1 : -1);
    }
    while (this.position > position) {
      const { type, item } = this.events[--this.position]!;
      this.count(item, type === "call" ? -1 : 1);
    }
  }

  private count(item: Item<Op>, change: 1 | -1): void {
    const { effect } = item;
    if (item.unknown) this.available[effect.id]! += change;
    else if (change === 1) this.among(item).add(item);
    else this.among(item).delete(item);
    if (effect.needs >= 0) this.watching[effect.needs]! += change;
    else if (effect.needs !== BLIND) this.watchingAnything += change;
  }

  private among(item: Item<Op>): Set<Item<Op>> {
    return item.effect.readOnly ? this.readers : this.writers;
  }
}
