/** Every model of a log: the shipped class holds, and the mistake that it is meant for is found. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type LogWords,
  MultiPaxos,
  type MultiPaxosConfig,
  type OrderedLog,
  Raft,
  type RaftConfig,
  type RaftWords,
  reachedByQuorum,
  Zab,
  type ZabConfig,
  type ZabWords,
} from "@quorate/consensus";
import type { Context } from "@quorate/kernel";

import type { Planted } from "../log/planted.ts";
import { paxosBugs } from "../paxos/bugs.ts";
import { raftBugs } from "../raft/bugs.ts";
import { zabBugs } from "../zab/bugs.ts";
import { PAXOS_MODELS, RAFT_MODELS, ZAB_MODELS } from "./catalogue.ts";
import type { LogRow } from "./log-rows.ts";

/** Counts only the new voters while a configuration is joint (against R28). */
class CountsNewVotersOnly extends Raft {
  protected override advance(ctx: Context<RaftWords>): void {
    const { voters } = this.configuration;
    const index = reachedByQuorum({ voters, outgoing: [] }, (node) =>
      node === ctx.self ? this.durableIndex : (this.progress.get(node)?.match ?? 0),
    );
    if (this.log.termAt(index) === this.term) this.commitTo(ctx, index);
  }
}

/** Proposes under a configuration whose voters have not promised (against M15). */
class ProposesUnpromised extends MultiPaxos {
  protected override checkPromises(): void {
    const was = this.isPrepared;
    super.checkPromises();
    if (this.role === "leader") this.isPrepared ||= was;
  }
}

/** Enters an epoch that nobody has promised (against B6). */
class NeedsNobody extends Zab {
  protected override suffices(): boolean {
    return true;
  }
}

/** Commits what the new members have while those before are still needed (against B22). */
class CommitsWithNewVotersOnly extends Zab {
  protected override advance(ctx: Context<ZabWords>): void {
    const { voters } = this.configuration;
    const alone = { voters, outgoing: [] };
    this.commitTo(
      ctx,
      reachedByQuorum(alone, (node) => this.heldBy(ctx, node)),
    );
  }
}

const MOST = 150_000;

/** A mistake that a model finds, by the model's name. */
type Mistakes<P, C> = Readonly<Record<string, string | ((config: C) => P)>>;

const RAFT_MISTAKES: Mistakes<Raft, RaftConfig> = {
  elections: "votes-before-durable",
  replication: "votes-without-comparing-logs",
  restarts: "L7-answers-before-durable",
  growing: "L6-leader-counts-itself-first",
  replacing: (config) => new CountsNewVotersOnly(config),
  exchanging: "votes-without-comparing-logs",
};

const PAXOS_MISTAKES: Mistakes<MultiPaxos, MultiPaxosConfig> = {
  rivals: "own-values-only",
  beginnings: "own-values-only",
  restarts: "L7-accepts-before-durable",
  growing: "L6-leader-counts-itself-first",
  replacing: "L6-leader-counts-itself-first",
  exchanging: "own-values-only",
  joining: (config) => new ProposesUnpromised(config),
};

const ZAB_MISTAKES: Mistakes<Zab, ZabConfig> = {
  elections: (config) => new NeedsNobody(config),
  beginnings: "B6-half-is-enough",
  takeover: "B15-serves-on-promises",
  replication: "B8-leads-outdated",
  restarts: "L7-acks-before-durable",
  growing: "L6-leader-counts-itself-first",
  replacing: (config) => new CommitsWithNewVotersOnly(config),
  exchanging: "B18-delivers-on-receipt",
};

function examine<P extends OrderedLog<LogWords>, C>(
  rows: readonly LogRow<P, C>[],
  mistakes: Mistakes<P, C>,
  bugs: readonly Planted<C, P>[],
): void {
  assert.deepEqual(
    Object.keys(mistakes),
    rows.map(({ model }) => model),
  );
  for (const row of rows) {
    const name = `${row.protocol} ${row.model}`;
    test(`${name}: ${row.summary}`, () => {
      // `quorate check` sees the largest to their ends.
      const { coverage, violation, unreached } = row.run(row.settings, { maxStates: MOST });
      assert.equal(violation, undefined);
      if (coverage !== "stopped") assert.deepEqual(unreached, []);
    });
    const mistake = mistakes[row.model]!;
    const made = typeof mistake === "string" ? planted(bugs, mistake) : mistake;
    test(`${name}: a mistake is found`, () => {
      const { violation } = row.plant(made, { maxStates: 2_000_000 });
      assert.match(violation?.promise ?? "nothing", /^[HIJR][0-9]+: /);
    });
  }
}

function planted<P, C>(bugs: readonly Planted<C, P>[], name: string): (config: C) => P {
  const found = bugs.find(({ bug }) => bug.name === name);
  assert.ok(found, `the exam has no ${name}`);
  return (config) => found.make(config);
}

examine(RAFT_MODELS, RAFT_MISTAKES, raftBugs);
examine(PAXOS_MODELS, PAXOS_MISTAKES, paxosBugs);
examine(ZAB_MODELS, ZAB_MISTAKES, zabBugs);
