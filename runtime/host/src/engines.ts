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
  type LineageWords,
  type LogWords,
  MultiPaxos,
  multiPaxosDefaults,
  multiPaxosMessageCodec,
  multiPaxosRecordCodec,
  multiPaxosStandIn,
  type OrderedLog,
  Raft,
  raftMessageCodec,
  raftRecordCodec,
  raftStandIn,
  Zab,
  zabDefaults,
  zabMessageCodec,
  zabRecordCodec,
  zabStandIn,
} from "@quorate/consensus";

/** Settings that every engine understands; what is left out is as for nodes near each other. */
export type LogSettings = Partial<Omit<LeaderSettings, "initial">>;

/** Tags of one engine's words are none of another's: they tell who wrote what is on disk. */
export interface Engine extends EngineCodec {
  create(initial: Founding, settings: LogSettings): OrderedLog<LogWords>;
  /**
   * What is recovered in the place of a record whose bytes are damaged: which entries it held, say.
   * Damage to a record for which there is nothing keeps the node out.
   */
  standIn?(record: LogWords["Record"]): LogWords["Record"] | undefined;
}

const raft: Engine = {
  create: (initial, settings) => new Raft({ ...lan(initial), ...settings }),
  messages: raftMessageCodec,
  messageTags: [1, 20],
  records: raftRecordCodec,
  recordTags: [1, 10],
  standIn: raftStandIn,
};

const paxos: Engine = {
  create: (initial, settings) => new MultiPaxos({ ...multiPaxosDefaults(initial), ...settings }),
  messages: multiPaxosMessageCodec,
  messageTags: [21, 40],
  records: multiPaxosRecordCodec,
  recordTags: [11, 20],
  standIn: multiPaxosStandIn,
};

const zab: Engine = {
  create: (initial, settings) => new Zab({ ...zabDefaults(initial), ...settings }),
  messages: zabMessageCodec,
  messageTags: [41, 60],
  records: zabRecordCodec,
  recordTags: [21, 30],
  standIn: zabStandIn,
};

export type EngineName = "raft" | "paxos" | "zab";

export const engines: Readonly<Record<EngineName, Engine>> = { raft, paxos, zab };

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

/** What stands in for a record of a lineage, by what does for one of the engine that wrote it. */
export function lineageStandIn(record: LineageWords["Record"]): LineageWords["Record"] | undefined {
  if (record.type !== "inner" || !isEngineName(record.generation.engine)) return undefined;
  const instead = engines[record.generation.engine].standIn?.(record.record);
  return instead === undefined ? undefined : { ...record, record: instead };
}
