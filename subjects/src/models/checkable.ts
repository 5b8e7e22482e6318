/** A model with settings of its own, as `quorate check` runs it. */

import type { Vocabulary } from "@quorate/kernel";
import type { CheckOptions, Verdict } from "@quorate/lab/checker";

/** Whole numbers; 0 and 1 stand for no and yes. */
export type Settings = Readonly<Record<string, number>>;

export interface CheckableModel {
  readonly protocol: string;
  readonly model: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly settings: Settings;
  /** @param settings - Every one of {@link settings}, with other values perhaps. */
  run(settings: Settings, options: RunOptions): Verdict<Vocabulary>;
}

export type RunOptions = Pick<CheckOptions<Vocabulary>, "maxStates" | "onProgress" | "reduce">;
