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
