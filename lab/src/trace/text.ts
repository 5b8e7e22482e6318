/**
 * A trace as text: time downwards, a lane for each node, and what happened in
 * words. Dense enough to read, regular enough to search.
 */

import type { NodeId } from "@quorate/kernel";

import type { Effect, TraceEvent } from "./trace.ts";

export interface TextOptions {
  /** Leave out effects that only repeat: notes and outputs. */
  readonly brief?: boolean;
}

/** One line a step, and one for each thing it did that others can see. */
export function traceText(
  events: readonly TraceEvent[],
  nodes: readonly NodeId[],
  options: TextOptions = {},
): string {
  const down = new Set(nodes);
  const lines: string[] = [];
  for (const event of events) {
    if (event.kind === "start" && event.node !== undefined) down.delete(event.node);
    if (event.kind === "stop" && event.node !== undefined) down.add(event.node);
    const heading = headingOf(event);
    const effects = effectLines(event.effects, options.brief === true);
    if (heading === undefined && effects.length === 0 && event.state === undefined) continue;
    const time = String(event.atMs).padStart(8);
    lines.push(`${time}  ${lanes(event, nodes, down)}  ${heading ?? ""}`.trimEnd());
    const margin = " ".repeat(12 + nodes.length);
    for (const effect of effects) lines.push(`${margin}  ${effect}`);
    if (event.state !== undefined) lines.push(`${margin}  = ${event.state}`);
  }
  return `${lines.join("\n")}\n`;
}

/** A character for each node: who acts, who is up, who is down. */
function lanes(event: TraceEvent, nodes: readonly NodeId[], down: ReadonlySet<NodeId>): string {
  return nodes
    .map((node) => {
      if (node !== event.node) return down.has(node) ? " " : "|";
      if (event.kind === "stop") return "x";
      return event.kind === "action" ? "!" : "*";
    })
    .join("");
}

function headingOf({ kind, node, from, text }: TraceEvent): string | undefined {
  switch (kind) {
    case "message":
      return `${node} hears ${from}: ${text}`;
    case "timer":
      return `${node}: ${text} timer`;
    case "sync":
      return `${node}: the disk is done`;
    case "idle":
      return `${node} is idle`;
    case "request":
      return `${node} is asked: ${text}`;
    case "unreachable":
      return `${node} is told that ${from} is unreachable`;
    case "start":
      return `${node} starts`;
    case "stop":
      return text === "" ? `${node} is down` : `${node} is down; ${text}`;
    case "action":
      return `-- ${text}`;
  }
}

/** The same words to several receivers become one line. */
function effectLines(effects: readonly Effect[], brief: boolean): readonly string[] {
  const lines: string[] = [];
  for (let i = 0; i < effects.length; i++) {
    const effect = effects[i]!;
    if (effect.type !== "send") {
      if (!brief || effect.type === "persist" || effect.type === "reply") lines.push(plain(effect));
      continue;
    }
    const to = [receiver(effect)];
    for (let next = effects[i + 1]; alike(effect, next); next = effects[++i + 1]) {
      to.push(receiver(next));
    }
    lines.push(`${effect.eager ? "~>" : "->"} ${to.join(" ")}: ${effect.text}`);
  }
  return lines;
}

type Send = Extract<Effect, { readonly type: "send" }>;

function alike(one: Send, next: Effect | undefined): next is Send {
  return next?.type === "send" && next.text === one.text && next.eager === one.eager;
}

function receiver({ to, delays }: Send): string {
  if (delays.length === 0) return `${to}(lost)`;
  return delays.length === 1 ? to : `${to}(twice)`;
}

function plain({ type, text }: Exclude<Effect, Send>): string {
  switch (type) {
    case "persist":
      return `disk: ${text}`;
    case "note":
      return `notes ${text}`;
    case "output":
      return `puts out: ${text}`;
    case "reply":
      return `answers: ${text}`;
  }
}
