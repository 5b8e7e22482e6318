/**
 * What a node and the process that started it say to each other, if that was
 * `quorate up`. When the line breaks the parent is gone, and the node stops.
 */

import process from "node:process";

import type { Leadership } from "./running-node.ts";

/** From a node to its parent. */
export type NodeWord =
  | { readonly type: "serving"; readonly addresses: Readonly<Record<string, string>> }
  | ({ readonly type: "leader" } & Leadership)
  /** It will exit with status 1, for this reason. */
  | { readonly type: "failed"; readonly reason: string }
  /** The same, and for good: the cluster has removed it. */
  | { readonly type: "removed"; readonly reason: string };

/** From the parent to a node. */
export interface StopWord {
  readonly type: "stop";
  /** How long handing leadership over may take. */
  readonly graceMs: number;
}

export class Lifeline {
  /** Whether somebody holds the other end. */
  readonly held: boolean = process.connected;

  /** Resolves when the word is on its way. A parent that has just gone hears nothing. */
  say(word: NodeWord): Promise<void> {
    return new Promise((resolve) => {
      if (process.connected) process.send?.(word, undefined, {}, () => resolve());
      else resolve();
    });
  }

  /** Calls back when the parent wants the node to stop, or is gone (then with `graceMs`). */
  onStop(stop: (graceMs: number) => void, graceMs: number): void {
    if (!this.held) return;
    process.on("message", (word: unknown) => {
      if (isStop(word)) stop(word.graceMs);
    });
    process.on("disconnect", () => stop(graceMs));
  }

  /** Lets the process end though the parent still holds on. */
  hangUp(): void {
    process.removeAllListeners("message");
    process.removeAllListeners("disconnect");
    if (process.connected) process.disconnect();
  }
}

function isStop(word: unknown): word is StopWord {
  return typeof word === "object" && word !== null && "type" in word && word.type === "stop";
}
