/**
 * Models aimed at mistakes in Raft that random runs miss, because three rare
 * things must happen in a row. Each begins where the first of them has happened
 * already and looks at everything that may follow within a small budget.
 */

import type { Raft, RaftWords } from "@quorate/consensus";
import { type Action, check, Path, type Verdict } from "@quorate/lab/checker";

import { firstLeader, type LogModel, type LogParameters } from "./log.ts";
import type { RunOptions } from "./checkable.ts";
import { type CreateRaft, raftModel } from "./raft.ts";
import { forget, isBetween, type LogRun, propose } from "./steering.ts";

type RaftModel = LogModel<RaftWords, Raft>;

/** Where to look, and for what. */
export interface Hunt {
  readonly name: string;
  /** The bug of the exam that it is aimed at. */
  readonly bug: string;
  /** What has happened before the search begins. */
  readonly begins: string;
  readonly model: (create: CreateRaft | undefined) => RaftModel;
  readonly from: (model: RaftModel) => readonly Action<RaftWords>[];
}

const NARROW: LogParameters = {
  nodes: 3,
  elections: 2,
  heartbeats: 0,
  quorumChecks: 0,
  proposals: 1,
  proposers: ["n1"],
  crashes: 1,
  terms: 2,
  inFlight: 4,
  electionsOnly: false,
  slowDisk: true,
};

const [A, B, C] = ["n1", "n2", "n3"] as const;

export const RAFT_HUNTS: readonly Hunt[] = [
  {
    name: "L6-leader-counts-itself",
    bug: "L6-leader-counts-itself-first",
    begins: "a leader of term 1",
    model: (create) => raftModel({ ...NARROW, elections: 1 }, create),
    from: firstLeader,
  },
  {
    name: "L1-figure-8",
    bug: "commits-earlier-terms",
    begins:
      "a leader of term 3 that holds an entry of term 1, where another server has one of term 2",
    model: (create) =>
      oneEntryAtATime({ ...NARROW, elections: 1, terms: 4, slowDisk: false }, create),
    from: figure8,
  },
  {
    name: "E14-unsynced-tail",
    bug: "E14-unsynced-tail",
    begins: "an entry that a quorum committed, and a follower whose disk does not have it yet",
    model: (create) => raftModel({ ...NARROW, slowDisk: ["n2"] }, create),
    from: unsyncedTail,
  },
];

/**
 * Looks for a broken promise.
 *
 * @param create - The variant to be examined; the shipped class by default.
 */
export function searchHunt(
  { model, from }: Hunt,
  options: RunOptions,
  create?: CreateRaft,
): Verdict<RaftWords> {
  const made = model(create);
  return check(made, { ...options, from: from(made) });
}

/** A message carries one entry, so that a server may have half of what its leader sends. */
function oneEntryAtATime(parameters: LogParameters, create: CreateRaft | undefined): RaftModel {
  return raftModel({ ...parameters, appendBytes: 1 }, create);
}

/** Ongaro & Ousterhout 2014, figure 8, (a) to (c), with three servers. */
function figure8(model: RaftModel): readonly Action<RaftWords>[] {
  const path = Path.along(model, firstLeader(model));
  // (a) The first leader appends an entry that nobody else receives.
  propose(path, A);
  // (b) The second server leads term 2 by the vote of the third, and appends an entry of its own.
  crash(path, B);
  crash(path, C);
  forget(path);
  lead(path, B, C);
  forget(path);
  // (c) The first server is back. It learns of term 2, and leads term 3.
  crash(path, A);
  path.timeout(A, "election");
  path.settle((envelope) => isBetween(envelope, A, C));
  forget(path);
  lead(path, A, C);
  forget(path, ({ to }) => to === B);
  // (d) is what to look for: the second server, which has heard of term 3, leads term 4.
  crash(path, B);
  path.timeout(B, "election");
  path.settle((envelope) => isBetween(envelope, B, C));
  forget(path, ({ from }) => from === B);
  return path.actions;
}

/** A quorum has committed an entry; the second server has received it, and its disk has not. */
function unsyncedTail(model: RaftModel): readonly Action<RaftWords>[] {
  const path = Path.along(model, firstLeader(model));
  propose(path, A);
  path.sync(A);
  path.settle((envelope) => isBetween(envelope, A, C));
  path.deliver(({ to, message }) => to === B && message.type === "append");
  forget(path);
  // The others have been away, so that they do not stand by the leader any more.
  crash(path, A);
  crash(path, C);
  return path.actions;
}

type Run = LogRun<RaftWords, Raft>;

function crash(path: Run, node: string): void {
  path.perform({ type: "crash", node, kept: 0 });
}

/** A server stands for election and is elected by one other. */
function lead(path: Run, candidate: string, voter: string): void {
  path.timeout(candidate, "election");
  const isLeader = (): boolean => path.process(candidate)?.role === "leader";
  while (!isLeader()) {
    path.deliver((envelope) => isBetween(envelope, candidate, voter));
    path.sync(candidate);
    path.sync(voter);
  }
}
