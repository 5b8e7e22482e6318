/**
 * A whole around a {@link Scripted} part, with texts of its own in the same
 * log. Every case of the suite is played by both, since a part must not be able
 * to tell that it is one (K8).
 */

import { Embedded, type Embedding } from "../embed.ts";
import type { Context, NodeId, Position, Process, RequestId } from "../process.ts";
import { bodyOf, type Letter, type Line, type Program, type ScriptWords } from "./script.ts";
import type { Sighting, Utterance } from "./script.ts";
import { Scripted } from "./scripted.ts";

type Ctx = Context<ScriptWords>;

/** An output of the part that begins so makes the whole persist it as its own. */
export const TELL = "tell ";

export class Nested implements Process<ScriptWords>, Embedding<ScriptWords, ScriptWords> {
  readonly part: Scripted = new Scripted();
  /** The whole's own texts. */
  private readonly texts: string[] = [];

  recover(line: Line): void {
    if (line.type === "part") this.part.recover(line.line);
    else if (line.type === "line") this.texts.push(line.text);
    else this.texts.push(...line.texts);
  }

  onStart(ctx: Ctx): void {
    ctx.note({ type: "whole", texts: [...this.texts], step: 0, now: ctx.now });
    this.part.onStart(this.below(ctx));
  }

  onMessage(ctx: Ctx, from: NodeId, letter: Letter): void {
    if (letter.type === "part") this.part.onMessage(this.below(ctx), from, letter.letter);
  }

  onTimer(ctx: Ctx, name: string): void {
    this.part.onTimer(this.below(ctx), name.slice("part:".length));
  }

  onRequest(ctx: Ctx, id: RequestId, program: Program): void {
    this.part.onRequest(this.below(ctx), id, program);
  }

  onDurable(ctx: Ctx, position: Position): void {
    this.part.onDurable(this.below(ctx), position);
  }

  onIdle(ctx: Ctx): void {
    this.part.onIdle(this.below(ctx));
  }

  onUnreachable(ctx: Ctx, peer: NodeId): void {
    this.part.onUnreachable(this.below(ctx), peer);
  }

  // What the part says (Embedding).

  message(letter: Letter): Letter {
    return { type: "part", letter };
  }

  timer(name: string): string {
    return `part:${name}`;
  }

  record(line: Line): Line {
    return { type: "part", line };
  }

  note(sighting: Sighting): Sighting {
    return sighting;
  }

  output(ctx: Ctx, value: Utterance): void {
    const { text, eager } = value;
    if (text.startsWith(TELL)) {
      this.texts.push(text);
      ctx.persist({ type: "line", text, body: bodyOf(text, 8) });
    }
    ctx.note({ type: "heard", text, step: 0, now: ctx.now });
    if (eager) ctx.outputEagerly(value);
    else ctx.output(value);
  }

  reply(ctx: Ctx, id: RequestId, value: Utterance): void {
    if (value.eager) ctx.replyEagerly(id, value);
    else ctx.reply(id, value);
  }

  checkpoint(ctx: Ctx, lines: Iterable<Line>): void {
    ctx.checkpoint(wholeImage([...this.texts], lines));
  }

  private below(ctx: Ctx): Context<ScriptWords> {
    return new Embedded<ScriptWords, ScriptWords>(ctx, this);
  }
}

function* wholeImage(texts: readonly string[], part: Iterable<Line>): Generator<Line> {
  yield { type: "image", first: true, texts };
  for (const line of part) yield { type: "part", line };
}
