/** Nemeses of disks: stalls and full disks. */

import type { NodeId } from "@quorate/kernel";

import { type Nemesis, type Stage, target } from "./nemesis.ts";

/** Stalls a disk for a while, the leader's rather than another. */
export class Stalls implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice } = stage;
    if (this.victim !== undefined) {
      if (dice.chance(1, 4)) stage.act({ type: "crash", node: this.victim });
      stage.act({ type: "release", node: this.victim });
      this.victim = undefined;
      return 50 + dice.below(1_000);
    }
    this.victim = target(stage);
    stage.act({ type: "stall", node: this.victim });
    return 20 + dice.below(dice.chance(1, 2) ? 200 : 3_000);
  }
}

/** Fills a disk up, so that the next write ends its node, and makes room again. */
export class FullDisks implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "free", node: this.victim });
      stage.act({ type: "start", node: this.victim });
      this.victim = undefined;
      return 500 + dice.below(5_000);
    }
    this.victim = target(stage);
    stage.act({ type: "fill", node: this.victim });
    return 50 + dice.below(2_000);
  }
}
