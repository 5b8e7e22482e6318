/**
 * Two-phase commit as Gray and Lamport specify it (*Consensus on transaction
 * commit*, TODS 31(1), 2006, section 4 and the TLA+ module TwoPhase): what a
 * transaction manager and its resource managers may do, at any time, in any order.
 *
 * This is the published model, kept to be counted: one state here for one there.
 * The protocol that runs is in `protocols/commit`. What is an action of its own in
 * the specification is a timer here, armed as long as the action is enabled;
 * messages are a set from which nothing is taken.
 */

import type { Context, NodeId, Process, Speaks } from "@quorate/kernel";

import type { Model } from "../checker/index.ts";

type Message = { readonly type: "prepared" } | { readonly type: "commit" | "abort" };

type Words = Speaks<{ Message: Message; Timer: "commit" | "abort" | "prepare" }>;
type Ctx = Context<Words>;

const MANAGER = "tm";

class TransactionManager implements Process<Words> {
  state: "init" | "committed" | "aborted" = "init";
  private readonly prepared: Set<NodeId> = new Set();
  private readonly resources: readonly NodeId[];

  constructor(resources: readonly NodeId[]) {
    this.resources = resources;
  }

  onStart(ctx: Ctx): void {
    ctx.setTimer("abort", 0);
  }

  /** TMRcvPrepared. */
  onMessage(ctx: Ctx, from: NodeId): void {
    if (this.state !== "init") return;
    this.prepared.add(from);
    if (this.prepared.size === this.resources.length) ctx.setTimer("commit", 0);
  }

  /** TMCommit and TMAbort. */
  onTimer(ctx: Ctx, timer: Words["Timer"]): void {
    const commit = timer === "commit";
    this.state = commit ? "committed" : "aborted";
    ctx.cancelTimer(commit ? "abort" : "commit");
    for (const node of this.resources) ctx.send(node, { type: commit ? "commit" : "abort" });
  }
}

class ResourceManager implements Process<Words> {
  state: "working" | "prepared" | "committed" | "aborted" = "working";

  onStart(ctx: Ctx): void {
    ctx.setTimer("prepare", 0);
    ctx.setTimer("abort", 0);
  }

  /** RMRcvCommitMsg and RMRcvAbortMsg. */
  onMessage(ctx: Ctx, _from: NodeId, message: Message): void {
    this.leaveWorking(ctx, message.type === "commit" ? "committed" : "aborted");
  }

  /** RMPrepare and RMChooseToAbort. */
  onTimer(ctx: Ctx, timer: Words["Timer"]): void {
    this.leaveWorking(ctx, timer === "prepare" ? "prepared" : "aborted");
    if (timer === "prepare") ctx.send(MANAGER, { type: "prepared" });
  }

  private leaveWorking(ctx: Ctx, state: "prepared" | "committed" | "aborted"): void {
    this.state = state;
    ctx.cancelTimer("prepare");
    ctx.cancelTimer("abort");
  }
}

type Manager = TransactionManager | ResourceManager;

/** The model with so many resource managers. */
export function twoPhaseCommit(resources: number): Model<Words, Manager> {
  const ids = Array.from({ length: resources }, (_, i) => `rm${i + 1}`);
  return {
    nodes: [MANAGER, ...ids],
    create: (node) =>
      node === MANAGER ? new TransactionManager(Object.freeze([...ids])) : new ResourceManager(),
    network: "persistent",
    symmetry: { nodes: ids, alike: ["resources"] },
    /** TCConsistent: not one committed and another aborted. */
    always({ nodes }) {
      let [committed, aborted] = [false, false];
      for (const { id, process } of nodes) {
        if (id === MANAGER) continue;
        committed ||= process?.state === "committed";
        aborted ||= process?.state === "aborted";
      }
      return committed && aborted ? "TCConsistent" : undefined;
    },
    sometimes: {
      "all commit": ({ nodes }) => nodes.every(({ process }) => process?.state === "committed"),
      "all abort": ({ nodes }) => nodes.every(({ process }) => process?.state === "aborted"),
    },
  };
}
