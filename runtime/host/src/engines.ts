/**
 * The consensus protocols that can replicate a group, by name: how a log of each
 * is made, and how its messages and records are encoded. One more protocol is
 * one more row.
 */

import {
  type Founding,
  lan,
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
  Zab,
  zabDefaults,
  zabMessageCodec,
  zabRecordCodec,
} from "@quorate/consensus";
import type { Codec } from "@quorate/kernel";

/** Settings that every engine understands; what is left out is as for nodes near each other. */
export type LogSettings = Partial<Omit<LeaderSettings, "initial">>;

export interface Engine {
  create(initial: Founding, settings: LogSettings): OrderedLog<LogWords>;
  readonly messages: Codec<LogWords["Message"]>;
  /** Tags of one engine's records are none of another's: data of the wrong engine is refused. */
  readonly records: Codec<LogWords["Record"]>;
}

const raft: Engine = {
  create: (initial, settings) => new Raft({ ...lan(initial), ...settings }),
  messages: raftMessageCodec,
  records: raftRecordCodec,
};

const paxos: Engine = {
  create: (initial, settings) => new MultiPaxos({ ...multiPaxosDefaults(initial), ...settings }),
  messages: multiPaxosMessageCodec,
  records: multiPaxosRecordCodec,
};

const zab: Engine = {
  create: (initial, settings) => new Zab({ ...zabDefaults(initial), ...settings }),
  messages: zabMessageCodec,
  records: zabRecordCodec,
};

export type EngineName = "raft" | "paxos" | "zab";

export const engines: Readonly<Record<EngineName, Engine>> = { raft, paxos, zab };
