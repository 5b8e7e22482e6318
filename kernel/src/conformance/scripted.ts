/**
 * A process that does as it is told and reports everything it sees. It knows
 * nothing of any driver; what the suite claims, it claims about these reports.
 */

import { unreachable } from "../invariant.ts";
import type { Context, NodeId, Position, Process, RequestId } from "../process.ts";
import {
  type Act,
  bodyOf,
  isBodyOf,
  type Letter,
  type Line,
  type Program,
  type ScriptWords,
  type Sight,
} from "./script.ts";

type Ctx = Context<ScriptWords>;
type PlainLetter = Extract<Letter, { type: "letter" }>;

/** A program put off, and the request that it may answer. */
interface Task {
  readonly next: Program;
  readonly request: RequestId | undefined;
}

interface TimedTask extends Task {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly times: number;
}

/** How many of a process's checkpoints were begun to be read, and how many let go of. */
export interface Readers {
  opened: number;
  closed: number;
}

/** Bytes of a line beside its text: enough for a driver's buffers to matter. */
const LINE_BYTES = 64;

export class Scripted implements Process<ScriptWords> {
  /** What was persisted in all lives, as far as this one knows. */
  texts: string[] = [];
  readonly readers: Readers = { opened: 0, closed: 0 };
  private readonly lines: Line[] = [];
  private readonly letters: PlainLetter[] = [];
  private readonly timers: Map<string, TimedTask> = new Map();
  private readonly idle: Task[] = [];
  private readonly durable: { readonly position: Position; readonly task: Task }[] = [];
  /** The last record's position; 0 before the first. */
  private position: Position = 0;
  /** Counts the calls of handlers. */
  private step = 0;
  /** Whether a handler is running. */
  private busy = false;

  recover(line: Line): void {
    this.lines.push(line);
    switch (line.type) {
      case "line":
        this.texts.push(line.text);
        return;
      case "image":
        this.texts.push(...line.texts);
        return;
      case "part":
        throw new Error("a scripted process has no parts");
      default:
        unreachable(line);
    }
  }

  onStart(ctx: Ctx): void {
    this.begin(ctx, { type: "started", lines: [...this.lines] });
    this.busy = false;
  }

  onMessage(ctx: Ctx, from: NodeId, letter: Letter): void {
    if (letter.type === "part") return;
    this.begin(ctx, { type: "message", from, text: letter.text });
    this.letters.push(letter);
    this.run(ctx, letter.next, undefined);
    this.busy = false;
  }

  onTimer(ctx: Ctx, name: string): void {
    this.begin(ctx, { type: "timer", name });
    const task = this.timers.get(name);
    this.timers.delete(name);
    if (task !== undefined) {
      const { delayMs, jitterMs, next, request } = task;
      const times = task.times - 1;
      const again: Act = { type: "setTimer", name, delayMs, jitterMs, times, next };
      if (times > 0) this.perform(ctx, again, request);
      this.run(ctx, next, request);
    }
    this.busy = false;
  }

  onRequest(ctx: Ctx, id: RequestId, program: Program): void {
    this.begin(ctx, { type: "request", id });
    this.run(ctx, program, id);
    this.busy = false;
  }

  onDurable(ctx: Ctx, position: Position): void {
    this.begin(ctx, { type: "durable", position });
    while (this.durable[0] !== undefined && this.durable[0].position <= position) {
      const { task } = this.durable.shift()!;
      this.run(ctx, task.next, task.request);
    }
    this.busy = false;
  }

  onIdle(ctx: Ctx): void {
    this.begin(ctx, { type: "idle" });
    for (const { next, request } of this.idle.splice(0)) this.run(ctx, next, request);
    this.busy = false;
  }

  onUnreachable(ctx: Ctx, peer: NodeId): void {
    this.begin(ctx, { type: "unreachable", peer });
    this.busy = false;
  }

  private begin(ctx: Ctx, sight: Sight): void {
    this.step++;
    if (this.busy) this.see(ctx, { type: "overlapped" });
    this.busy = true;
    this.see(ctx, sight);
  }

  private run(ctx: Ctx, program: Program, request: RequestId | undefined): void {
    for (const act of program) this.perform(ctx, act, request);
  }

  private perform(ctx: Ctx, act: Act, request: RequestId | undefined): void {
    switch (act.type) {
      case "persist":
        return this.persist(ctx, act.text);
      case "send": {
        const { to, text, size, next } = act;
        const letter = { type: "letter", text, body: bodyOf(text, size), next } as const;
        return act.eager ? ctx.sendEagerly(to, letter) : ctx.send(to, letter);
      }
      case "output": {
        const { text, eager } = act;
        return eager ? ctx.outputEagerly({ text, eager }) : ctx.output({ text, eager });
      }
      case "reply": {
        const { text, eager } = act;
        if (request === undefined) return;
        return eager
          ? ctx.replyEagerly(request, { text, eager })
          : ctx.reply(request, { text, eager });
      }
      case "setTimer": {
        const { name, delayMs, jitterMs, times, next } = act;
        this.timers.set(name, { delayMs, jitterMs, times, next, request });
        this.see(ctx, { type: "armed", name, delayMs });
        return ctx.setTimer(name, delayMs, jitterMs);
      }
      case "cancelTimer":
        this.timers.delete(act.name);
        return ctx.cancelTimer(act.name);
      case "checkpoint":
        return ctx.checkpoint(image([...this.texts], this.readers));
      case "choose": {
        const { count } = act;
        return this.see(ctx, { type: "chose", count, value: ctx.choose(count) });
      }
      case "note":
        return this.see(ctx, { type: "said", text: act.text });
      case "inspect":
        return this.inspect(ctx);
      case "whenDurable":
        this.durable.push({ position: this.position, task: { next: act.next, request } });
        return;
      case "whenIdle":
        this.idle.push({ next: act.next, request });
        return;
      default:
        unreachable(act);
    }
  }

  private persist(ctx: Ctx, text: string): void {
    this.texts.push(text);
    this.position = ctx.persist({ type: "line", text, body: bodyOf(text, LINE_BYTES) });
    this.see(ctx, { type: "persisted", text, position: this.position });
  }

  private inspect(ctx: Ctx): void {
    const kept: { readonly text: string; readonly body: Uint8Array }[] = [...this.letters];
    for (const line of this.lines) if (line.type === "line") kept.push(line);
    const spoilt = kept.filter(({ text, body }) => !isBodyOf(text, body)).map(({ text }) => text);
    this.see(ctx, { type: "inspected", count: kept.length, spoilt });
  }

  private see(ctx: Ctx, sight: Sight): void {
    ctx.note({ ...sight, step: this.step, now: ctx.now });
  }
}

/** Records of a checkpoint, produced as the driver asks for them. */
function* image(texts: readonly string[], readers: Readers): Generator<Line> {
  readers.opened++;
  try {
    if (texts.length === 0) yield { type: "image", first: true, texts };
    for (const [i, text] of texts.entries()) {
      yield { type: "image", first: i === 0, texts: [text] };
    }
  } finally {
    readers.closed++;
  }
}
