/** Replicas with one mistake at a time. */

import {
  type Raft,
  type RaftWords,
  Replica,
  type ReplicaConfig,
  type ReplicaRequest,
} from "@quorate/consensus";
import type { Context, NodeId, RequestId } from "@quorate/kernel";
import { type Bug, Careless } from "@quorate/lab";

import { Tape } from "./tape.ts";
import type { TapeReplica, Words } from "./witness.ts";

type Ctx = Context<Words>;

export interface PlantedReplica {
  readonly bug: Bug;
  /** `release` counts the upgrades of the node. */
  make(log: Raft, config: ReplicaConfig, release: number): TapeReplica;
}

abstract class Base extends Replica<RaftWords, number> {
  constructor(log: Raft, config: ReplicaConfig) {
    super(log, new Tape(), config);
  }
}

/** Begins each life as if it were the first: batches of different lives have the same names. */
class ForgetsItsLives extends Base {
  override recover(record: Words["Record"]): void {
    if (record.type !== "boot") super.recover(record);
  }
}

class ReadsAtOnce extends Base {
  override onRequest(ctx: Ctx, id: RequestId, request: ReplicaRequest): void {
    if (request.type !== "read") super.onRequest(ctx, id, request);
    else ctx.replyEagerly(id, { type: "readable", index: this.applied });
  }
}

/** Takes an answer to an earlier life for one of its present life (etcd #20418). */
class TrustsOldAnswers extends Base {
  override onMessage(ctx: Ctx, from: NodeId, message: Words["Message"]): void {
    const { epoch } = this;
    super.onMessage(ctx, from, message.type === "readAt" ? { ...message, epoch } : message);
  }
}

/** Offers a checkpoint of the machine that lacks the entries behind it. */
class CheckpointForgets extends Base {
  override onIdle(ctx: Ctx): void {
    super.onIdle(new ShortCheckpoints(ctx));
  }

  override onRequest(ctx: Ctx, id: RequestId, request: ReplicaRequest): void {
    super.onRequest(new ShortCheckpoints(ctx), id, request);
  }
}

class ShortCheckpoints extends Careless<Words> {
  override checkpoint(records: Iterable<Words["Record"]>): void {
    super.checkpoint([...records].filter((r) => r.type !== "log" || r.record.type !== "entries"));
  }
}

/** Does not understand the entries on its disk, as if an earlier release had written them otherwise. */
class ForgetsTheLogOfTheOld extends Base {
  override recover(record: Words["Record"]): void {
    if (record.type !== "log" || record.record.type !== "entries") super.recover(record);
  }
}

export const replicaBugs: readonly PlantedReplica[] = [
  {
    bug: {
      name: "forgets-its-lives",
      sentence: "a node's batches are numbered within a life, and lives are told apart (S2)",
      breaks: ["S1", "L2", "liveness", "stops"],
      scenarios: ["disturbed-elections", "crash-unsynced", "swarm"],
    },
    make: (log, config) => new ForgetsItsLives(log, config),
  },
  {
    bug: {
      name: "reads-at-once",
      sentence: "a read waits until the machine has seen what a quorum confirmed (§8)",
      breaks: ["S4"],
      scenarios: ["calm"],
    },
    make: (log, config) => new ReadsAtOnce(log, config),
  },
  {
    bug: {
      name: "R2-answers-of-an-earlier-life",
      sentence: "an answer to an earlier life says nothing about now (scenario R2)",
      breaks: ["S4"],
      scenarios: ["crash-unsynced", "swarm"],
    },
    make: (log, config) => new TrustsOldAnswers(log, config),
  },
  {
    bug: {
      name: "checkpoint-without-its-log",
      sentence: "a checkpoint stands for everything that was persisted (kernel K7)",
      breaks: ["S1", "L2", "I4", "I6", "stops"],
      scenarios: ["crash-unsynced", "swarm"],
    },
    make: (log, config) => new CheckpointForgets(log, config),
  },
  {
    bug: {
      name: "upgrade-loses-the-log",
      sentence: "a later release recovers what an earlier one has persisted (kernel K7)",
      breaks: ["S1", "L2", "S4", "I4", "I6", "liveness", "stops"],
      settings: { releases: 2 },
      scenarios: ["swarm"],
    },
    make: (log, config, release) =>
      release === 0 ? new Replica(log, new Tape(), config) : new ForgetsTheLogOfTheOld(log, config),
  },
];
