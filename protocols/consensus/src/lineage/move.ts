/**
 * What a seal says that ends one engine's part of a log and names the next.
 * Any other seal ends the log for good.
 */

import { bytes, decode, encode, MalformedInput, struct, text, uint } from "@quorate/kernel";

/** A move to another engine. */
export interface Move {
  /** The number of the generation that it ends: a move asked for twice is made once. */
  readonly from: number;
  /** The name of the engine that goes on. */
  readonly to: string;
}

/** No seal of anybody else's begins so: a length of 12 and these bytes. */
const MARK = "quorate:move";

const moveCodec = struct<{ readonly mark: Uint8Array } & Move>({
  mark: bytes,
  from: uint,
  to: text,
});

/** The data of a seal that moves the log. */
export function writeMove({ from, to }: Move): Uint8Array {
  const mark = Uint8Array.from(MARK, (character) => character.charCodeAt(0));
  return encode(moveCodec, { mark, from, to });
}

/** Reads the data of a seal; `undefined` if it is no move. */
export function readMove(data: Uint8Array): Move | undefined {
  try {
    const { mark, from, to } = decode(moveCodec, data);
    return String.fromCharCode(...mark) === MARK ? { from, to } : undefined;
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}
