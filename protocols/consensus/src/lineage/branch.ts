/** One generation of a lineage, and how its log speaks through the whole. */

import { type Context, Embedded, type Embedding, invariant, type RequestId } from "@quorate/kernel";

import type { Generation, Index, SnapshotMeta } from "../entry.ts";
import type { LogOutput, LogRequest, LogResponse, LogWords, OrderedLog } from "../ordered-log.ts";
import { isSnapshot } from "../replica/checkpoint.ts";
import type { LineageMessage, LineageRecord, LineageWords } from "./words.ts";

export type Ctx = Context<LineageWords>;

/** The first generation's words look as if there were no others. */
export const FIRST = 1;

/** Whoever hears what a branch says. */
interface Hearer {
  hear(ctx: Ctx, branch: Branch, value: LogOutput): void;
}

export class Branch {
  readonly generation: Generation;
  readonly log: OrderedLog<LogWords>;
  /** The entry after which it begins. */
  readonly start: Index;
  /** The seal that ended it. */
  end: Index | undefined;
  /** It ended with a seal that names no other engine: nothing goes on. */
  isFinal = false;
  /** Turns of the lingering timer since it ended. */
  turns = 0;
  /** Questions that wait for an answer. Proposals are not among them: a seal leaves none open. */
  readonly asked: Map<RequestId, LogRequest["type"]> = new Map();
  /** How its log speaks, in every step. */
  readonly embedding: Embedding<LineageWords, LogWords>;

  constructor(lineage: Hearer, generation: Generation, log: OrderedLog<LogWords>, start: Index) {
    this.generation = Object.freeze(generation);
    this.log = log;
    this.start = start;
    this.embedding = new Voice(lineage, this);
  }
}

/** A branch's way to the world. */
class Voice implements Embedding<LineageWords, LogWords> {
  private readonly lineage: Hearer;
  private readonly branch: Branch;

  constructor(lineage: Hearer, branch: Branch) {
    this.lineage = lineage;
    this.branch = branch;
  }

  message(message: LogWords["Message"]): LineageMessage {
    return { type: "inner", generation: this.branch.generation, message };
  }

  timer(timer: string): string {
    return timerOf(this.branch.generation.number, timer);
  }

  record(record: LogWords["Record"]): LineageRecord {
    return recordOf(this.branch.generation, record);
  }

  output(ctx: Ctx, value: LogOutput): void {
    this.lineage.hear(ctx, this.branch, value);
  }

  reply(ctx: Ctx, id: RequestId, response: LogResponse): void {
    const { asked, isFinal } = this.branch;
    const request = asked.get(id);
    asked.delete(id);
    ctx.reply(id, isFinal ? response : whileMoving(request, response));
  }

  note(note: LogWords["Note"]): LogWords["Note"] {
    return note;
  }

  checkpoint(): void {
    invariant(false, "a log offers no checkpoints of its own");
  }
}

/** A context for a branch, for the length of a step. */
export function voice(ctx: Ctx, branch: Branch): Context<LogWords> {
  return new Embedded<LineageWords, LogWords>(ctx, branch.embedding);
}

/**
 * A context whose timers do not wait: a node that led until now need not find
 * out first whether anybody does.
 */
export class Hurried extends Embedded<LineageWords, LogWords> {
  static of(ctx: Ctx, branch: Branch): Hurried {
    return new Hurried(ctx, branch.embedding);
  }

  override setTimer(timer: string): void {
    super.setTimer(timer, 0);
  }
}

/** What a change is told that comes while a seal is on its way, which is a change as well. */
function whileMoving(asked: LogRequest["type"] | undefined, response: LogResponse): LogResponse {
  const late = response.type === "rejected" && response.reason === "sealed";
  if (!late || (asked !== "seal" && asked !== "reconfigure")) return response;
  return { type: "changeRefused", problem: "pending", node: undefined };
}

export function recordOf(generation: Generation, record: LogWords["Record"]): LineageRecord {
  if (!isSnapshot(record)) return { type: "inner", generation, record };
  return { type: "snapshot", meta: { ...record.meta, generation } };
}

/** What a single engine's log understands. */
export function plainMeta(meta: SnapshotMeta): SnapshotMeta {
  const { index, term, configuration, configurationIndex, sealed } = meta;
  return { index, term, configuration, configurationIndex, sealed };
}

function timerOf(generation: number, timer: string): string {
  return generation === FIRST ? timer : `${generation}:${timer}`;
}

/** Whose timer it is, and what that calls it. */
export function timerParts(name: string): readonly [generation: number, timer: string] {
  const colon = name.indexOf(":");
  return colon < 0 ? [FIRST, name] : [Number(name.slice(0, colon)), name.slice(colon + 1)];
}
