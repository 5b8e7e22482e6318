/** Zab with one mistake at a time in what it makes of entries that the disk has lost (B24–B26). */

import { Zab, type ZabConfig, type ZabWords } from "@quorate/consensus";
import type { Context, NodeId } from "@quorate/kernel";

import { type Planted, planted } from "../log/planted.ts";
import { DISAGREEMENT } from "./witness.ts";

type Ctx = Context<ZabWords>;
type LeaderInfo = Extract<ZabWords["Message"], { readonly type: "leaderInfo" }>;

/** Takes its history for ended where the disk has lost something. */
class TakesUnknownForAbsent extends Zab {
  private forgetting = false;

  override recover(record: ZabWords["Record"]): void {
    if (record.type === "damaged") this.forgetting = true;
    const isEpoch = record.type === "acceptedEpoch" || record.type === "currentEpoch";
    if (!this.forgetting || isEpoch) super.recover(record);
  }
}

/** Stands for election though it does not know its own history. */
class LeadsUnmended extends Zab {
  protected override get isWhole(): boolean {
    return true;
  }
}

/** Drops what follows a lost entry, to be sent all of it anew. */
class DropsWhatFollows extends Zab {
  protected override onLeaderInfo(ctx: Ctx, from: NodeId, m: LeaderInfo): void {
    if (!this.isWhole) this.truncate(ctx, this.heldIndex);
    super.onLeaderInfo(ctx, from, m);
  }
}

/** Drops an entry that it has lost as soon as one other node does not have it. */
class BelievesOne extends Zab {
  protected override onAbsent(ctx: Ctx): void {
    if (!this.isWhole) this.truncate(ctx, this.heldIndex);
  }
}

export const damageBugs: readonly Planted<ZabConfig, Zab>[] = [
  planted(
    "D4-unknown-is-absent",
    "an entry whose bytes are lost is unknown, not absent (B24; Alagappan et al. 2018, §3.3)",
    [...DISAGREEMENT, "H2", "H3", "B14"],
    ["lost-sectors"],
    (config) => new TakesUnknownForAbsent(config),
  ),
  planted(
    "B25-leads-unmended",
    "who has lost entries does not stand for election (B25)",
    ["B25", ...DISAGREEMENT],
    ["lost-sectors"],
    (config) => new LeadsUnmended(config),
  ),
  planted(
    "B25-drops-what-follows",
    "what follows a lost entry stays, while a leader sends that again (B25)",
    [...DISAGREEMENT, "liveness"],
    ["lost-sectors"],
    (config) => new DropsWhatFollows(config),
  ),
  planted(
    "B26-believes-one",
    "an entry is dropped once a quorum does not have it (B26; Alagappan et al. 2018, §3.3.2)",
    DISAGREEMENT,
    ["lost-sectors"],
    (config) => new BelievesOne(config),
  ),
];
