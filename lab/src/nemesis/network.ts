/** Nemeses of the network: partitions of several shapes, one-way cuts, clogs. */

import type { NodeId } from "@quorate/kernel";

import type { Way } from "../simulator/network.ts";
import { type Nemesis, pick, some, type Stage, target } from "./nemesis.ts";

const WAYS: readonly Way[] = ["both", "both", "in", "out"];

/** Cuts the network in one of several shapes, leaves it so for a while, heals it. */
export class Partitions implements Nemesis {
  private readonly meanMs: number;
  private cut = false;

  constructor(meanMs: number) {
    this.meanMs = meanMs;
  }

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    if (this.cut && dice.chance(3, 4)) {
      this.cut = false;
      stage.act({ type: "heal" });
      return 50 + dice.below(2 * this.meanMs);
    }
    this.cut = true;
    const way = pick(dice, WAYS);
    switch (dice.below(5)) {
      case 0: // Each node by coin.
        stage.act({ type: "partition", way, side: some(dice, nodes) });
        break;
      case 1: // One alone.
        stage.act({ type: "partition", way, side: [target(stage)] });
        break;
      case 2: // A side of any size.
        stage.act({ type: "partition", way, side: nodes.slice(0, dice.below(nodes.length)) });
        break;
      case 3:
        bridge(stage);
        break;
      default: // Single links.
        for (let i = dice.below(nodes.length) + 1; i > 0; i--) {
          stage.act({ type: "sever", from: pick(dice, nodes), to: pick(dice, nodes) });
        }
    }
    return 50 + dice.below(2 * this.meanMs);
  }
}

/** Two sides that only one node reaches both of: the partial partition. */
function bridge(stage: Stage): void {
  const { dice, nodes } = stage;
  const middle = pick(dice, nodes);
  const left = some(dice, nodes);
  for (const a of nodes) {
    for (const b of nodes) {
      if (a === middle || b === middle || left.includes(a) === left.includes(b)) continue;
      stage.act({ type: "sever", from: a, to: b });
    }
  }
}

/** Clogs the links of some nodes, one after the other. */
export class Clogs implements Nemesis {
  act(stage: Stage): number {
    const { dice } = stage;
    stage.act({ type: "clog", node: target(stage), ms: 10 + dice.below(1_500) });
    return 20 + dice.below(1_000);
  }
}

/**
 * Leaves a leader with one friend, who follows it alone. When the leader has had
 * some time, one of the two crashes and the other finds itself among the rest.
 */
export class LeaderAndFriend implements Nemesis {
  private pair: readonly [leader: NodeId, friend: NodeId] | undefined;
  private down: NodeId | undefined;

  act(stage: Stage): number {
    const { dice } = stage;
    if (this.down !== undefined) return this.restart(stage, this.down);
    if (this.pair === undefined) return this.isolate(stage);
    const [leader, friend] = this.pair;
    this.pair = undefined;
    stage.act({ type: "heal" });
    this.down = dice.chance(2, 3) ? leader : friend;
    stage.act({ type: "crash", node: this.down });
    stage.act({ type: "release", node: leader });
    // Whoever is left alone with the memory is kept out of the next election.
    if (dice.chance(1, 2))
      stage.act({ type: "partition", way: "both", side: [other(this.down, leader, friend)] });
    return 1 + dice.below(100);
  }

  private isolate(stage: Stage): number {
    const { dice, nodes } = stage;
    const leaders = stage.leaders();
    const leader = leaders[0];
    const friends = nodes.filter((node) => node !== leader && stage.isUp(node));
    if (leader === undefined || friends.length === 0) return 5 + dice.below(20);
    const friend = pick(dice, friends);
    this.pair = [leader, friend];
    stage.act({ type: "partition", way: "both", side: [leader, friend] });
    if (dice.chance(1, 2)) stage.act({ type: "stall", node: leader });
    return 5 + dice.below(dice.chance(1, 2) ? 60 : 400);
  }

  private restart(stage: Stage, node: NodeId): number {
    const { dice } = stage;
    this.down = undefined;
    stage.act({ type: "start", node });
    if (dice.chance(1, 3)) stage.act({ type: "heal" });
    return 500 + dice.below(2_500);
  }
}

function other(one: NodeId, a: NodeId, b: NodeId): NodeId {
  return one === a ? b : a;
}

/** Cuts the leader's link to one follower, while both reach all others (Cloudflare's outage of 2020). */
export class PartialPartitions implements Nemesis {
  private cut = false;

  act(stage: Stage): number {
    const { dice, nodes } = stage;
    const leader = stage.leaders()[0];
    const followers = nodes.filter((node) => node !== leader && stage.isUp(node));
    if (this.cut || leader === undefined || followers.length === 0) {
      if (this.cut) stage.act({ type: "heal" });
      this.cut = false;
      return 20 + dice.below(400);
    }
    const follower = pick(dice, followers);
    this.cut = true;
    stage.act({ type: "sever", from: leader, to: follower });
    if (dice.chance(3, 4)) stage.act({ type: "sever", from: follower, to: leader });
    return 400 + dice.below(1_500);
  }
}

/**
 * Cuts every new leader off as soon as it leads, so that each keeps an end of
 * the log that nobody else has, and brings the one before it back: the game of
 * musical chairs of figure 8 in the Raft paper.
 */
export class CutNewLeaders implements Nemesis {
  private last: NodeId | undefined;
  private since = 0;

  act(stage: Stage): number {
    const { dice, now } = stage;
    const fresh = stage.leaders().find((node) => node !== this.last);
    if (fresh === undefined) {
      if (now - this.since > 4_000) {
        stage.act({ type: "heal" });
        this.last = undefined;
        this.since = now;
      }
      return 1 + dice.below(2);
    }
    if (dice.chance(1, 3)) return 1 + dice.below(10);
    const before = this.last;
    this.last = fresh;
    this.since = now;
    stage.act({ type: "heal" });
    if (dice.chance(1, 3)) stage.act({ type: "crash", node: fresh });
    else stage.act({ type: "partition", way: "both", side: [fresh] });
    if (before !== undefined && !stage.isUp(before)) stage.act({ type: "start", node: before });
    return 20 + dice.below(300);
  }
}
