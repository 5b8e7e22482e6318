/**
 * The configurations that a log has been under: each counts from when its entry
 * is appended and is taken back if that is truncated (Raft §6; R25). The oldest
 * one kept is committed, so there is always one to go back to.
 */

import { decode, invariant } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Entry, type Index } from "./entry.ts";

export interface Dated {
  /** Of the entry that made it; 0 for the initial one. */
  readonly index: Index;
  readonly configuration: Configuration;
}

export class Configurations {
  /** In the order of their indices, never empty. */
  private dated: Dated[];

  constructor(initial: Configuration) {
    this.dated = [{ index: 0, configuration: initial }];
  }

  /** The one in force. */
  get last(): Dated {
    return this.dated.at(-1)!;
  }

  /** The one that was in force right after the entry at `index`. */
  at(index: Index): Dated {
    const found = this.dated.findLast((one) => one.index <= index);
    invariant(found !== undefined, `the configuration at ${index} is known`);
    return found;
  }

  /** The one that was in force before the entry at `index`, if that is known. */
  before(index: Index): Configuration | undefined {
    return this.dated.findLast((one) => one.index < index)?.configuration;
  }

  /** An entry was appended. Returns whether another configuration is in force now. */
  appended(index: Index, entry: Entry): boolean {
    if (entry.kind !== "configuration") return false;
    this.dated.push({ index, configuration: decode(configurationCodec, entry.data) });
    return true;
  }

  /** The entries from `index` on are gone. Returns whether another configuration is in force now. */
  truncated(index: Index): boolean {
    const before = this.dated.length;
    while (this.last.index >= index) {
      this.dated.pop();
      invariant(this.dated.length > 0, "a committed configuration is never taken back");
    }
    return this.dated.length < before;
  }

  /** An entry in the middle of the log is known at last. Returns whether it made a configuration. */
  mended(index: Index, entry: Entry): boolean {
    if (entry.kind !== "configuration") return false;
    const configuration = decode(configurationCodec, entry.data);
    this.dated = [...this.dated, { index, configuration }].toSorted((a, b) => a.index - b.index);
    return true;
  }

  /** Everything up to `index` is in a snapshot: what was in force before is forgotten. */
  compacted(index: Index): void {
    const from = this.dated.findLastIndex((one) => one.index <= index);
    if (from > 0) this.dated = this.dated.slice(from);
  }

  /** A snapshot up to `covered` replaces what was known so far, and all else unless `keepLater`. */
  restored(snapshot: Dated, covered: Index, keepLater: boolean): void {
    const later = keepLater ? this.dated.filter((one) => one.index > covered) : [];
    this.dated = [snapshot, ...later];
  }
}
