/** Nemeses of disks: stalls, full disks, lost sectors. */

import type { NodeId } from "@quorate/kernel";

import { type Nemesis, pick, type Stage, target } from "./nemesis.ts";

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

/** Damages regions of disks here and there, of nodes that run and of nodes that are down. */
export class LostSectors implements Nemesis {
  private victim: NodeId | undefined;

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    if (this.victim !== undefined) {
      stage.act({ type: "start", node: this.victim });
      this.victim = undefined;
      return 100 + dice.below(1_500);
    }
    const node = pick(dice, nodes);
    const regions = stage.corruptible(node);
    if (regions.length === 0) return 20 + dice.below(200);
    // A running node goes on with what it has in memory, and finds out some time later.
    const later = dice.chance(1, 4);
    if (!later) stage.act({ type: "crash", node });
    for (let left = dice.below(4); left >= 0; left--) {
      stage.act({ type: "corrupt", node, region: pick(dice, regions) });
    }
    if (!later) this.victim = node;
    return 1 + dice.below(600);
  }
}

/**
 * Aims at the last copies: cuts some nodes off until only a bare quorum holds
 * the newest regions, damages those on one of its disks, and leaves the cluster
 * for a while to nodes none of which has them whole.
 */
export class LastCopies implements Nemesis {
  private phase: "whole" | "behind" | "bereft" = "whole";
  private behind: readonly NodeId[] = [];

  act(stage: Stage): number {
    const { dice, nodes, tolerates } = stage;
    switch (this.phase) {
      case "whole": {
        const left = [...nodes];
        while (left.length > tolerates.lost) left.splice(dice.below(left.length), 1);
        this.behind = left;
        stage.act({ type: "partition", way: "both", side: left });
        this.phase = "behind";
        return 300 + dice.below(3_000);
      }
      case "behind":
        return this.bereave(stage);
      case "bereft":
        for (const node of nodes) if (!stage.isUp(node)) stage.act({ type: "start", node });
        this.phase = "whole";
        return 300 + dice.below(2_000);
    }
  }

  private bereave(stage: Stage): number {
    const { dice, nodes, tolerates } = stage;
    const quorum = nodes.length - tolerates.lost;
    const ahead = nodes.filter((node) => !this.behind.includes(node));
    const scarce = (node: NodeId): readonly number[] =>
      stage.corruptible(node).filter((region) => stage.copies(region) <= quorum);
    const victims = ahead.filter((node) => scarce(node).length > 0);
    if (victims.length === 0) {
      stage.act({ type: "heal" });
      this.phase = "whole";
      return 100 + dice.below(1_000);
    }
    const victim = pick(dice, victims);
    for (const region of scarce(victim)) stage.act({ type: "corrupt", node: victim, region });
    for (const node of ahead) stage.act({ type: "crash", node });
    stage.act({ type: "heal" });
    stage.act({ type: "start", node: victim });
    this.phase = "bereft";
    return 500 + dice.below(4_000);
  }
}
