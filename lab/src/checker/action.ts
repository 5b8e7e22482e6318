/** What happened in one step of a run: data that a reader understands and that replays. */

import { type NodeId, unreachable, type Vocabulary } from "@quorate/kernel";

import type { Envelope } from "./model.ts";

export type Action<V extends Vocabulary> = {
  /** How the dice fell, if any were thrown. */
  readonly choices?: readonly number[];
} & (
  | ({ readonly type: "deliver" | "duplicate" | "drop" } & Envelope<V>)
  | { readonly type: "timeout"; readonly node: NodeId; readonly timer: V["Timer"] }
  /** `ask`: its place among the node's asks, from 0. */
  | {
      readonly type: "ask";
      readonly node: NodeId;
      readonly ask: number;
      readonly request: V["Request"];
    }
  | { readonly type: "sync"; readonly node: NodeId; readonly count: number }
  | { readonly type: "crash"; readonly node: NodeId; readonly kept: number }
  | { readonly type: "start"; readonly node: NodeId }
  | { readonly type: "hint"; readonly node: NodeId; readonly peer: NodeId }
  | { readonly type: "tick" }
);

/** One line for people. */
export function actionText<V extends Vocabulary>(action: Action<V>): string {
  const dice = action.choices === undefined ? "" : `, choosing ${action.choices.join(", ")}`;
  return `${deed(action)}${dice}`;
}

function deed<V extends Vocabulary>(action: Action<V>): string {
  switch (action.type) {
    case "deliver":
      return `${action.to} receives from ${action.from}: ${plain(action.message)}`;
    case "duplicate":
      return `${action.to} receives a copy from ${action.from}: ${plain(action.message)}`;
    case "drop":
      return `lost from ${action.from} to ${action.to}: ${plain(action.message)}`;
    case "timeout":
      return `${action.node}: timer ${action.timer} fires`;
    case "ask":
      return `${action.node} is asked: ${plain(action.request)}`;
    case "sync":
      return `${action.node}: ${records(action.count)} durable`;
    case "crash":
      return `${action.node} crashes; of what was being written, ${records(action.kept)} on its disk`;
    case "start":
      return `${action.node} starts`;
    case "hint":
      return `${action.node} is told that ${action.peer} is gone`;
    case "tick":
      return "time passes";
    default:
      return unreachable(action);
  }
}

function records(count: number): string {
  return count === 0 ? "nothing is" : count === 1 ? "1 record is" : `${count} records are`;
}

/** Plain data in the fewest characters in which it can be read. */
function plain(value: unknown): string {
  if (value instanceof Uint8Array) return `<${[...value].join(" ")}>`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, entry]) => `${plain(key)}: ${plain(entry)}`).join(", ")}}`;
  }
  if (value instanceof Set || Array.isArray(value)) return `[${[...value].map(plain).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const { type, ...rest } = value as { readonly [field: string]: unknown };
    const fields = Object.entries(type === undefined ? value : rest).filter(
      ([, entry]) => entry !== undefined,
    );
    const text = fields.map(([key, entry]) => `${key} ${plain(entry)}`).join(", ");
    if (typeof type !== "string") return `{${text}}`;
    return text === "" ? type : `${type} {${text}}`;
  }
  return String(value);
}
