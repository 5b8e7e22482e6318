/** A clock that counts what was seen (Lamport 1978), the way Serf counts: the next message's time. */

import { type LTime, LTIME_MAX } from "./messages.ts";

export class LamportClock {
  /** The time the next message from here gets. */
  time: LTime = 1;

  /** Takes the present time for a message, and moves on. */
  take(): LTime {
    return this.time++;
  }

  /** Moves past the time of a message that was seen. */
  witness(seen: LTime): void {
    if (seen >= this.time && seen < LTIME_MAX) this.time = seen + 1;
  }
}
