/**
 * Gathers the connections that have something to write, and writes them all at the end of the event-loop turn.
 *
 * A turn reads many requests from many sockets; their answers leave with one write per connection. When the turn ends is
 * the host's business, through the `endOfTurn` hook: it may want the log on disk first. Output buffers are shared by all
 * connections, since a connection needs one only between its first answer and the completion of its write.
 */

/** Called once per turn that has output, with the function that writes it. */
export type EndOfTurn = (flush: () => void) => void;

/** Something with output to write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/** Size of a pooled output buffer; a connection that needs more in one turn grows its own. */
const outputBufferBytes = 65_536;

const maxPooledBuffers = 64;

/** The list of connections to flush, and the pool of their buffers. */
export class Turn {
  private readonly endOfTurn: EndOfTurn;
  private waiting: Flushable[] = [];
  /** The list last flushed, emptied and kept for the next turn. */
  private spare: Flushable[] = [];
  private readonly pool: Buffer[] = [];
  private readonly flush: () => void;

  constructor(endOfTurn: EndOfTurn | undefined) {
    this.endOfTurn = endOfTurn ?? setImmediate;
    this.flush = () => this.flushAll();
  }

  /** Asks that `flushable` be flushed at the end of this turn. */
  add(flushable: Flushable): void {
    if (this.waiting.push(flushable) === 1) this.endOfTurn(this.flush);
  }

  /** An output buffer of at least `bytes`. */
  take(bytes: number): Buffer {
    if (bytes > outputBufferBytes) return Buffer.allocUnsafeSlow(bytes);
    return this.pool.pop() ?? Buffer.allocUnsafeSlow(outputBufferBytes);
  }

  /** Gives a buffer back, once nothing refers to its bytes. */
  give(buffer: Buffer): void {
    if (buffer.length === outputBufferBytes && this.pool.length < maxPooledBuffers) {
      this.pool.push(buffer);
    }
  }

  private flushAll(): void {
    const flushing = this.waiting;
    this.waiting = this.spare;
    for (let i = 0; i < flushing.length; i++) flushing[i]!.flush();
    flushing.length = 0;
    this.spare = flushing;
  }
}
