/**
 * What a leader knows of one member, and the session in which it speaks to it.
 *
 * Zab counts on channels that lose nothing and keep the order. Links do neither
 * (kernel K3), so the messages of a session are numbered; if one does not come,
 * both sides give the session up, and another begins with a synchronisation (D9).
 */

import type { Index } from "../entry.ts";
import { Progress } from "../progress.ts";
import type { AckEpoch } from "./messages.ts";

export class Stream extends Progress {
  /** 0 while there is none. Numbers of sessions are used once in a leadership. */
  session = 0;
  /** The member's own count, which tells whether it asks for another session. */
  attempt = 0;
  /** The number of the last message of the session. */
  number = 0;
  /** The same, when the last but one regular ping was sent. */
  private numberBefore = 0;
  private numberThen = 0;
  /** What the member told in answer to the leader's epoch. */
  promise: AckEpoch | undefined;
  /** It has made itself known in this leadership. */
  reported = false;
  /** NEWLEADER follows everything up to here. */
  private initialEnd: Index = 0;
  private newLeaderSent = false;
  /** It has accepted NEWLEADER: what it acknowledges counts (B15). */
  synced = false;
  /** It knows that a quorum has. */
  upToDate = false;
  /**
   * The session before was over before the member was synchronised: messages were
   * lost, perhaps because there were many at once. Whoever is careful sends few.
   */
  private isCareful = false;
  /** How many proposals a careful leader has on their way; doubles with each answer. */
  private window = 1;

  /** Another session begins, of which nothing was said yet. */
  open(session: number, attempt: number): void {
    this.close();
    this.session = session;
    this.attempt = attempt;
  }

  close(): void {
    if (this.session > 0) this.isCareful = !this.synced;
    this.window = 1;
    this.session = 0;
    this.number = 0;
    this.numberBefore = 0;
    this.numberThen = 0;
    this.promise = undefined;
    this.newLeaderSent = false;
    this.synced = false;
    this.upToDate = false;
    this.told = 0;
    this.probeFrom(this.match + 1);
  }

  /** The member has the leader's history up to `held`, durably; what follows is sent. */
  begin(held: Index, initialEnd: Index, base: Index): void {
    this.match = held;
    this.probeFrom(held + 1);
    this.agreed(held, base);
    this.initialEnd = initialEnd;
  }

  override hasRoom(messages: number, bytes: number): boolean {
    return super.hasRoom(this.isCareful ? Math.min(messages, this.window) : messages, bytes);
  }

  override agreed(index: Index, base: Index): boolean {
    const news = super.agreed(index, base);
    if (news && this.isCareful) this.window *= 2;
    return news;
  }

  /** The number of the next message, which is sent now. */
  take(): number {
    return ++this.number;
  }

  /** A regular ping goes out. Returns the number of the last message sent well before it. */
  pinged(): number {
    this.numberBefore = this.numberThen;
    this.numberThen = this.number;
    return this.numberBefore;
  }

  /** Synchronisation has begun, and entries may be sent. */
  get isStreaming(): boolean {
    return this.number > 0 && this.state === "replicate";
  }

  /** Whether NEWLEADER is to be sent now; from then on it was. */
  takeNewLeader(): boolean {
    const reached = this.isCareful ? this.match : this.next - 1;
    if (this.newLeaderSent || reached < this.initialEnd) return false;
    this.newLeaderSent = true;
    return true;
  }
}
