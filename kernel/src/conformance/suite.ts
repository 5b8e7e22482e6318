/** The whole suite, in the order of the duties it examines. */

import { diskScenes } from "./disk.ts";
import type { Case } from "./driver.ts";
import { effectScenes } from "./effects.ts";
import { networkScenes } from "./network.ts";
import { partScenes } from "./parts.ts";
import { casesOf } from "./stage.ts";
import { stepScenes } from "./steps.ts";
import { timerScenes } from "./timers.ts";

/** Every driver passes every case whose needs it meets. */
export const conformance: readonly Case[] = [
  ...stepScenes,
  ...networkScenes,
  ...effectScenes,
  ...timerScenes,
  ...diskScenes,
  ...partScenes,
]
  .flatMap(casesOf)
  .toSorted((a, b) => Number(a.duty.slice(1)) - Number(b.duty.slice(1)));
