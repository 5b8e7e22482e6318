/** The models that `quorate check` knows, by protocol. The numbers are chosen to be seen through in seconds. */

import { check, type CheckOptions, type Verdict } from "@quorate/lab/checker";
import type { Vocabulary } from "@quorate/kernel";

import { firstLeader, raftModel, type RaftParameters } from "./raft.ts";
import { twoPhaseModel } from "./two-phase.ts";

/** Whole numbers; 0 and 1 stand for no and yes. */
export type Settings = Readonly<Record<string, number>>;

export interface CheckableModel {
  readonly protocol: string;
  readonly model: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly settings: Settings;
  /** @param settings - Every one of {@link settings}, with other values perhaps. */
  run(settings: Settings, options: RunOptions): Verdict<Vocabulary>;
}

export type RunOptions = Pick<CheckOptions<Vocabulary>, "maxStates" | "onProgress" | "reduce">;

const RAFT: Settings = {
  nodes: 3,
  elections: 2,
  heartbeats: 0,
  quorumChecks: 0,
  proposals: 0,
  crashes: 0,
  terms: 2,
  inFlight: 0,
  slowDisk: 0,
};

export const MODELS: readonly CheckableModel[] = [
  raft("elections", "nobody but one leads a term, while nodes crash and disks take their time", {
    crashes: 1,
    slowDisk: 1,
    electionsOnly: 1,
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
  {
    protocol: "two-phase",
    model: "crash",
    summary: "all sites commit or none does, while one crashes and disks take their time",
    settings: { participants: 2, transactions: 1, crashes: 1 },
    run: ({ participants = 2, transactions = 1, crashes = 1 }, options) =>
      check(twoPhaseModel({ participants, transactions, crashes }), { ...options }),
  },
];

function raft(model: string, summary: string, own: Settings): CheckableModel {
  const settings = { electionsOnly: 0, ...RAFT, ...own };
  return {
    protocol: "raft",
    model,
    summary,
    settings,
    run(values, options) {
      const parameters = raftParameters(values);
      const made = raftModel(parameters);
      // Elections are seen from the very beginning, all else from where there is a leader.
      if (parameters.electionsOnly) return check(made, options);
      return check(made, { ...options, from: firstLeader(made) });
    },
  };
}

function raftParameters(values: Settings): RaftParameters {
  const value = (name: string): number => values[name] ?? RAFT[name] ?? 0;
  return {
    nodes: value("nodes"),
    elections: value("elections"),
    heartbeats: value("heartbeats"),
    quorumChecks: value("quorumChecks"),
    proposals: value("proposals"),
    crashes: value("crashes"),
    terms: value("terms"),
    inFlight: value("inFlight"),
    slowDisk: value("slowDisk") !== 0,
    electionsOnly: value("electionsOnly") !== 0,
  };
}
