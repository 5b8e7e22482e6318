/** Editing traces: recorded ones from a directory, or a generated one when there are none. */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { Random } from "@quorate/kernel";

/** Position, characters deleted, text inserted. */
export type Patch = readonly [number, number, string];

export interface Txn {
  readonly patches: readonly Patch[];
  /** Of concurrent traces: indexes of the transactions it was typed after, and who typed it. */
  readonly parents?: readonly number[];
  readonly agent?: number;
}

export interface Trace {
  readonly name: string;
  readonly isConcurrent: boolean;
  readonly txns: readonly Txn[];
}

export const RECORDED: readonly string[] = ["automerge-paper", "rustcode", "sveltecomponent", "friendsforever"];
export const GENERATED = "generated";

export function readTrace(directory: string, name: string): Trace {
  if (name === GENERATED) return generated(20_000);
  const file = path.join(directory, `${name}.json.gz`);
  const { txns } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { txns: Txn[] };
  return { name, isConcurrent: txns.some(({ parents }) => parents !== undefined), txns };
}

export function hasTraces(directory: string): boolean {
  return RECORDED.every((name) => existsSync(path.join(directory, `${name}.json.gz`)));
}

/** Somebody types words, mostly where the last one ended, and now and then takes some back. */
function generated(count: number): Trace {
  const random = new Random(1);
  const txns: Txn[] = [];
  let [length, at] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (random.chance(1, 40)) at = random.below(length + 1);
    if (at > 0 && random.chance(1, 8)) {
      txns.push({ patches: [[--at, 1, ""]] });
      length--;
    } else {
      const letter = String.fromCodePoint(97 + random.below(26));
      txns.push({ patches: [[at++, 0, letter]] });
      length++;
    }
  }
  return { name: GENERATED, isConcurrent: false, txns };
}
