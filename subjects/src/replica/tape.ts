/**
 * The smallest useful state machine for the lab: it keeps commands in their order,
 * so that whatever is lost, doubled or out of place shows. Of a long tape the
 * beginning is cut off, at the same places on every replica.
 */

import type { SnapshotSink, SnapshotSource, StateMachine } from "@quorate/consensus";
import { type Codec, list, Reader, text, uint, Writer } from "@quorate/kernel";

const lines: Codec<readonly string[]> = list(text);

/** Small pieces, so that snapshots take several messages. */
const PIECE_LINES = 8;

/** How many lines are certainly on a tape of more; it is cut when there are twice as many. */
export const KEPT_LINES = 8_192;
/** Begins the first line of an image of a tape that was cut; no command does. */
const CUT = "cut ";

class TapeSource implements SnapshotSource {
  private readonly lines: readonly string[];
  private at = 0;

  constructor(lines: readonly string[]) {
    this.lines = lines;
  }

  next(): Uint8Array | undefined {
    if (this.at >= this.lines.length) return undefined;
    const writer = new Writer();
    lines.write(writer, this.lines.slice(this.at, (this.at += PIECE_LINES)));
    return writer.finish();
  }

  close(): void {
    this.at = this.lines.length;
  }
}

class TapeSink implements SnapshotSink {
  readonly lines: string[] = [];
  cut = 0;

  write(piece: Uint8Array): void {
    for (const line of lines.read(new Reader(piece))) {
      if (line.startsWith(CUT)) this.cut = Number(line.slice(CUT.length));
      else this.lines.push(line);
    }
  }
}

/** Answers each command with its place on the tape, from 0. */
export class Tape implements StateMachine<number> {
  readonly results: Codec<number> = uint;
  /** How many lines were cut off. */
  private cut = 0;
  private lines: string[] = [];

  /** How many lines were ever written. */
  get length(): number {
    return this.cut + this.lines.length;
  }

  /** The first place that is on the tape. */
  get first(): number {
    return this.cut;
  }

  /** What is written at a place on the tape. */
  at(place: number): string | undefined {
    return this.lines[place - this.cut];
  }

  apply(command: Uint8Array): number {
    this.lines.push(String.fromCharCode(...command));
    if (this.lines.length === 2 * KEPT_LINES) {
      this.lines = this.lines.slice(-KEPT_LINES);
      this.cut += KEPT_LINES;
    }
    return this.length - 1;
  }

  snapshot(): SnapshotSource {
    return new TapeSource(this.cut > 0 ? [`${CUT}${this.cut}`, ...this.lines] : [...this.lines]);
  }

  receive(): SnapshotSink {
    return new TapeSink();
  }

  install(image: SnapshotSink): void {
    const { cut, lines: written } = image as TapeSink; // What `receive` made.
    this.cut = cut;
    this.lines = [...written];
  }

  digest(): number {
    return this.length;
  }
}
