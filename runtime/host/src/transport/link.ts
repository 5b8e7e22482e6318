/**
 * The way to one peer: a connection this node dials and only sends on. Frames
 * gather during a turn and leave in one write. While there is no connection,
 * or the peer reads too slowly, messages are dropped: every protocol expects
 * loss, and an unbounded queue would only hide it.
 */

import { type Codec, decode, encode, type NodeId, uint, Writer } from "@quorate/kernel";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { HUNG_UP, tlsFault } from "../tls/faults.ts";
import type { Turn } from "../turn.ts";
import { beginFrame, endFrame, FrameReader } from "./frames.ts";
import {
  type Answer,
  answerCodec,
  checkDirectory,
  helloCodec,
  type Identity,
  type KnownDirectories,
  MAGIC,
  NEWEST_VERSION,
  OLDEST_VERSION,
} from "./handshake.ts";

export interface LinkOptions {
  readonly peer: NodeId;
  readonly own: Identity;
  readonly known: KnownDirectories;
  readonly turn: Turn;
  /** Opens a connection; `connected` when bytes can be sent. */
  readonly dial: (connected: () => void) => Socket;
  readonly onUp: () => void;
  /** The connection is gone, or could not be made. `refused`: nobody listens there. */
  readonly onDown: (refused: boolean) => void;
  readonly onRefused: (answer: Extract<Answer, { type: "refused" }>) => void;
  /** Somebody listens there, and no connection comes about; why, as far as this end can tell. */
  readonly onFault: (fault: string) => void;
}

/** Kept for a peer that is being dialled; more is dropped. */
const WAITING_BYTES = 256 << 10;
/** Unsent bytes beyond which a slow peer loses messages. */
const UNSENT_BYTES = 64 << 20;
const FIRST_RETRY_MS = 10;
const LAST_RETRY_MS = 1000;
const HANDSHAKE_BYTES = 4096;
const HANDSHAKE_MS = 5000;
/** A node that stops hangs up as well: only so many in a row mean something. */
const HANG_UPS = 4;

export class Link {
  /** Counted for metrics. */
  sentMessages = 0;
  sentBytes = 0;
  droppedMessages = 0;

  private readonly options: LinkOptions;
  private readonly out = new Writer();
  private socket: Socket | undefined;
  private ready = false;
  private closed = false;
  private flushDue = false;
  private retryMs = FIRST_RETRY_MS;
  private retry: NodeJS.Timeout | undefined;
  /** Connections in a row that ended without an answer. */
  private hangUps = 0;
  private readonly flush = (): void => this.onTurnEnd();

  constructor(options: LinkOptions) {
    this.options = options;
  }

  get isUp(): boolean {
    return this.ready;
  }

  send<M>(group: number, codec: Codec<M>, message: M): void {
    const { out } = this;
    const waiting = this.ready ? (this.socket?.writableLength ?? 0) : out.length;
    if (this.closed || waiting > (this.ready ? UNSENT_BYTES : WAITING_BYTES)) {
      this.droppedMessages++;
      return;
    }
    const start = beginFrame(out);
    uint.write(out, group);
    codec.write(out, message);
    endFrame(out, start);
    this.sentMessages++;
    if (this.flushDue || !this.ready) return;
    this.flushDue = true;
    this.options.turn.atEnd(this.flush);
  }

  open(): void {
    if (this.closed || this.socket !== undefined) return;
    this.retry = undefined;
    const reader = new FrameReader(HANDSHAKE_BYTES);
    let refused = false;
    /** Whether the other end was greeted and has said nothing, not even in what it failed of. */
    let owesAnswer = false;
    const socket = this.options.dial(() => {
      owesAnswer = true;
      this.greet(socket);
    });
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(HANDSHAKE_MS, () => {
      owesAnswer = false;
      socket.destroy();
    });
    socket.on("data", (chunk) => {
      try {
        const tooLong = reader.push(chunk, (body) => {
          owesAnswer = false;
          this.onAnswer(socket, decode(answerCodec, body));
        });
        if (tooLong > 0) socket.destroy();
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      refused = error.code === "ECONNREFUSED";
      const fault = tlsFault(error);
      if (fault !== undefined) this.options.onFault(fault);
      owesAnswer &&= fault === undefined;
      socket.destroy();
    });
    socket.on("close", () => {
      this.hangUps = owesAnswer ? this.hangUps + 1 : 0;
      if (this.hangUps >= HANG_UPS) {
        this.options.onFault(socket instanceof TLSSocket ? HUNG_UP.tls : HUNG_UP.plain);
      }
      this.onClose(socket, refused);
    });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    if (this.ready) this.onTurnEnd();
    this.socket?.end();
    this.socket?.destroySoon();
  }

  private greet(socket: Socket): void {
    const { own, peer } = this.options;
    const writer = new Writer();
    const start = beginFrame(writer);
    const hello = encode(helloCodec, {
      magic: MAGIC,
      oldest: OLDEST_VERSION,
      newest: NEWEST_VERSION,
      identity: own,
      to: peer,
    });
    writer.raw(hello);
    endFrame(writer, start);
    socket.write(writer.finish());
  }

  private onAnswer(socket: Socket, answer: Answer): void {
    if (answer.type === "refused") {
      this.retryMs = LAST_RETRY_MS;
      this.options.onRefused(answer);
      socket.destroy();
      return;
    }
    const replaced = checkDirectory(answer.identity, this.options.known);
    if (replaced !== undefined) {
      this.retryMs = LAST_RETRY_MS;
      this.options.onRefused(replaced);
      socket.destroy();
      return;
    }
    socket.setTimeout(0);
    this.retryMs = FIRST_RETRY_MS;
    this.ready = true;
    this.options.onUp();
    this.onTurnEnd();
  }

  private onTurnEnd(): void {
    this.flushDue = false;
    if (!this.ready || this.out.length === 0) return;
    this.sentBytes += this.out.length;
    this.socket?.write(this.out.detach());
  }

  private onClose(socket: Socket, refused: boolean): void {
    if (this.socket !== socket) return;
    const wasUp = this.ready;
    this.socket = undefined;
    this.ready = false;
    this.out.length = 0;
    if (this.closed) return;
    // At once after a loss: whether anyone still listens there is worth knowing soon.
    const delay = wasUp ? 0 : this.retryMs;
    if (!wasUp) this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
    this.retry = setTimeout(() => this.open(), delay);
    this.options.onDown(refused);
  }
}
