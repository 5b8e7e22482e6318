/**
 * What the layer above a log does, for a log that is examined without one: it lets
 * the log forget what all have, and carries snapshots to members that lag behind
 * (duties D7 and D8 in protocols/consensus/PROTOCOL.md). A run needs no more memory
 * for being long then. What is applied is nobody's business here, so a snapshot is
 * its description alone, and is carried by hand: no link delays or loses it.
 */

import type { LogOutput, LogWords, OrderedLog, SnapshotMeta } from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import type { World } from "@quorate/lab";

type Wanted = Extract<LogOutput, { readonly type: "snapshotWanted" }>;

/** A snapshot that was not installed within this time has not arrived. */
const PATIENCE_MS = 1_000;

interface Carried {
  /** Who asked for it. */
  readonly by: NodeId;
  readonly until: number;
}

export class Upkeep<W extends LogWords, P extends OrderedLog<W>> {
  private readonly world: World<W, P>;
  private readonly keepEntries: number;
  /** By the members they are carried to. */
  private readonly carried: Map<NodeId, Carried> = new Map();

  /** @param keepEntries - How many committed entries stay in a log; it is compacted when it holds twice as many. */
  constructor(world: World<W, P>, keepEntries: number) {
    this.world = world;
    this.keepEntries = keepEntries;
  }

  /**
   * Records in place of all that a node has persisted, if its log has grown long.
   * @param base - Up to where the log is compacted away.
   */
  checkpoint(process: P, base: number): readonly W["Record"][] | undefined {
    if (this.carried.size > 0) this.giveUp();
    const { commitIndex } = process;
    if (commitIndex - base < 2 * this.keepEntries) return undefined;
    const meta = process.snapshotMeta(commitIndex);
    process.compact(meta, 0, commitIndex - this.keepEntries);
    return process.image(meta);
  }

  said(node: NodeId, output: LogOutput): void {
    if (output.type === "snapshotWanted") this.carry(node, output);
    if (output.type === "installed") this.arrived(node, output.meta);
  }

  /** From the best of those that could send one and are there. */
  private carry(by: NodeId, { to, atLeast, sources }: Wanted): void {
    for (const source of sources) {
      const process = this.world.process(source);
      if (process === undefined || process.commitIndex < atLeast) continue;
      const meta = process.snapshotMeta(process.commitIndex);
      this.world.request(to, { type: "install", meta });
      break;
    }
    this.carried.set(to, { by, until: this.world.now + PATIENCE_MS });
  }

  /** It is on the disk of whoever got it. */
  private arrived(to: NodeId, { index }: SnapshotMeta): void {
    const carried = this.carried.get(to);
    if (carried === undefined) return;
    this.carried.delete(to);
    this.world.request(carried.by, { type: "snapshotSent", to, index });
  }

  /** It was lost with a crash, or was old news: whoever asked for it finds out what is needed now. */
  private giveUp(): void {
    for (const [to, { by, until }] of this.carried) {
      if (until > this.world.now) continue;
      this.carried.delete(to);
      this.world.request(by, { type: "snapshotFailed", to });
    }
  }
}
