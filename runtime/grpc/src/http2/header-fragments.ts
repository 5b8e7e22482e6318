/**
 * A header block that comes in CONTINUATION frames (RFC 9113 §6.10), gathered within limits: a block can neither be
 * larger than the list it stands for may be, nor come in endless small pieces.
 */

import { ConnectionError, Http2Code } from "./protocol.ts";

const maxContinuations = 64;

/** Gathers one block at a time. */
export class HeaderFragments {
  /** The stream whose block is being gathered, or 0. */
  id = 0;
  /** Whether its HEADERS had END_STREAM. */
  ends = false;
  private readonly limit: number;
  private pieces: Buffer[] = [];
  private bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The fragment in HEADERS. */
  begin(id: number, ends: boolean, chunk: Buffer, start: number, end: number): void {
    this.id = id;
    this.ends = ends;
    this.pieces = [];
    this.bytes = 0;
    this.add(chunk, start, end);
  }

  /** The fragment in a CONTINUATION. */
  add(chunk: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (this.bytes > this.limit || this.pieces.length > maxContinuations) {
      throw new ConnectionError(Http2Code.enhanceYourCalm, "a header block is too large");
    }
    this.pieces.push(Buffer.from(chunk.subarray(start, end)));
  }

  /** The whole block. */
  finish(): Buffer {
    const block = Buffer.concat(this.pieces);
    this.id = 0;
    this.pieces = [];
    return block;
  }
}
