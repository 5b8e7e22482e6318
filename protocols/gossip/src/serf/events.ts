/** Serf's user events: told to every member once, in no particular order. */

import type { RequestId } from "@quorate/kernel";

import { sameBytes } from "../member.ts";
import type { Ctx } from "../swim/state.ts";
import { Coalescer } from "./coalescer.ts";
import type { SerfConfig } from "./config.ts";
import { LamportClock } from "./lamport.ts";
import { LTIME_MAX, type UserEvent } from "./messages.ts";
import { Recent } from "./recent.ts";
import { Roll } from "./roll.ts";

interface PastEvent {
  readonly name: string;
  readonly payload: Uint8Array;
}

/** No configuration lets events be longer: they would not fit packets. */
const EVENT_BYTES_HARD = 9 * 1024;

export abstract class Events extends Roll {
  readonly eventClock: LamportClock = new LamportClock();
  protected readonly recentEvents: Recent<PastEvent>;
  private eventsSent = 0;
  /** Of each name, the latest events that may be told as one. */
  private readonly gatheredEvents: Coalescer<readonly UserEvent[]> = new Coalescer();

  constructor(config: SerfConfig) {
    super(config);
    this.recentEvents = new Recent(config.eventBuffer);
  }

  protected onSendEvent(
    ctx: Ctx,
    id: RequestId,
    event: Pick<UserEvent, "name" | "payload" | "coalesce">,
  ): void {
    const { name, payload, coalesce } = event;
    const limit = Math.min(EVENT_BYTES_HARD, this.serf.eventBytes);
    if (name.length + payload.length > limit) {
      const reason = `an event has at most ${limit} bytes of name and payload`;
      return ctx.replyEagerly(id, { type: "refused", reason });
    }
    const ltime = this.eventClock.take();
    this.onUserEvent(ctx, { type: "userEvent", ltime, name, payload, coalesce });
    ctx.replyEagerly(id, { type: "sent", ltime });
  }

  /** Delivers and tells on what is news (G50). */
  protected onUserEvent(ctx: Ctx, event: UserEvent): void {
    if (!this.deliver(ctx, event)) return;
    this.queue(ctx, this.events, `${this.eventsSent++}`, event);
  }

  /** Delivers an event if it is news. Returns whether it was. */
  protected deliver(ctx: Ctx, event: UserEvent): boolean {
    const { ltime, name, payload } = event;
    if (ltime >= LTIME_MAX) return false;
    this.eventClock.witness(ltime);
    if (!this.recentEvents.note(this.eventClock, ltime, { name, payload }, sameEvent)) return false;
    const { userCoalesceMs, userQuietMs } = this.serf;
    if (!event.coalesce || userCoalesceMs === 0) {
      ctx.outputEagerly({ type: "userEvent", event });
      return true;
    }
    if (this.gatheredEvents.empty) ctx.setTimer("userCoalesce", userCoalesceMs);
    ctx.setTimer("userQuiet", userQuietMs);
    const gathered = this.gatheredEvents.get(name) ?? [];
    const latest = gathered[0]?.ltime ?? 0;
    if (ltime > latest) this.gatheredEvents.put(name, [event]);
    else if (ltime === latest) this.gatheredEvents.put(name, [...gathered, event]);
    return true;
  }

  protected tellEvents(ctx: Ctx): void {
    ctx.cancelTimer("userCoalesce");
    ctx.cancelTimer("userQuiet");
    for (const [, events] of this.gatheredEvents.flush()) {
      for (const event of events) ctx.outputEagerly({ type: "userEvent", event });
    }
  }
}

function sameEvent(a: PastEvent, b: PastEvent): boolean {
  return a.name === b.name && sameBytes(a.payload, b.payload);
}
