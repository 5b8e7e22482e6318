/**
 * The language of the conformance suite: small programs of effects, given to a
 * {@link Scripted} process as requests, and what it reports of what it sees.
 *
 * A program is data, so it travels in messages and waits in timers. Whatever a
 * driver needs to carry these words (codecs of messages and records) is here.
 */

import { bool, bytes, type Codec, list, struct, text, uint, union } from "../codec.ts";
import type { NodeId, Position, RequestId } from "../process.ts";

/** Effects to perform, in order, in one step. */
export type Program = readonly Act[];

export type Act =
  | { readonly type: "persist"; readonly text: string }
  /** Sends `text` and `size` bytes made of it; the receiver runs `next`. */
  | {
      readonly type: "send";
      readonly to: NodeId;
      readonly text: string;
      readonly size: number;
      readonly eager: boolean;
      readonly next: Program;
    }
  | { readonly type: "output"; readonly text: string; readonly eager: boolean }
  /** Answers the request that this program came with. */
  | { readonly type: "reply"; readonly text: string; readonly eager: boolean }
  /** Runs `next` when the timer fires, and re-arms it from its handler until it has fired `times` times. */
  | {
      readonly type: "setTimer";
      readonly name: string;
      readonly delayMs: number;
      readonly jitterMs: number;
      readonly times: number;
      readonly next: Program;
    }
  | { readonly type: "cancelTimer"; readonly name: string }
  /** Offers the present texts in place of the log, one lazily produced record for each. */
  | { readonly type: "checkpoint" }
  | { readonly type: "choose"; readonly count: number }
  | { readonly type: "note"; readonly text: string }
  /** Looks again at every letter received so far. */
  | { readonly type: "inspect" }
  /** Runs `next` from `onDurable`, once everything persisted so far is durable. */
  | { readonly type: "whenDurable"; readonly next: Program }
  /** Runs `next` at the next `onIdle`. */
  | { readonly type: "whenIdle"; readonly next: Program };

export type Letter =
  | {
      readonly type: "letter";
      readonly text: string;
      readonly body: Uint8Array;
      readonly next: Program;
    }
  /** A part's letter, inside the whole's. */
  | { readonly type: "part"; readonly letter: Letter };

export type Line =
  | { readonly type: "line"; readonly text: string; readonly body: Uint8Array }
  /** One text of a checkpoint. An image of nothing has one record without a text. */
  | { readonly type: "image"; readonly first: boolean; readonly texts: readonly string[] }
  | { readonly type: "part"; readonly line: Line };

/** An answer or an output. It says how it was meant, so that a whole can pass it on so. */
export interface Utterance {
  readonly text: string;
  readonly eager: boolean;
}

export type Sight =
  /** With every record recovered before, as it came. */
  | { readonly type: "started"; readonly lines: readonly Line[] }
  | { readonly type: "request"; readonly id: RequestId }
  | { readonly type: "message"; readonly from: NodeId; readonly text: string }
  | { readonly type: "timer"; readonly name: string }
  | { readonly type: "durable"; readonly position: Position }
  | { readonly type: "idle" }
  | { readonly type: "unreachable"; readonly peer: NodeId }
  | { readonly type: "persisted"; readonly text: string; readonly position: Position }
  | { readonly type: "armed"; readonly name: string; readonly delayMs: number }
  | { readonly type: "chose"; readonly count: number; readonly value: number }
  | { readonly type: "said"; readonly text: string }
  /** Letters and lines whose bytes are not what was sent or persisted. */
  | { readonly type: "inspected"; readonly count: number; readonly spoilt: readonly string[] }
  /** A handler was called while another was running. */
  | { readonly type: "overlapped" }
  /** The whole heard an output of its part. */
  | { readonly type: "heard"; readonly text: string }
  /** The whole's own texts, at its start. */
  | { readonly type: "whole"; readonly texts: readonly string[] };

/** What a process saw, in which of its steps, and when by its own clock. */
export type Sighting = Sight & { readonly step: number; readonly now: number };

export interface ScriptWords {
  Message: Letter;
  Timer: string;
  Record: Line;
  Request: Program;
  Response: Utterance;
  Output: Utterance;
  Note: Sighting;
}

/** `size` bytes that depend on `text`, so that damage shows. */
export function bodyOf(text: string, size: number): Uint8Array {
  const body = new Uint8Array(size);
  let state = 1 + size;
  for (let i = 0; i < text.length; i++) state = Math.imul(state, 31) + text.charCodeAt(i);
  for (let i = 0; i < size; i++) {
    state = Math.imul(state ^ i, 0x01000193);
    body[i] = state >>> 13;
  }
  return body;
}

/** Whether `body` is still what {@link bodyOf} made of `text`. */
export function isBodyOf(text: string, body: Uint8Array): boolean {
  const expected = bodyOf(text, body.length);
  return body.every((byte, i) => byte === expected[i]);
}

function recursive<T>(codec: () => Codec<T>): Codec<T> {
  return {
    write: (writer, value) => codec().write(writer, value),
    read: (reader) => codec().read(reader),
  };
}

const program: Codec<Program> = recursive(() => list(act));

const act: Codec<Act> = union<Act>({
  persist: [1, { text }],
  send: [2, { to: text, text, size: uint, eager: bool, next: program }],
  output: [3, { text, eager: bool }],
  reply: [4, { text, eager: bool }],
  setTimer: [5, { name: text, delayMs: uint, jitterMs: uint, times: uint, next: program }],
  cancelTimer: [6, { name: text }],
  checkpoint: [7, {}],
  choose: [8, { count: uint }],
  note: [9, { text }],
  inspect: [10, {}],
  whenDurable: [11, { next: program }],
  whenIdle: [12, { next: program }],
});

/** Letters on the wire. */
export const letterCodec: Codec<Letter> = union<Letter>({
  letter: [1, { text, body: bytes, next: program }],
  part: [2, { letter: recursive(() => letterCodec) }],
});

/** Lines on disk. */
export const lineCodec: Codec<Line> = union<Line>({
  line: [1, { text, body: bytes }],
  image: [2, { first: bool, texts: list(text) }],
  part: [3, { line: recursive(() => lineCodec) }],
});

/** For drivers that carry requests, answers or outputs over a wire. */
export const programCodec: Codec<Program> = program;
export const utteranceCodec: Codec<Utterance> = struct<Utterance>({ text, eager: bool });

// Programs, written short.

export const persist = (text: string): Act => ({ type: "persist", text });
export const output = (text: string): Act => ({ type: "output", text, eager: false });
export const outputEagerly = (text: string): Act => ({ type: "output", text, eager: true });
export const reply = (text: string): Act => ({ type: "reply", text, eager: false });
export const replyEagerly = (text: string): Act => ({ type: "reply", text, eager: true });
export const note = (text: string): Act => ({ type: "note", text });
export const choose = (count: number): Act => ({ type: "choose", count });
export const cancelTimer = (name: string): Act => ({ type: "cancelTimer", name });
export const whenDurable = (...next: Program): Act => ({ type: "whenDurable", next });
export const whenIdle = (...next: Program): Act => ({ type: "whenIdle", next });
export const checkpoint: Act = { type: "checkpoint" };
export const inspect: Act = { type: "inspect" };

export function send(to: NodeId, text: string, next: Program = [], size: number = 8): Act {
  return { type: "send", to, text, size, eager: false, next };
}

export function sendEagerly(to: NodeId, text: string, next: Program = [], size: number = 8): Act {
  return { type: "send", to, text, size, eager: true, next };
}

export function setTimer(
  name: string,
  delayMs: number,
  next: Program = [],
  times: number = 1,
  jitterMs: number = 0,
): Act {
  return { type: "setTimer", name, delayMs, jitterMs, times, next };
}
