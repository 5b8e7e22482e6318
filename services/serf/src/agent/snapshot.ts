/**
 * Serf's snapshot file: what a node knew, in lines that real agents read and
 * write too. It is the process's log. Lines go to the system with the turn that
 * made them and are synced only at a farewell: a crash of the machine may forget
 * members, and gossip tells of them again.
 */

import fs from "node:fs";

import type { GossipWords } from "@quorate/gossip";
import type { Logger, SharedLog } from "@quorate/host";
import { MalformedInput } from "@quorate/kernel";

import { parseLine } from "./snapshot-lines.ts";

type Line = GossipWords["Record"];

const REWRITTEN = ".compact";
const MODE = 0o644;
const NEWLINE = 0x0a;

/** A log that remembers nothing: for nodes without a snapshot. */
export class NoSnapshot implements SharedLog {
  private places = 0;
  private readonly onDurable: (place: number) => void;

  constructor(onDurable: (place: number) => void) {
    this.onDurable = onDurable;
  }

  append(): number {
    return ++this.places;
  }

  flush(): void {
    const { places } = this;
    setImmediate(() => this.onDurable(places));
  }

  checkpoint(): void {}

  close(): void {}
}

export class SnapshotFile implements SharedLog {
  /** What the file said when it was opened. */
  readonly recovered: readonly Line[];
  private readonly path: string;
  private readonly logger: Logger;
  private readonly onDurable: (place: number) => void;
  private file: number | undefined;
  private lines: Uint8Array[] = [];
  private places = 0;

  /** Opens or makes the file. @throws what the system says. */
  constructor(path: string, logger: Logger, onDurable: (place: number) => void) {
    this.path = path;
    this.logger = logger;
    this.onDurable = onDurable;
    this.file = fs.openSync(path, "a+", MODE);
    const bytes = fs.readFileSync(path);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    // A line that was cut off could read as another address: it goes before the next is appended.
    if (end < bytes.length) fs.ftruncateSync(this.file, end);
    this.recovered = this.parse(bytes.subarray(0, end).toString("utf8"));
  }

  private parse(text: string): readonly Line[] {
    const records: Line[] = [];
    for (const line of text.split("\n")) {
      if (line === "") continue;
      try {
        const record = parseLine(line);
        if (record !== undefined) records.push(record);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        this.logger.warn(
          { line: line.slice(0, 200), reason: error.message },
          "snapshot line skipped",
        );
      }
    }
    return records;
  }

  append(_group: number, record: Uint8Array): number {
    this.lines.push(new Uint8Array(record));
    return ++this.places;
  }

  flush(): void {
    this.write();
    const { places } = this;
    setImmediate(() => this.onDurable(places));
  }

  /** Writes the records aside and puts the file in place of the old one. */
  checkpoint(_group: number, records: Iterable<Uint8Array>): void {
    const aside = this.path + REWRITTEN;
    // What was appended before is part of what the records replace.
    this.lines = [];
    this.attempt("rewrite", () => {
      const file = fs.openSync(aside, "w", MODE);
      for (const record of records) fs.writeSync(file, record);
      fs.fsyncSync(file);
      fs.closeSync(file);
      fs.renameSync(aside, this.path);
      if (this.file !== undefined) fs.closeSync(this.file);
      this.file = fs.openSync(this.path, "a", MODE);
    });
  }

  /** Writes what is left and syncs. */
  close(): void {
    this.write();
    const { file } = this;
    if (file === undefined) return;
    this.file = undefined;
    this.attempt("close", () => {
      fs.fsyncSync(file);
      fs.closeSync(file);
    });
  }

  private write(): void {
    const { file, lines } = this;
    if (file === undefined || lines.length === 0) return;
    this.lines = [];
    this.attempt("write", () => void fs.writeSync(file, Buffer.concat(lines)));
  }

  /** A full disk costs the snapshot, not the node, as in Serf. */
  private attempt(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.logger.error({ error, what }, "snapshot failed");
    }
  }
}
