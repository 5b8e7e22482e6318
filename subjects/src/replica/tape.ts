/**
 * The smallest useful state machine for the lab: it keeps every command in
 * order, so that whatever is lost, doubled or out of place shows.
 */

import type { SnapshotSink, SnapshotSource, StateMachine } from "@quorate/consensus";
import { type Codec, list, Reader, text, uint, Writer } from "@quorate/kernel";

const lines: Codec<readonly string[]> = list(text);

/** Small pieces, so that snapshots take several messages. */
const PIECE_LINES = 8;

class TapeSource implements SnapshotSource {
  private readonly tape: readonly string[];
  private at = 0;

  constructor(tape: readonly string[]) {
    this.tape = tape;
  }

  next(): Uint8Array | undefined {
    if (this.at >= this.tape.length) return undefined;
    const writer = new Writer();
    lines.write(writer, this.tape.slice(this.at, (this.at += PIECE_LINES)));
    return writer.finish();
  }

  close(): void {
    this.at = this.tape.length;
  }
}

class TapeSink implements SnapshotSink {
  readonly tape: string[] = [];

  write(piece: Uint8Array): void {
    this.tape.push(...lines.read(new Reader(piece)));
  }
}

/** Answers each command with its place on the tape, from 0. */
export class Tape implements StateMachine<number> {
  readonly results: Codec<number> = uint;
  lines: string[] = [];

  apply(command: Uint8Array): number {
    return this.lines.push(String.fromCharCode(...command)) - 1;
  }

  snapshot(): SnapshotSource {
    return new TapeSource([...this.lines]);
  }

  receive(): SnapshotSink {
    return new TapeSink();
  }

  install(image: SnapshotSink): void {
    this.lines = [...(image as TapeSink).tape]; // What `receive` made.
  }

  digest(): number {
    return this.lines.length;
  }
}
