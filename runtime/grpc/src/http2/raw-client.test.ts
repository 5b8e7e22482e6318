/** A client for the tests that says exactly the frames it is told to. It has no tests of its own. */

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { encodeHeaders, type HeaderPair } from "./hpack-encoder.ts";
import { flag, frameType, preface } from "./protocol.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export const grpcHeaders: readonly HeaderPair[] = [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/x.Y/Echo"],
  [":authority", "localhost"],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
];

/** The bytes of a frame. */
export function frameBytes(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, payload]);
}

/** A gRPC message with its prefix. */
export function prefixed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** SETTINGS as pairs of identifier and value. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frameBytes(frameType.settings, 0, 0, payload);
}

export class RawClient {
  /** Frames received and not yet asked for. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  isClosed = false;
  readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private wake: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.socket.on("data", (chunk) => this.onChunk(chunk));
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => {
        this.isClosed = true;
        this.wake?.();
        resolve();
      });
    });
  }

  /** Connects and exchanges SETTINGS. */
  static async open(
    port: number,
    ...pairs: readonly (readonly [number, number])[]
  ): Promise<RawClient> {
    const client = new RawClient(port);
    client.send(preface, settings(...pairs));
    await client.expect(frameType.settings);
    client.frame(frameType.settings, flag.ack, 0);
    await client.expect(frameType.settings);
    client.frames.length = 0;
    return client;
  }

  send(...bytes: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  frame(type: number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.send(frameBytes(type, flags, id, payload));
  }

  headers(id: number, flags: number, headers: readonly HeaderPair[] = grpcHeaders): void {
    this.frame(frameType.headers, flags, id, encodeHeaders(headers));
  }

  /** A whole unary request. */
  call(id: number, message: Uint8Array, headers: readonly HeaderPair[] = grpcHeaders): void {
    this.headers(id, flag.endHeaders, headers);
    this.frame(frameType.data, flag.endStream, id, prefixed(message));
  }

  /** The next frame of this type, on this stream if one is given; others in between are dropped. */
  async expect(type: number, id?: number): Promise<Frame> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame === undefined) {
        if (this.isClosed) assert.fail(`closed before a frame of type ${type}`);
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      } else if (frame.type === type && (id === undefined || frame.id === id)) return frame;
    }
  }

  /** Waits for GOAWAY and the end of the connection; returns the error code. */
  async expectGoaway(): Promise<number> {
    const { payload } = await this.expect(frameType.goaway);
    const code = payload.readUInt32BE(4);
    await this.closed;
    return code;
  }

  async expectReset(id: number): Promise<number> {
    return (await this.expect(frameType.rstStream, id)).payload.readUInt32BE();
  }

  /** Waits until the server answers a PING: it has handled everything sent before. */
  async settle(): Promise<void> {
    this.frame(frameType.ping, 0, 0, Buffer.from("settling"));
    await this.expect(frameType.ping);
  }

  /** Reads one whole response; returns its messages and the status. */
  async response(id: number): Promise<{ body: Buffer; status: string; message: string }> {
    const body: Buffer[] = [];
    const headers = new Map<string, string>();
    for (;;) {
      const frame = await this.nextOf(id);
      if (frame.type === frameType.rstStream) assert.fail(`stream ${id} was reset`);
      if (frame.type === frameType.data) body.push(frame.payload);
      if (frame.type === frameType.headers) decodeLiterals(frame.payload, headers);
      if (frame.type <= frameType.headers && (frame.flags & flag.endStream) !== 0) {
        const status = headers.get("grpc-status") ?? "";
        return { body: Buffer.concat(body), status, message: headers.get("grpc-message") ?? "" };
      }
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  private async nextOf(id: number): Promise<Frame> {
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.id === id);
      if (at >= 0) return this.frames.splice(at, 1)[0]!;
      if (this.isClosed) assert.fail(`closed before the response on stream ${id}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private onChunk(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 9) {
      const end = 9 + this.rest.readUIntBE(0, 3);
      if (this.rest.length < end) break;
      this.frames.push({
        type: this.rest[3]!,
        flags: this.rest[4]!,
        id: this.rest.readUInt32BE(5),
        payload: this.rest.subarray(9, end),
      });
      this.rest = this.rest.subarray(end);
    }
    this.wake?.();
  }
}

/** Decodes what our encoder makes: single-byte indexes, and literals with short plain strings. */
function decodeLiterals(block: Buffer, into: Map<string, string>): void {
  let at = block[0] === 0x20 ? 1 : 0;
  const integer = (mask: number): number => {
    let value = block[at++]! & mask;
    if (value === mask) {
      for (let shift = 0; ; shift += 7) {
        const byte = block[at++]!;
        value += (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
    }
    return value;
  };
  const text = (): string => {
    const length = integer(0x7f);
    at += length;
    return block.toString("latin1", at - length, at);
  };
  while (at < block.length) {
    if (block[at]! >= 0x80) {
      at++;
      continue;
    }
    const index = integer(0x0f);
    const name = index === 0 ? text() : `#${index}`;
    into.set(name, text());
  }
}
