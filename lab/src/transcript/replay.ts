/**
 * Transcripts (after etcd-io/raft's): a scenario as plain text, and below each
 * command what came of it. A reviewer reads them like prose; a change of
 * behaviour shows as a change of text.
 *
 * Lines that begin with `#` are prose, lines that begin with a space are the
 * trace, other lines are {@link perform commands}. Replaying keeps prose and
 * commands and writes the trace anew: a test compares, a person regenerates.
 *
 * @example
 * ```text
 * # A follower that hears nothing asks around.
 *
 * cluster a b c
 * fire a election
 *   a at 500: election timer
 *     note campaigning
 * ```
 */

import { InvariantViolation, type Process, type Vocabulary } from "@quorate/kernel";

import { perform } from "./commands.ts";
import type { Language } from "./language.ts";
import { World } from "./world.ts";

export interface Replayed {
  /** The script with its trace as it is now. */
  readonly text: string;
  /** Promises that were broken and nodes that stopped, unless the script said so. */
  readonly alarms: readonly string[];
}

/** A line of a script could not be carried out: its number and why. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  /** Counted from 1, in the script as it was given. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

/** Replays a script. @throws ScriptError for a line that makes no sense. */
export function replay<V extends Vocabulary, P extends Process<V>>(
  script: string,
  language: Language<V, P>,
): Replayed {
  const world = new World<V, P>(language);
  const written: string[] = [];
  for (const [i, line] of script.split("\n").entries()) {
    if (line.startsWith(" ")) continue;
    written.push(line.trimEnd());
    if (line.trim() === "" || line.startsWith("#")) continue;
    try {
      written.push(...obey(world, line));
    } catch (error) {
      if (error instanceof ScriptError) throw error;
      throw new ScriptError(i + 1, error instanceof Error ? error.message : String(error));
    }
  }
  return { text: written.join("\n"), alarms: world.trace.alarms };
}

/** One command with its adverbs. Returns its trace. */
function obey<V extends Vocabulary, P extends Process<V>>(
  world: World<V, P>,
  line: string,
): readonly string[] {
  const [, adverb, command = line] = /^(quietly|fatally)\s+(.*)$/.exec(line) ?? [];
  world.fatal = adverb === "fatally";
  const before = world.trace.alarms.length;
  perform(world, command);
  const lines = world.trace.take();
  const stopped = lines.some((text) => / stops: /.test(text));
  if (world.fatal && !stopped) throw new InvariantViolation("no node stopped, though one must");
  const alarmed = world.trace.alarms.length > before;
  return adverb === "quietly" && !alarmed ? [] : lines;
}
