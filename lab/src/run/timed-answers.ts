/**
 * Answers an open question as another run did at about the same time. Answers
 * that are counted all come to stand for other questions where one more is asked,
 * or one less; what periodic timers drive falls back into step with the clock. So a
 * run of which something is left out resembles the whole one far longer by time.
 */

import type { NodeId } from "@quorate/kernel";

import type { Answer, Entry } from "./chronicle.ts";
import type { FateKind } from "./intervention.ts";
import { type About, type Answers, ByQuestion } from "./listed-fates.ts";

/** Answers to the same question, in the order in which it was asked. */
type Lanes = ByQuestion<Answer[]>;

/** A run that went before, what of it is left out, and how exactly times must agree. */
export interface Past {
  readonly lanes: Lanes;
  readonly gone: ReadonlySet<Entry>;
  /** How much sooner or later a question may be asked. */
  readonly leewayMs: number;
}

export function lanesOf(nodes: readonly NodeId[], entries: readonly Entry[]): Lanes {
  const lanes: Lanes = new ByQuestion(nodes);
  for (const entry of entries) {
    if (entry.type === "answer") lanes.for(entry.kind, entry.on, () => []).push(entry);
  }
  return lanes;
}

export class TimedAnswers implements Answers {
  private readonly past: Past;
  private readonly clock: { readonly now: number };
  /** How many answers of a lane were given, or are too old. */
  private readonly given: Map<readonly Answer[], number> = new Map();

  constructor(past: Past, clock: { readonly now: number }) {
    this.past = past;
    this.clock = clock;
  }

  next(kind: FateKind, about: About): number | undefined {
    const { lanes, gone, leewayMs } = this.past;
    const lane = lanes.get(kind, about);
    if (lane === undefined) return undefined;
    const { now } = this.clock;
    let next = this.given.get(lane) ?? 0;
    while (next < lane.length && lane[next]!.at < now - leewayMs) next++;
    const answer = lane[next];
    const isMeant = answer !== undefined && answer.at <= now + leewayMs;
    this.given.set(lane, isMeant ? next + 1 : next);
    return !isMeant || answer.dull || gone.has(answer) ? undefined : answer.value;
  }
}
