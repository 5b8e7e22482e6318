/** Changes of membership under load and faults. */

import type { NodeId } from "@quorate/kernel";

import type { MembershipChange } from "../membership.ts";
import type { LogWords } from "../ordered-log.ts";
import { members } from "../quorum.ts";
import type { Scene } from "./scene.ts";
import { hostile, Stage } from "./stage.ts";
import { expect } from "./world.ts";

const FOUNDERS: readonly NodeId[] = ["a", "b", "c"];
const EVERYONE: readonly NodeId[] = [...FOUNDERS, "d", "e", "f"];

/** Something to ask for, sensible or not. */
function anyChange<L extends LogWords>(stage: Stage<L>): readonly MembershipChange[] {
  const { random } = stage.world;
  const node = stage.anyNode();
  const other = stage.anyNode();
  const { voters, removed } = stage.configuration;
  // Three at least stay, or a seed soon ends with nobody to talk to.
  if (random.chance(1, 4) && removed.length < 3) return [{ type: "remove", node }];
  switch (random.below(6)) {
    case 0:
    case 1:
      return [{ type: "add", node, as: random.chance(2, 3) ? "voter" : "learner" }];
    case 2:
      return [{ type: "promote", node }];
    case 3:
      return voters.length > 2 ? [{ type: "demote", node }] : [{ type: "promote", node }];
    case 4:
      return [{ type: "describe", node, priority: 1 + random.below(3) }];
    default:
      return removed.length < 3
        ? [
            { type: "promote", node },
            { type: "demote", node: other },
          ]
        : [{ type: "promote", node }];
  }
}

const underLoad: Scene = {
  name: "members come and go under load and faults, and no promise breaks",
  seeds: 20,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, {
      seed,
      nodes: EVERYONE,
      founders: FOUNDERS,
      conditions: hostile(seed),
      replica: seed % 3 === 0 ? { checkpointBytes: 400, keepBytes: 1 } : {},
    });
    const { random } = stage.world;
    for (let i = 0; i < 250; i++) {
      const node = stage.anyNode(members(stage.configuration));
      if (random.chance(1, 3)) stage.read(node, "linearizable");
      else stage.write(node);
      if (random.chance(1, 5)) {
        const to = stage.leader ?? node;
        stage.ask(to, { type: "reconfigure", changes: anyChange(stage), basedOn: undefined });
      }
      if (seed % 4 !== 0) stage.trouble();
      stage.run(random.below(80));
    }
    stage.conclude();
  },
};

const grown: Scene = {
  name: "an added voter catches up, is promoted by itself, and counts",
  seeds: 3,
  play(engine, makeWorld, seed) {
    const setting = { seed, nodes: EVERYONE, founders: ["a"] };
    const replica = seed % 2 === 0 ? { checkpointBytes: 200, keepBytes: 1 } : {};
    const stage = new Stage(engine, makeWorld, { ...setting, replica });
    for (let i = 0; i < 20; i++) {
      stage.write("a");
      stage.run(20);
    }
    for (const node of ["b", "c"]) {
      const changes = [{ type: "add", node, as: "voter", address: `${node}:1` } as const];
      stage.insist({ type: "reconfigure", changes, basedOn: undefined }, (response) => {
        return response.type === "reconfigured" || isAlreadySo(response);
      });
      stage.until(`${node} votes`, 10 * engine.recoveryMs, () => {
        return stage.configuration.voters.includes(node);
      });
    }
    stage.run(engine.recoveryMs);
    stage.world.crash(stage.leader ?? "a");
    const asked = stage.write(stage.up.find((id) => FOUNDERS.includes(id))!);
    stage.until("the others go on without it", 4 * engine.recoveryMs, () => {
      return asked.response !== undefined;
    });
    stage.conclude();
  },
};

const leaderLeaves: Scene = {
  name: "a leader that is removed hands over and leaves",
  seeds: 4,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, { seed, nodes: FOUNDERS });
    stage.write("a");
    stage.until("a leader is found", engine.recoveryMs, () => stage.leader !== undefined);
    stage.run(engine.recoveryMs);
    const node = stage.leader!;
    const changes = [{ type: "remove", node } as const];
    stage.insist({ type: "reconfigure", changes, basedOn: undefined }, (response) => {
      return response.type === "reconfigured" || isAlreadySo(response);
    });
    stage.until("somebody else leads", engine.recoveryMs, () => {
      return stage.leader !== undefined && stage.leader !== node;
    });
    stage.run(2 * engine.recoveryMs);
    const term = stage.world.process(stage.leader!)!.log.term;
    stage.run(5 * engine.recoveryMs);
    expect(stage.world.process(stage.leader!)!.log.term === term, "who has left disturbs nobody");
    stage.conclude();
  },
};

const replaced: Scene = {
  name: "all voters are replaced at once",
  seeds: 4,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, { seed, nodes: EVERYONE, founders: FOUNDERS });
    const newcomers = ["d", "e", "f"];
    const add = newcomers.map((node) => ({ type: "add", node, as: "learner" }) as const);
    const done = (response: { readonly type: string }) => {
      return response.type === "reconfigured" || isAlreadySo(response);
    };
    stage.insist({ type: "reconfigure", changes: add, basedOn: undefined }, done);
    for (let i = 0; i < 20; i++) {
      stage.write(stage.anyNode(FOUNDERS));
      stage.run(20);
    }
    const changes = [{ type: "replace", voters: newcomers } as const];
    stage.insist({ type: "reconfigure", changes, basedOn: undefined }, done);
    stage.until("the newcomers lead", 4 * engine.recoveryMs, () => {
      const { leader } = stage;
      return leader !== undefined && newcomers.includes(leader);
    });
    for (const node of FOUNDERS) if (stage.up.includes(node)) stage.world.crash(node);
    const asked = stage.write("d");
    stage.until("the newcomers decide alone", 4 * engine.recoveryMs, () => {
      return asked.response?.type === "executed";
    });
    stage.conclude();
  },
};

const refusals: Scene = {
  name: "a change that makes no sense is refused, and says why",
  seeds: 1,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, { seed, nodes: FOUNDERS });
    stage.until("a leader is found", engine.recoveryMs, () => stage.leader !== undefined);
    stage.run(engine.recoveryMs);
    const leader = stage.leader!;
    const before = JSON.stringify(stage.configuration);
    const refused = (change: MembershipChange, problem: string, basedOn?: number) => {
      const asked = stage.ask(leader, { type: "reconfigure", changes: [change], basedOn });
      stage.run(engine.recoveryMs);
      const { response } = asked;
      const found = response?.type === "changeRefused" ? response.problem : response?.type;
      expect(found === problem, `${change.type} is refused as ${problem}, not ${found}`);
    };
    refused({ type: "add", node: "a", as: "voter" }, "alreadyMember");
    refused({ type: "remove", node: "z" }, "unknownMember");
    refused({ type: "promote", node: "a" }, "wrongRole");
    refused({ type: "replace", voters: [] }, "noVoters");
    refused({ type: "remove", node: "a" }, "outdated", 1_000_000);
    const follower = FOUNDERS.find((id) => id !== leader)!;
    const changes = [{ type: "remove", node: "a" } as const];
    const asked = stage.ask(follower, { type: "reconfigure", changes, basedOn: undefined });
    stage.run(engine.recoveryMs);
    const { response } = asked;
    const names = response?.type === "rejected" && response.reason === "notLeader";
    expect(names && response.leader === leader && response.definite, "a follower names the leader");
    expect(JSON.stringify(stage.configuration) === before, "what is refused changes nothing");
    stage.conclude();
  },
};

const preferred: Scene = {
  name: "leadership goes to the member of the highest priority, and away from a slow one",
  seeds: 3,
  play(engine, makeWorld, seed) {
    const stage = new Stage(engine, makeWorld, { seed, nodes: FOUNDERS });
    const changes = [{ type: "describe", node: "b", priority: 5 } as const];
    stage.insist({ type: "reconfigure", changes, basedOn: undefined }, (response) => {
      return response.type === "reconfigured" || isAlreadySo(response);
    });
    stage.until("b leads", 10 * engine.recoveryMs, () => stage.leader === "b");
    stage.ask("b", { type: "health", slow: true });
    stage.until("b gives way while it is slow", 10 * engine.recoveryMs, () => {
      return stage.leader !== undefined && stage.leader !== "b";
    });
    stage.run(2 * engine.recoveryMs);
    stage.ask("b", { type: "health", slow: false });
    stage.until("b leads again", 20 * engine.recoveryMs, () => stage.leader === "b");
    stage.conclude();
  },
};

/** An earlier attempt whose answer was lost has succeeded. */
function isAlreadySo(response: { readonly type: string; readonly problem?: string }): boolean {
  if (response.type !== "changeRefused") return false;
  return response.problem === "alreadyMember" || response.problem === "unknownMember";
}

export const memberScenes: readonly Scene[] = [
  underLoad,
  grown,
  leaderLeaves,
  replaced,
  refusals,
  preferred,
];
