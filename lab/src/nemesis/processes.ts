/** Nemeses of processes: crashes, aimed and not, pauses, upgrades, lost disks. */

import type { NodeId } from "@quorate/kernel";

import { type Nemesis, pick, type Stage, target } from "./nemesis.ts";

/** Crashes nodes and starts them again, now and then all of them. */
export class Crashes implements Nemesis {
  private readonly meanMs: number;

  constructor(meanMs: number) {
    this.meanMs = meanMs;
  }

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    const down = nodes.filter((node) => !stage.isUp(node) && !stage.isDamaged(node));
    if (down.length > 0 && dice.chance(2, 3)) stage.act({ type: "start", node: pick(dice, down) });
    else if (dice.chance(1, 20)) for (const node of nodes) stage.act({ type: "crash", node });
    else stage.act({ type: "crash", node: target(stage) });
    return 1 + dice.below(2 * this.meanMs);
  }
}

/**
 * Crashes what has not reached its disk. Holds up what is on its way to the
 * victim, so that answers to its last life meet the next one.
 */
export class CrashUnsynced implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "start", node: this.victim });
      this.victim = undefined;
      return 100 + dice.below(400);
    }
    const unsynced = nodes.filter((node) => stage.isUp(node) && stage.unsynced(node) > 0);
    if (unsynced.length === 0 || !dice.chance(1, 6)) return 1 + dice.below(3);
    this.victim = pick(dice, unsynced);
    if (dice.chance(1, 2)) stage.act({ type: "clog", node: this.victim, ms: dice.below(800) });
    stage.act({ type: "crash", node: this.victim });
    return 1 + dice.below(dice.chance(1, 2) ? 20 : 500);
  }
}

/**
 * Keeps elections coming and disturbs them: crashes leaders, holds up links, and
 * restarts nodes at once, so that what they said in one life meets the next.
 */
export class DisturbElections implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "start", node: this.victim });
      this.victim = undefined;
      return 1 + dice.below(5);
    }
    const down = nodes.find((node) => !stage.isUp(node));
    if (down !== undefined) {
      stage.act({ type: "start", node: down });
      return 1 + dice.below(30);
    }
    const leaders = stage.leaders();
    if (leaders.length > 0) {
      if (dice.chance(1, 2)) return 1 + dice.below(100);
      // All start again at about the same time, so that some campaign at about the same time.
      const all = dice.chance(1, 2);
      for (const node of all ? nodes : leaders.slice(0, 1)) stage.act({ type: "crash", node });
      return 1 + dice.below(30);
    }
    if (dice.chance(1, 10)) this.clog(stage);
    const unsynced = nodes.filter((node) => stage.unsynced(node) > 0);
    if (unsynced.length > 0 && dice.chance(1, 4)) this.victim = pick(dice, unsynced);
    else if (dice.chance(1, 12)) this.victim = pick(dice, nodes);
    if (this.victim !== undefined) stage.act({ type: "crash", node: this.victim });
    return 1 + dice.below(3);
  }

  private clog(stage: Stage): void {
    const { dice, nodes } = stage;
    stage.act({ type: "clog", node: pick(dice, nodes), ms: pick(dice, [20, 200, 1_200]) });
  }
}

/**
 * Makes a candidate of a node whose disk is behind: stalls it, takes its leader
 * away, waits until it persists something more, and crashes it then, with the
 * answers to what it said held up until its next life says the same.
 */
export class CrashStalledCandidate implements Nemesis {
  private phase: "idle" | "fresh" | "stalled" | "leaderless" | "clogged" | "down" = "idle";
  private victim: NodeId = "";
  private unsynced = 0;
  private waited = 0;

  act(stage: Stage): number {
    const { dice } = stage;
    const { victim } = this;
    switch (this.phase) {
      case "idle":
        return this.begin(stage);
      case "fresh":
        stage.act({ type: "stall", node: victim });
        this.phase = "stalled";
        return 10 + dice.below(80);
      case "stalled": {
        const leader = stage.leaders()[0];
        if (leader === undefined) return this.end(stage);
        stage.act({ type: "crash", node: leader });
        if (dice.chance(1, 2)) stage.act({ type: "start", node: leader });
        this.unsynced = stage.unsynced(victim);
        this.waited = 0;
        this.phase = "leaderless";
        return 1;
      }
      case "leaderless":
        if (!stage.isUp(victim) || ++this.waited > 2_500) return this.end(stage);
        if (stage.unsynced(victim) <= this.unsynced) return 1;
        stage.act({ type: "clog", node: victim, ms: 100 + dice.below(400) });
        this.phase = "clogged";
        return 1 + dice.below(40);
      case "clogged":
        stage.act({ type: "crash", node: victim });
        stage.act({ type: "release", node: victim });
        this.phase = "down";
        return 1 + dice.below(40);
      case "down":
        for (const node of stage.nodes) {
          if (!stage.isUp(node)) stage.act({ type: "start", node });
        }
        return this.end(stage);
    }
  }

  private begin(stage: Stage): number {
    const { dice, nodes } = stage;
    const leaders = stage.leaders();
    const followers = nodes.filter((node) => stage.isUp(node) && !leaders.includes(node));
    if (leaders.length === 0 || followers.length === 0) return 20;
    this.victim = pick(dice, followers);
    // In a fresh life it counts what it does from 1 again, as its next life will.
    stage.act({ type: "crash", node: this.victim });
    stage.act({ type: "start", node: this.victim });
    this.phase = "fresh";
    return 100 + dice.below(200);
  }

  private end(stage: Stage): number {
    this.phase = "idle";
    stage.act({ type: "release", node: this.victim });
    for (const node of stage.nodes) if (!stage.isUp(node)) stage.act({ type: "start", node });
    return 500 + stage.dice.below(1_000);
  }
}

/** Pauses nodes, those that rely on time first: a long garbage collection at the worst moment. */
export class Pauses implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "resume", node: this.victim });
      this.victim = undefined;
      return 100 + dice.below(1_000);
    }
    const holders = stage.leaseHolders();
    this.victim = holders.length > 0 && dice.chance(2, 3) ? pick(dice, holders) : target(stage);
    stage.act({ type: "pause", node: this.victim });
    return 50 + dice.below(dice.chance(1, 2) ? 300 : 2_000);
  }
}

/** Brings nodes down and up again with the next release of the software. */
export class Upgrades implements Nemesis {
  private done = 0;
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice, nodes, releases } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "start", node: this.victim });
      this.victim = undefined;
      return 200 + dice.below(2_000);
    }
    if (this.done >= (releases - 1) * nodes.length) return 1_000_000;
    this.victim = nodes[this.done++ % nodes.length]!;
    stage.act({ type: "crash", node: this.victim });
    stage.act({ type: "upgrade", node: this.victim });
    return 1 + dice.below(500);
  }
}

/**
 * Damages disks, of so many nodes as the protocol can lose and no more: which
 * ones is settled beforehand (the fault atlas), or nobody could tell a bug from
 * an impossible task. A damaged node refuses to start; where the protocol allows
 * it, it comes back with an empty disk.
 */
export class Damage implements Nemesis {
  private atlas: readonly NodeId[] | undefined;
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice, nodes, tolerates } = stage;
    this.atlas ??= shuffled(stage, nodes).slice(0, dice.below(tolerates.lost + 1));
    if (this.victim !== undefined) {
      const node = this.victim;
      this.victim = undefined;
      if (tolerates.wipe) {
        stage.act({ type: "wipe", node });
        stage.act({ type: "start", node });
      }
      return 500 + dice.below(5_000);
    }
    const whole = this.atlas.filter((node) => !stage.isDamaged(node));
    if (whole.length === 0) return 1_000_000;
    this.victim = pick(dice, whole);
    stage.act({ type: "crash", node: this.victim });
    stage.act({ type: "damage", node: this.victim });
    return 1 + dice.below(1_000);
  }
}

/** Lets clocks jump forward, where the protocol does not mind. */
export class Jumps implements Nemesis {
  act(stage: Stage): number {
    const { dice } = stage;
    stage.act({ type: "jump", node: target(stage), ms: 1 + dice.below(2_000) });
    return 100 + dice.below(3_000);
  }
}

/** Fisher and Yates. */
function shuffled({ dice }: Stage, nodes: readonly NodeId[]): readonly NodeId[] {
  const left = [...nodes];
  for (let i = left.length - 1; i > 0; i--) {
    const j = dice.below(i + 1);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left;
}
