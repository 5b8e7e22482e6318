/**
 * What is under way at one position of a timeline. It is the same whatever the
 * configuration, so there is one, and the search moves it back and forth.
 */

import { ANYTHING, type Event, type Item, type Timeline } from "./timeline.ts";

export class Present<Op> {
  /** Events before this position have happened. */
  position = 0;
  /** Operations called and not returned, by whether they may write. */
  readonly writers: Set<Item<Op>> = new Set<Item<Op>>();
  readonly readers: Set<Item<Op>> = new Set<Item<Op>>();
  /** By name of a state: how many operations called and not returned need it. */
  private readonly watching: number[];
  /** By name of a state: how many it alone refuses. */
  private readonly avoiding: number[];
  /** How many may depend on the state in ways we cannot tell. */
  private watchingAnything = 0;
  private readonly events: readonly Event<Op>[];

  constructor(timeline: Timeline<Op>) {
    this.events = timeline.events;
    this.watching = Array.from({ length: timeline.names }, () => 0);
    this.avoiding = this.watching.slice();
  }

  /** Whether something under way might be glad of any change of the named state. */
  isRestless(name: number): boolean {
    return name < 0 || this.watchingAnything > 0 || this.avoiding[name]! > 0;
  }

  /** Whether something under way waits for the named state. */
  isWatched(name: number): boolean {
    return name < 0 || this.watching[name]! > 0;
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
    if (change === -1) this.among(item).delete(item);
    else if (!item.unknown) this.among(item).add(item);
    if (effect.needs >= 0) this.watching[effect.needs]! += change;
    else if (effect.needs === ANYTHING) this.watchingAnything += change;
    else if (effect.avoids >= 0) this.avoiding[effect.avoids]! += change;
  }

  private among(item: Item<Op>): Set<Item<Op>> {
    return item.effect.readOnly ? this.readers : this.writers;
  }
}
