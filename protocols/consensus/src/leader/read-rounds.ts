/**
 * What rounds of heartbeats prove: that their sender still led when it sent them.
 * So reads that came before may be answered without writing to the log (Ongaro
 * 2014, §6.4), and for a while after it others may be served without asking, as
 * long as everybody's patience with their leader lasts (§6.4.1).
 */

import type { RequestId } from "@quorate/kernel";

import type { Index } from "../entry.ts";
import { type LeaderSettings, leaseMs } from "../leader-settings.ts";
import { ReadQueue } from "../read-queue.ts";
import { Rounds } from "../rounds.ts";
import type { LeaderContext } from "./state.ts";

export class ReadRounds {
  private readonly queue: ReadQueue = new ReadQueue();
  private readonly rounds: Rounds = new Rounds();
  /** Until when this leader may serve lease reads, by its own clock (R33, M17). */
  leaseUntil = -1;
  /** Somebody was told to take over, whatever leases say, and may still do so. */
  private forfeited = false;

  /** Another leadership begins. */
  clear(): void {
    this.rounds.clear();
    this.leaseUntil = -1;
    this.forfeited = false;
  }

  /** The latest round that was sent. */
  get last(): number {
    return this.rounds.last;
  }

  ask(id: RequestId): void {
    this.queue.ask(id);
  }

  /** Whether a round should begin for those who asked. */
  get wantsRound(): boolean {
    return this.queue.wantsRound;
  }

  /** The next round is for those who have asked: they may read at `index`. */
  admit(index: Index): void {
    this.queue.begin(this.rounds.last + 1, index);
  }

  /** Another round goes out. Returns its number. */
  begin(now: number): number {
    return this.rounds.begin(now);
  }

  /** A quorum has answered `round`: extends the lease, and answers who waits for it. */
  confirm(ctx: LeaderContext, round: number, settings: LeaderSettings): void {
    const sentAt = this.rounds.confirm(round);
    if (sentAt === undefined) return;
    if (!this.forfeited) this.leaseUntil = sentAt + leaseMs(settings);
    const readers = this.queue.confirm(round);
    if (readers === undefined) return;
    for (const id of readers.ids) ctx.replyEagerly(id, { type: "readable", index: readers.index });
  }

  /** No lease any more in this leadership, were it confirmed once more. */
  forfeitLease(): void {
    this.forfeited = true;
    this.endLease();
  }

  endLease(): void {
    this.leaseUntil = -1;
  }

  /** Everyone still waiting; nobody is afterwards. */
  abandon(): readonly RequestId[] {
    return this.queue.abandon();
  }
}
