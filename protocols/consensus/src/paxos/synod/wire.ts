/** Encodings of the synod's messages and records. Tags are for ever: append, never renumber. */

import { bytes, type Codec, option, struct, text, uint, union } from "@quorate/kernel";

import type { Ballot, Message, Proposal, Record } from "./messages.ts";

const ballotCodec: Codec<Ballot> = struct<Ballot>({ round: uint, node: text });

const proposalCodec: Codec<Proposal> = struct<Proposal>({ ballot: ballotCodec, value: bytes });

export const messageCodec: Codec<Message> = union<Message>({
  prepare: [1, { ballot: ballotCodec }],
  promise: [2, { ballot: ballotCodec, accepted: option(proposalCodec) }],
  accept: [3, { proposal: proposalCodec }],
  accepted: [4, { ballot: ballotCodec }],
  refused: [5, { ballot: ballotCodec, promised: ballotCodec }],
  chosen: [6, { value: bytes }],
});

export const recordCodec: Codec<Record> = union<Record>({
  promised: [1, { ballot: ballotCodec }],
  accepted: [2, { proposal: proposalCodec }],
});
