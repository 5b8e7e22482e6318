/**
 * What agreeing on a batch must cost in a log with a steady leader, and no more:
 * a follower is sent the batch and says that it is on its disk, and the leader's
 * own disk works meanwhile (Raft thesis §10.2.1; Lamport 2001, §3; Junqueira,
 * Reed & Serafini 2011, §4.3). How far is committed is news to followers: it
 * rides on the next batch, or goes alone if there is none.
 */

import type { EngineName } from "@quorate/host";

import { COMMAND_BYTES, type Cost, type Load, type Pace } from "./engine-costs.ts";

/** Messages between the leader and one follower for a batch, both ways. */
const MESSAGES: Readonly<Record<EngineName, Readonly<Record<Pace, number>>>> = {
  // The news goes in an append without entries, and each append is answered.
  raft: { "at rest": 4, pipelined: 2 },
  // `decide`, not answered.
  paxos: { "at rest": 3, pipelined: 2 },
  // COMMIT, not answered. The paper sends it for every proposal: three, always.
  zab: { "at rest": 3, pipelined: 2 },
};

/** What an encoding may add to a command, and what a message may be besides commands. */
const ENTRY_BYTES = 4;
const MESSAGE_BYTES = 16;

/** The most that a load may cost; `bytes` with room for the encoding. */
export function theoryOf({ engine, nodes, outstanding, pace }: Load): Cost {
  const messages = MESSAGES[engine][pace] * (nodes - 1);
  const commands = outstanding * (COMMAND_BYTES + ENTRY_BYTES) * (nodes - 1);
  return {
    messages,
    bytes: commands + messages * MESSAGE_BYTES,
    syncs: nodes,
    roundTrips: 1,
    syncsInLine: 1,
  };
}
