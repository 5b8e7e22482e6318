/**
 * What clients asked and were told, and whether one copy of the data could have
 * answered so: linearizability (Herlihy & Wing 1990).
 *
 * The suite's machine is a journal: every write is told its line. Answers reveal
 * the order, so no search is needed; four rules decide (see `check`). Calls and
 * returns are numbered in the order in which they happened.
 */

import { expect } from "./world.ts";

interface Write {
  readonly command: string;
  readonly call: number;
  /** `Infinity` while, or if, the outcome is unknown. */
  ret: number;
  line: number | undefined;
  /** It certainly did not happen. */
  refused: boolean;
}

interface Read {
  readonly call: number;
  readonly ret: number;
  /** How many lines it saw. */
  readonly seen: number;
}

export class Ledger {
  private readonly writes: Write[] = [];
  private readonly reads: Read[] = [];
  private moments = 0;

  /** A client is about to ask. */
  begin(command: string): Write {
    const write = {
      command,
      call: ++this.moments,
      ret: Infinity,
      line: undefined,
      refused: false,
    };
    this.writes.push(write);
    return write;
  }

  executed(write: Write, line: number): void {
    write.ret = ++this.moments;
    write.line = line;
  }

  refused(write: Write): void {
    write.refused = true;
  }

  /** Marks the moment at which a read is asked. */
  ask(): number {
    return ++this.moments;
  }

  answered(call: number, seen: number): void {
    this.reads.push({ call, ret: ++this.moments, seen });
  }

  /** How many writes clients asked for. */
  get asked(): number {
    return this.writes.length;
  }

  /** How many writes were executed, as far as clients know. */
  get acknowledged(): number {
    return this.writes.filter(({ line }) => line !== undefined).length;
  }

  get readCount(): number {
    return this.reads.length;
  }

  /**
   * Compares with the journal as it is in the end.
   * @throws Violation that says which rule is broken, and by what.
   */
  check(journal: readonly string[]): void {
    this.checkLines(journal);
    this.checkOrder();
    this.checkReads();
  }

  /** Every line was written once, by somebody who may have written it; every answer is true. */
  private checkLines(journal: readonly string[]): void {
    const asked = new Map(this.writes.map((write) => [write.command, write]));
    const seen = new Set<string>();
    for (const [at, line] of journal.entries()) {
      const write = asked.get(line);
      expect(write !== undefined, `line ${at} is ${line}, which nobody wrote`);
      expect(!seen.has(line), `${line} was executed twice`);
      expect(!write.refused, `${line} was refused as having no effect, and is line ${at}`);
      seen.add(line);
    }
    for (const { command, line } of this.writes) {
      if (line === undefined) continue;
      expect(journal[line] === command, `${command} was line ${line}, which is ${journal[line]}`);
    }
  }

  /** A write that was answered before another was asked comes before it. */
  private checkOrder(): void {
    const known = this.writes.filter(({ line }) => line !== undefined);
    // In the order of lines, no write may have been asked after one behind it was answered.
    const byLine = known.toSorted((a, b) => b.line! - a.line!);
    let earliest: Write | undefined;
    for (const write of byLine) {
      if (earliest !== undefined) {
        const order = `${write.command} (line ${write.line}) was asked after ${earliest.command}`;
        expect(write.call < earliest.ret, `${order} (line ${earliest.line}) was answered`);
      }
      if (earliest === undefined || write.ret < earliest.ret) earliest = write;
    }
  }

  /** A read sees what was answered before it was asked, nothing unasked, and no less than one before it. */
  private checkReads(): void {
    const answers = this.writes
      .filter(({ line }) => line !== undefined)
      .toSorted((a, b) => a.ret - b.ret);
    for (const { call, ret, seen } of this.reads) {
      const before = answers.findLast((write) => write.ret < call && write.line! >= seen);
      expect(
        before === undefined,
        `a read saw ${seen} lines though ${before?.command}, line ${before?.line}, was answered`,
      );
      const later = answers.find((write) => write.line! < seen && write.call > ret);
      expect(later === undefined, `a read saw ${later?.command} before anybody wrote it`);
    }
    let most = 0;
    const byReturn = this.reads.toSorted((a, b) => a.ret - b.ret);
    let next = 0;
    for (const { call, seen } of this.reads.toSorted((a, b) => a.call - b.call)) {
      while (next < byReturn.length && byReturn[next]!.ret < call) {
        most = Math.max(most, byReturn[next++]!.seen);
      }
      expect(seen >= most, `a read saw ${seen} lines after another had seen ${most}`);
    }
  }
}
