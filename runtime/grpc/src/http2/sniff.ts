/**
 * Tells HTTP/2 from anything else on a new connection, by its first bytes (RFC 9113 §3.3, prior knowledge).
 *
 * A connection that begins with the preface is HTTP/2; at the first byte that differs it is taken for HTTP/1.1. With
 * TLS, ALPN has mostly decided already, and then only the preface is checked.
 */

import type { Socket } from "node:net";
import { preface } from "./protocol.ts";

/** What the connection turned out to be. */
export interface Sniffed {
  /** The preface has been read; `chunk` goes on at `offset`. */
  onHttp2(socket: Socket, chunk: Buffer, offset: number): void;
  /** It is not HTTP/2; `first` is all that was read, and the socket is paused. */
  onOther(socket: Socket, first: Buffer): void;
}

/** Reads the first bytes of `socket`; after `timeoutMs` of silence it is destroyed. */
export function sniff(socket: Socket, timeoutMs: number, sniffed: Sniffed): void {
  let seen: Buffer | undefined;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  timer.unref();
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("close", stop);
  };
  const onData = (chunk: Buffer): void => {
    const bytes = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(bytes.length, preface.length);
    if (bytes.compare(preface, 0, length, 0, length) !== 0) {
      stop();
      socket.pause();
      sniffed.onOther(socket, bytes);
    } else if (length === preface.length) {
      stop();
      sniffed.onHttp2(socket, bytes, length);
    } else {
      seen = bytes;
    }
  };
  socket.on("data", onData);
  socket.on("close", stop);
}
