/** The models that `quorate check` knows, by protocol. The numbers are chosen to be seen through in seconds. */

import type {
  MultiPaxos,
  MultiPaxosConfig,
  Raft,
  RaftConfig,
  Zab,
  ZabConfig,
  ZabWords,
} from "@quorate/consensus";
import { check } from "@quorate/lab/checker";

import type { CheckableModel, Settings } from "./checkable.ts";
import { EXCHANGING, GROWING, type LogRow, logRows, REPLACING } from "./log-rows.ts";
import { paxosModel } from "./paxos.ts";
import { raftModel } from "./raft.ts";
import { synodModel } from "./synod.ts";
import { twoPhaseModel } from "./two-phase.ts";
import { electedRival, establishedLeader, zabModel } from "./zab.ts";

const raft = logRows("raft", raftModel);
const paxos = logRows("paxos", paxosModel);

/** What the logs of all engines are checked for; each says it of its own class. */
export const RAFT_MODELS: readonly LogRow<Raft, RaftConfig>[] = [
  raft("elections", "nobody but one leads a term, while nodes crash and disks take their time", {
    crashes: 1,
    slowDisk: 1,
    electionsOnly: 1,
    led: 0,
  }),
  raft("replication", "what a leader committed stays when another is elected", {
    proposals: 1,
    inFlight: 4,
  }),
  raft("restarts", "what is committed has outlived a crash before anybody is told", {
    elections: 0,
    proposals: 2,
    crashes: 1,
    slowDisk: 1,
  }),
  raft("growing", GROWING.summary, GROWING.settings),
  raft("replacing", REPLACING.summary, {
    ...REPLACING.settings,
    proposals: 0,
    terms: 3,
    inFlight: 0,
  }),
  raft("exchanging", EXCHANGING.summary, EXCHANGING.settings),
];

export const PAXOS_MODELS: readonly LogRow<MultiPaxos, MultiPaxosConfig>[] = [
  paxos("rivals", "what is decided for a slot stays when another leads", {
    candidates: 2,
    proposals: 1,
    inFlight: 4,
  }),
  paxos("beginnings", "two nodes outbid each other and crash, and agree all the same", {
    led: 0,
    nodes: 2,
    proposals: 1,
    crashes: 1,
    slowDisk: 1,
    terms: 3,
    inFlight: 4,
  }),
  paxos("restarts", "what is decided has outlived a crash before anybody is told", {
    elections: 0,
    proposals: 2,
    crashes: 1,
    duplicates: 1,
    slowDisk: 1,
    inFlight: 3,
  }),
  paxos("growing", GROWING.summary, GROWING.settings),
  paxos("replacing", REPLACING.summary, REPLACING.settings),
  paxos("exchanging", EXCHANGING.summary, {
    ...EXCHANGING.settings,
    elections: 1,
    proposals: 1,
  }),
  paxos("joining", "new voters' promises bind the leader that they did not elect", {
    voters: 1,
    joins: 2,
    askers: 1,
    proposals: 2,
    elections: 1,
    crashes: 1,
    slowNodes: 1,
    inFlight: 2,
  }),
];

export const ZAB_MODELS: readonly LogRow<Zab, ZabConfig>[] = [
  zab("elections", "nobody but one leads an epoch, whoever looks for a leader", {
    heartbeats: 1,
    finalize: 2,
    slowDisk: 1,
    electionsOnly: 1,
  }),
  zab("beginnings", "two nodes come to a leader from the very beginning, while one crashes", {
    led: 0,
    nodes: 2,
    elections: 1,
    finalize: 2,
    crashes: 1,
    terms: 3,
    slowDisk: 1,
    electionsOnly: 1,
  }),
  zab("takeover", "what a leader to be inherits is committed when a quorum has made it its own", {
    led: 2,
    elections: 1,
    proposals: 1,
    slowDisk: 1,
  }),
  zab("replication", "what a leader committed stays when another is elected", { proposals: 1 }),
  zab("restarts", "what is committed has outlived a crash before anybody is told", {
    elections: 0,
    proposals: 2,
    crashes: 1,
    slowDisk: 1,
    inFlight: 2,
  }),
  // A single voter that has crashed leads without an election.
  zab("growing", GROWING.summary, { ...GROWING.settings, elections: 0, finalize: 0 }),
  zab("replacing", REPLACING.summary, { ...REPLACING.settings, elections: 0, terms: 3 }),
  zab("exchanging", EXCHANGING.summary, {
    ...EXCHANGING.settings,
    candidates: 1,
    elections: 0,
    finalize: 0,
    slowNodes: 1,
    inFlight: 3,
  }),
];

/** Rows of Zab, whose elections have timers of their own. */
function zab(model: string, summary: string, own: Settings): LogRow<Zab, ZabConfig> {
  const row = logRows<ZabWords, Zab, ZabConfig>("zab", zabModel, [establishedLeader, electedRival]);
  return row(model, summary, { finalize: 1, stand: 0, transfer: 0, ...own });
}

export const MODELS: readonly CheckableModel[] = [
  ...RAFT_MODELS,
  ...PAXOS_MODELS,
  ...ZAB_MODELS,
  {
    protocol: "two-phase",
    model: "crash",
    summary: "all sites commit or none does, while one crashes and disks take their time",
    settings: { participants: 2, transactions: 1, crashes: 1 },
    run: ({ participants = 2, transactions = 1, crashes = 1 }, options) =>
      check(twoPhaseModel({ participants, transactions, crashes }), { ...options }),
  },
  synod("rivals", "one value is chosen, whoever else proposes", { inFlight: 0 }),
  synod("crash", "the same while an acceptor crashes and disks take their time", {
    proposers: 1,
    attempts: 1,
    crashes: 1,
    slowDisk: 1,
  }),
];

function synod(model: string, summary: string, own: Settings): CheckableModel {
  const usual = { acceptors: 3, proposers: 2, attempts: 0, crashes: 0, inFlight: 4, slowDisk: 0 };
  return {
    protocol: "synod",
    model,
    summary,
    settings: { ...usual, ...own },
    run(settings, options) {
      const values = { ...usual, ...settings };
      return check(synodModel({ ...values, slowDisk: values.slowDisk !== 0 }), options);
    },
  };
}
