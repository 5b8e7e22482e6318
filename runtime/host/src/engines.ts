/**
 * The consensus protocols that can replicate a group, by name: how a log of each
 * is made, and how its messages and records are encoded. One more protocol is
 * one more row.
 */

import {
  type EngineCodec,
  type Founding,
  lan,
  Lineage,
  type LeaderSettings,
  type LogWords,
  MultiPaxos,
  multiPaxosDefaults,
  multiPaxosMessageCodec,
  multiPaxosRecordCodec,
  type OrderedLog,
  Raft,
  raftMessageCodec,
  raftRecordCodec,
} from "@quorate/consensus";

/** Settings that every engine understands; what is left out is as for nodes near each other. */
export type LogSettings = Partial<Omit<LeaderSettings, "initial">>;

/** Tags of one engine's words are none of another's: they tell who wrote what is on disk. */
export interface Engine extends EngineCodec {
  create(initial: Founding, settings: LogSettings): OrderedLog<LogWords>;
}

const raft: Engine = {
  create: (initial, settings) => new Raft({ ...lan(initial), ...settings }),
  messages: raftMessageCodec,
  messageTags: [1, 20],
  records: raftRecordCodec,
  recordTags: [1, 10],
};

const paxos: Engine = {
  create: (initial, settings) => new MultiPaxos({ ...multiPaxosDefaults(initial), ...settings }),
  messages: multiPaxosMessageCodec,
  messageTags: [21, 40],
  records: multiPaxosRecordCodec,
  recordTags: [11, 20],
};

export type EngineName = "raft" | "paxos";

export const engines: Readonly<Record<EngineName, Engine>> = { raft, paxos };

/** Whether there is an engine of that name. */
export function isEngineName(name: string): name is EngineName {
  return Object.hasOwn(engines, name);
}

/** A log that begins on `engine`, unless the disk says otherwise, and may move to any other. */
export function lineage(engine: EngineName, initial: Founding, settings: LogSettings): Lineage {
  const made = Object.entries(engines).map(([name, row]) => {
    return [name, { create: (given: Founding) => row.create(given, settings) }] as const;
  });
  return new Lineage({ makers: Object.fromEntries(made), engine, initial });
}
