/** The form of what the suite plays. */

import type { LogWords } from "../ordered-log.ts";
import type { Engine, MakeWorld } from "./world.ts";

export interface Scene {
  /** A sentence that states what every engine promises. */
  readonly name: string;
  /** How many seeds are worth playing by default; scenes that draw nothing need one. */
  readonly seeds: number;
  /** @throws Violation if the engine breaks a promise. */
  play<L extends LogWords>(engine: Engine<L>, makeWorld: MakeWorld<L>, seed: number): void;
}
