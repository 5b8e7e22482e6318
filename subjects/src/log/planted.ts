/** A mistake and the class that makes it. */

import type { Bug, Settings } from "@quorate/lab";

/** @typeParam C - The configuration of the class. */
export interface Planted<C, P> {
  readonly bug: Bug;
  make(config: C): P;
}

/** See {@link Bug} for the meaning of all but `make`. */
export function planted<C, P>(
  name: string,
  sentence: string,
  breaks: readonly string[],
  scenarios: readonly string[],
  make: (config: C) => P,
  settings: Settings = {},
): Planted<C, P> {
  return { bug: { name, sentence, breaks, scenarios, settings }, make };
}
