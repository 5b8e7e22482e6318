/**
 * The members a node knows, by name and by number.
 *
 * A table may stand on a {@link Roster} that many tables share: what this node
 * knows differently lies in front of it. That is how ten thousand tables of ten
 * thousand members fit into one process.
 */

import { invariant } from "@quorate/kernel";

import { isPresent, type MemberRecord, type Name } from "../member.ts";

/** A frozen table for many nodes to start from. */
export interface Roster {
  readonly records: readonly MemberRecord[];
  readonly slots: { readonly [name: Name]: number };
}

/** Freezes records into a roster. Names are unique. */
export function roster(records: readonly MemberRecord[]): Roster {
  const slots = Object.create(null) as { [name: Name]: number };
  for (const [slot, record] of records.entries()) {
    Object.freeze(record);
    invariant(!(record.name in slots), "a roster names each member once");
    slots[record.name] = slot;
  }
  return Object.freeze({
    records: Object.freeze(records.slice()),
    slots: Object.freeze(slots),
  });
}

const NOBODY: Roster = roster([]);

export class MemberTable {
  private readonly base: Roster;
  /** Records of the roster that this node knows better; `undefined` was forgotten. */
  private readonly changed: Map<number, MemberRecord | undefined> = new Map();
  /** Members beyond the roster, in slots from its length on. */
  private readonly own: MemberRecord[] = [];
  private readonly ownSlots: Map<Name, number> = new Map();
  /** When those that are not alive came to be so. */
  private readonly since: Map<Name, number> = new Map();

  private forgotten = 0;
  /** How many are alive or suspect. */
  present = 0;

  constructor(base: Roster = NOBODY) {
    this.base = base;
    for (const record of base.records) if (isPresent(record)) this.present++;
  }

  /** How many members are known, gone ones included. */
  get known(): number {
    return this.slots - this.forgotten;
  }

  /** Slots are numbered below this; {@link at} tells which are empty. */
  get slots(): number {
    return this.base.records.length + this.own.length;
  }

  at(slot: number): MemberRecord | undefined {
    const shared = this.base.records.length;
    if (slot >= shared) return this.own[slot - shared];
    return this.changed.has(slot) ? this.changed.get(slot) : this.base.records[slot];
  }

  get(name: Name): MemberRecord | undefined {
    const slot = this.slotOf(name);
    return slot === undefined ? undefined : this.at(slot);
  }

  /** Since when the member has been in its state; -Infinity for one that was always alive. */
  sinceOf(name: Name): number {
    return this.since.get(name) ?? -Infinity;
  }

  /** Adds or replaces the record of its name. */
  put(record: MemberRecord, now: number): void {
    const slot = this.slotOf(record.name);
    const before = slot === undefined ? undefined : this.at(slot);
    const shared = this.base.records.length;
    Object.freeze(record);
    if (slot === undefined) {
      this.ownSlots.set(record.name, shared + this.own.length);
      this.own.push(record);
    } else if (slot >= shared) {
      this.own[slot - shared] = record;
    } else {
      if (before === undefined) this.forgotten--;
      this.changed.set(slot, record);
    }
    this.present += Number(isPresent(record)) - Number(before !== undefined && isPresent(before));
    if (before?.state === record.state) return;
    if (record.state === "alive") this.since.delete(record.name);
    else this.since.set(record.name, now);
  }

  /** Forgets a member. Slots of others may change. */
  forget(name: Name): void {
    const slot = this.slotOf(name);
    const record = slot === undefined ? undefined : this.at(slot);
    if (slot === undefined || record === undefined) return;
    if (isPresent(record)) this.present--;
    this.since.delete(name);
    const shared = this.base.records.length;
    if (slot < shared) {
      this.changed.set(slot, undefined);
      this.forgotten++;
      return;
    }
    this.ownSlots.delete(name);
    const last = this.own.pop()!;
    if (last === record) return;
    this.own[slot - shared] = last;
    this.ownSlots.set(last.name, slot);
  }

  /** Names of those that have been dead or gone since before `time`. */
  goneBefore(time: number): readonly Name[] {
    const names: Name[] = [];
    for (const [name, since] of this.since) {
      const record = this.get(name);
      if (record !== undefined && !isPresent(record) && since < time) names.push(name);
    }
    return names;
  }

  all(): readonly MemberRecord[] {
    if (this.changed.size === 0 && this.own.length === 0) return this.base.records;
    const records: MemberRecord[] = [];
    for (let slot = 0; slot < this.slots; slot++) {
      const record = this.at(slot);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  private slotOf(name: Name): number | undefined {
    return this.ownSlots.get(name) ?? this.base.slots[name];
  }
}
