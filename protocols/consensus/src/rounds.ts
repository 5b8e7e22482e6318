/**
 * Rounds of heartbeats, numbered within a leadership, so that an answer confirms
 * a point in time (Ongaro 2014, §6.4): whoever answered a round had promised
 * nobody else to follow him when it was sent.
 */

export class Rounds {
  /** The latest round that was sent. */
  last = 0;
  /** When each round that a quorum has not answered yet was sent. */
  private sent: { readonly round: number; readonly at: number }[] = [];

  /** Another round goes out. Returns its number. */
  begin(now: number): number {
    this.sent.push({ round: ++this.last, at: now });
    return this.last;
  }

  /** A quorum has answered `round`. Returns when it, or the last one before it, was sent, if that is news. */
  confirm(round: number): number | undefined {
    let at: number | undefined;
    while (this.sent[0] !== undefined && this.sent[0].round <= round) at = this.sent.shift()!.at;
    return at;
  }

  /** Another leadership begins. */
  clear(): void {
    this.last = 0;
    this.sent = [];
  }
}
