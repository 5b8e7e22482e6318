/**
 * The smallest useful state machine: it remembers every command it applied.
 * For tests and examples; whatever is lost, doubled or out of order shows.
 */

import { type Codec, crc32c, list, Reader, struct, text, uint, Writer } from "@quorate/kernel";

import type { Applied, SnapshotSink, SnapshotSource, StateMachine } from "../state-machine.ts";

export interface JournalLine {
  readonly command: string;
  readonly timeMs: number;
}

const linesCodec: Codec<readonly JournalLine[]> = list(
  struct<JournalLine>({ command: text, timeMs: uint }),
);

/** Pieces of at most this many lines, so that tests see snapshots of several pieces. */
const LINES_PER_PIECE = 3;

class JournalSource implements SnapshotSource {
  private readonly lines: readonly JournalLine[];
  private at = 0;

  constructor(lines: readonly JournalLine[]) {
    this.lines = lines;
  }

  next(): Uint8Array | undefined {
    if (this.at >= this.lines.length) return undefined;
    const writer = new Writer();
    linesCodec.write(writer, this.lines.slice(this.at, (this.at += LINES_PER_PIECE)));
    return writer.finish();
  }

  close(): void {
    this.at = this.lines.length;
  }
}

class JournalSink implements SnapshotSink {
  readonly lines: JournalLine[] = [];

  write(piece: Uint8Array): void {
    this.lines.push(...linesCodec.read(new Reader(piece)));
  }
}

/** Answers each command with how many came before it. */
export class Journal implements StateMachine<number> {
  readonly results: Codec<number> = uint;
  lines: readonly JournalLine[] = [];

  apply(command: Uint8Array, { timeMs }: Applied): number {
    const line = Object.freeze({ command: String.fromCharCode(...command), timeMs });
    this.lines = Object.freeze([...this.lines, line]);
    return this.lines.length - 1;
  }

  snapshot(): SnapshotSource {
    return new JournalSource(this.lines);
  }

  receive(): SnapshotSink {
    return new JournalSink();
  }

  install(image: SnapshotSink): void {
    this.lines = Object.freeze([...(image as JournalSink).lines]);
  }

  digest(): number {
    const writer = new Writer();
    linesCodec.write(writer, this.lines);
    return crc32c(writer.view());
  }
}
