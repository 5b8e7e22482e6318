/** Encodings of two-phase commit's messages and records. Tags are for ever: append, never renumber. */

import { bool, type Codec, list, text, uint, union } from "@quorate/kernel";

import type { Message, Record } from "./messages.ts";

export const messageCodec: Codec<Message> = union<Message>({
  prepare: [1, { tx: text, floor: uint }],
  vote: [2, { tx: text, yes: bool }],
  decide: [3, { tx: text, commit: bool }],
  ack: [4, { tx: text }],
  inquire: [5, { tx: text }],
});

export const recordCodec: Codec<Record> = union<Record>({
  epoch: [1, { epoch: uint }],
  prepared: [2, { tx: text }],
  committed: [3, { tx: text, participants: list(text) }],
  applied: [4, { tx: text }],
  ended: [5, { tx: text }],
  memory: [6, { coordinator: text, epoch: uint, floor: uint }],
});
