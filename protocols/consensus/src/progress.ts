/**
 * What a leader knows of one member: how far its log agrees, what is on its
 * way, and how boldly to send.
 *
 * - `probe`: where the logs agree is not known; one message at a time.
 * - `replicate`: it is known; messages are pipelined within a window.
 * - `snapshot`: what it needs is compacted away; entries wait for a snapshot.
 */

import type { Index } from "./entry.ts";

interface Inflight {
  readonly index: Index;
  readonly bytes: number;
}

export class Progress {
  state: "probe" | "replicate" | "snapshot" = "probe";
  /** The member's log agrees with the leader's up to here, durably. Only grows, unless its disk has lost something. */
  match: Index = 0;
  /** The first entry of the next append. Always above `match`. */
  next: Index;
  /** A probe is on its way; the next heartbeat allows another. */
  probing = false;
  /** It answered anything since the last check of the quorum. */
  active = true;
  /** The same, at the last check. */
  private wasActive = true;
  /** The latest round of heartbeats it answered. */
  round = 0;
  /** The highest commit index it was told. */
  told: Index = 0;
  /** It says that its disk or its event loop has become slow. */
  slow = false;
  /**
   * Catching up goes in rounds (thesis §4.2.1): one is over when the member has
   * what was the leader's last entry when it began. None is open while it has everything.
   */
  private roundEnd: Index | undefined;
  private roundBegan: number;
  /** How long the last round took that ended. */
  private roundMs = Infinity;
  private inflight: Inflight[] = [];
  private inflightBytes = 0;

  /** @param next - The leader's log ends before it. */
  constructor(next: Index, now: number) {
    this.next = next;
    this.roundEnd = next - 1;
    this.roundBegan = now;
  }

  /** The quorum is checked: activity counts anew. */
  beginPeriod(): void {
    this.wasActive = this.active;
    this.active = false;
  }

  /** It answered of late: worth sending to, fit to be relied on. */
  get isRecent(): boolean {
    return this.active || this.wasActive;
  }

  /** The member agreed with something: a round may be over, and another begin. */
  measure(lastIndex: Index, now: number): void {
    if (this.roundEnd !== undefined && this.match >= this.roundEnd) {
      // With everything there is, the next round would take no time (scenario S10).
      this.roundMs = this.match >= lastIndex ? 0 : now - this.roundBegan;
      this.roundEnd = undefined;
    }
    if (this.roundEnd !== undefined || this.match >= lastIndex) return;
    this.roundEnd = lastIndex;
    this.roundBegan = now;
  }

  /**
   * Whether the member would not slow decisions down: its last round took less
   * than an election timeout, and the present one does not take longer (R30).
   */
  isCaughtUp(now: number, withinMs: number): boolean {
    const keepsUp = this.roundEnd === undefined || now - this.roundBegan < withinMs;
    return this.isRecent && this.state === "replicate" && this.roundMs < withinMs && keepsUp;
  }

  /** Whether another append may go out, given the window. */
  hasRoom(messages: number, bytes: number): boolean {
    if (this.state === "probe") return !this.probing;
    return this.inflight.length < messages && this.inflightBytes < bytes;
  }

  /** Something sent has not been answered. */
  get waiting(): boolean {
    return this.inflight.length > 0;
  }

  sent(last: Index, bytes: number): void {
    if (this.state === "probe") {
      this.probing = true;
      return;
    }
    this.next = last + 1;
    this.inflight.push({ index: last, bytes });
    this.inflightBytes += bytes;
  }

  /**
   * The member's log agrees up to `index`. Returns whether that is news.
   * @param base - Up to where the leader's own log is compacted away: an old
   * answer from below it does not mean that the snapshot has arrived.
   */
  agreed(index: Index, base: Index): boolean {
    const news = index > this.match;
    if (news) this.match = index;
    this.next = Math.max(this.next, this.match + 1);
    if (this.state === "snapshot" && this.match < base) return news;
    if (this.state !== "replicate") {
      this.state = "replicate";
      this.next = this.match + 1;
      this.clear();
    }
    let answered = 0;
    while (answered < this.inflight.length && this.inflight[answered]!.index <= index) {
      this.inflightBytes -= this.inflight[answered++]!.bytes;
    }
    if (answered > 0) this.inflight.splice(0, answered);
    return news;
  }

  /**
   * The member does not have the entry at `prevIndex`; the logs could agree up
   * to `hint`. Returns whether that is about what was sent last, and not stale.
   */
  refused(prevIndex: Index, hint: Index): boolean {
    const stale =
      this.state === "replicate" ? prevIndex <= this.match : prevIndex !== this.next - 1;
    if (this.state === "snapshot" || stale) return false;
    this.probeFrom(Math.max(this.match + 1, Math.min(prevIndex, hint + 1)));
    return true;
  }

  /** The member's disk has lost what it had from `index` on: what it agreed to counts no more. */
  lost(index: Index): void {
    this.match = Math.min(this.match, index - 1);
    this.told = Math.min(this.told, index - 1);
    if (this.state !== "snapshot") this.probeFrom(index);
  }

  probeFrom(next: Index): void {
    this.state = "probe";
    this.next = next;
    this.clear();
  }

  /**
   * The member holds nothing from `next` on: it is sent once more. Also what it held
   * once, if its disk lost that: an answer on its way then must not be believed again.
   */
  rewind(next: Index): void {
    this.next = next;
    this.match = Math.min(this.match, next - 1);
    this.clear();
  }

  awaitSnapshot(): void {
    this.state = "snapshot";
    this.clear();
  }

  private clear(): void {
    this.probing = false;
    this.inflight = [];
    this.inflightBytes = 0;
  }
}
