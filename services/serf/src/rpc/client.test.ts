/** A client of the RPC protocol for the tests of this folder: what `serf` says, said by hand. */

import net from "node:net";

import { Reader, Writer } from "@quorate/kernel";

import { decodeAny, encodeAny } from "./any.test.ts";
import { ValueScanner } from "../msgpack/index.ts";

export class RpcClient {
  private readonly socket: net.Socket;
  private readonly received = new Writer();
  private readonly values: unknown[] = [];
  private waiting: (() => void) | undefined;
  private scanner = new ValueScanner(0);
  ended = false;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on("data", (piece) => this.onData(piece));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
      this.waiting?.();
    });
  }

  static async connect(port: number): Promise<RpcClient> {
    const socket = net.connect({ host: "127.0.0.1", port });
    await new Promise((resolve) => socket.once("connect", resolve));
    return new RpcClient(socket);
  }

  /** Connected and through the handshake. */
  static async greeted(port: number): Promise<RpcClient> {
    const client = await RpcClient.connect(port);
    await client.ask("handshake", { Version: 1 });
    return client;
  }

  private onData(piece: Uint8Array): void {
    this.received.raw(piece);
    while (this.scanner.scan(this.received.bytes, this.received.length)) {
      const { offset } = this.scanner;
      this.values.push(decodeAny(new Reader(this.received.bytes.slice(0, offset))));
      this.received.bytes.copyWithin(0, offset, this.received.length);
      this.received.length -= offset;
      this.scanner = new ValueScanner(0);
    }
    this.waiting?.();
  }

  say(...values: readonly unknown[]): void {
    for (const value of values) this.socket.write(encodeAny(value));
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Says a request and hears its reply's header. */
  async ask(command: string, body?: unknown, seq = 1): Promise<unknown> {
    this.say({ Command: command, Seq: seq }, ...(body === undefined ? [] : [body]));
    return this.hear();
  }

  /** The next value; undefined once the agent has hung up. */
  async hear(): Promise<unknown> {
    while (this.values.length === 0 && !this.ended) {
      await new Promise<void>((resolve) => (this.waiting = resolve));
    }
    return this.values.shift();
  }

  /** Reads nothing from now on. */
  deaf(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.destroy();
  }
}
