import assert from "node:assert/strict";
import { test } from "node:test";

import { Raft, type RaftConfig, type RaftWords, reachedByQuorum } from "@quorate/consensus";
import type { Context, NodeId } from "@quorate/kernel";
import { actionText, Path } from "@quorate/lab/checker";

import { type Hunt, huntRaft, RAFT_HUNTS } from "./raft-hunts.ts";

type Ctx = Context<RaftWords>;

/** Commits what a quorum holds, whatever its term (against §5.4.2). */
class CommitsEarlierTerms extends Raft {
  protected override advance(ctx: Ctx): void {
    const index = reachedByQuorum(this.configuration, (node) =>
      node === ctx.self ? this.durableIndex : (this.progress.get(node)?.match ?? 0),
    );
    this.commitTo(ctx, index);
  }
}

class CountsItselfFirst extends Raft {
  protected override advance(ctx: Ctx): void {
    this.durableIndex = this.log.lastIndex;
    super.advance(ctx);
  }
}

/** Tells of a log tail and a vote that a crash may take back. */
class UnsyncedCampaign extends Raft {
  protected override campaign(ctx: Ctx, phase: "pre" | "real", transfer: boolean): void {
    const eager = new Proxy(ctx, {
      get(target, word): unknown {
        if (word === "send") {
          return (to: NodeId, m: RaftWords["Message"]) => target.sendEagerly(to, m);
        }
        const value: unknown = Reflect.get(target, word, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    super.campaign(eager, phase, transfer);
  }
}

function huntNamed(name: string): Hunt {
  return RAFT_HUNTS.find((hunt) => hunt.name === name)!;
}

const MISTAKES = [
  ["L6-leader-counts-itself", (config: RaftConfig) => new CountsItselfFirst(config)],
  ["L1-figure-8", (config: RaftConfig) => new CommitsEarlierTerms(config)],
  ["E14-unsynced-tail", (config: RaftConfig) => new UnsyncedCampaign(config)],
] as const;

for (const [name, create] of MISTAKES) {
  const hunt = huntNamed(name);

  test(`${name}: the mistake is found, and its run replays`, () => {
    const { verdict } = huntRaft(create, 1_000_000, [hunt]);
    const { violation } = verdict;
    assert.ok(violation, `not found in ${verdict.states} states`);
    assert.match(violation.promise, /I5|I8|I11/);
    const path = Path.along(hunt.model(create), violation.trace);
    assert.equal(path.broken, violation.promise);
    if (process.env["QUORATE_TRACES"] === undefined) return;
    console.log([violation.promise, ...violation.trace.map(actionText)].join("\n  "));
  });

  test(`${name}: the shipped class does not make it`, () => {
    const { verdict } = huntRaft(undefined, 50_000, [hunt]);
    assert.equal(verdict.violation, undefined);
    assert.ok(verdict.states > 10_000 || verdict.coverage !== "stopped");
  });
}
