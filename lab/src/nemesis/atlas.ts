/**
 * The fault atlas: which node's disk may be damaged in which region of the
 * replicated state, settled for each region from the seed before anything
 * happens (after TigerBeetle's simulator). No region is damaged on more nodes than
 * the protocol can lose, so that what is committed survives somewhere; without
 * that nobody could tell a bug from an impossible task.
 */

import { type NodeId, Random } from "@quorate/kernel";

/** So many regions are remembered; others are drawn again, and come out the same. */
const KNOWN = 10_000;

export class Atlas {
  private readonly nodes: readonly NodeId[];
  private readonly lost: number;
  private readonly salt: number;
  private readonly known: Map<number, readonly NodeId[]> = new Map();

  /** @param lost - On how many nodes a region may be damaged. */
  constructor(nodes: readonly NodeId[], lost: number, dice: Random) {
    this.nodes = nodes;
    this.lost = lost;
    this.salt = dice.next();
  }

  isVulnerable(node: NodeId, region: number): boolean {
    let vulnerable = this.known.get(region);
    if (vulnerable === undefined) {
      vulnerable = this.draw(new Random(this.salt + (region % 0x1f_ffff) * 0x1_0000_0000));
      if (this.known.size >= KNOWN) this.known.clear();
      this.known.set(region, vulnerable);
    }
    return vulnerable.includes(node);
  }

  private draw(dice: Random): readonly NodeId[] {
    const left = [...this.nodes];
    while (left.length > this.lost) left.splice(dice.below(left.length), 1);
    return left;
  }
}
