/** Models of ordered logs with settings, and the changes of membership that every engine goes through. */

import type { LogWords, OrderedLog } from "@quorate/consensus";
import type { Vocabulary } from "@quorate/kernel";
import { type Action, check, type Verdict } from "@quorate/lab/checker";

import type { CheckableModel, RunOptions, Settings } from "./checkable.ts";
import { firstLeader, type LogModel, type LogParameters } from "./log.ts";

/** A model of an engine's log. Variants of the class that are wrong on purpose can be put into it. */
export interface LogRow<P, C> extends CheckableModel {
  plant(make: (config: C) => P, options: RunOptions): Verdict<Vocabulary>;
}

const USUAL: Settings = {
  nodes: 3,
  elections: 2,
  heartbeats: 0,
  quorumChecks: 0,
  proposals: 0,
  crashes: 0,
  duplicates: 0,
  terms: 2,
  inFlight: 0,
  slowDisk: 0,
  electionsOnly: 0,
  // Where it begins: 0 where all nodes have just started, 1 with a leader, 2 and more as the engine says.
  led: 1,
};

/** Timers that not every engine has, or uses: they fire as often as a setting of the name says. */
const OWN_TIMERS = ["finalize", "stand", "transfer"] as const;

/** Steps to take before a search. */
export type Opening<L extends LogWords, P extends OrderedLog<L>> = (
  model: LogModel<L, P>,
) => readonly Action<L>[];

/** One voter becomes two. */
export const GROWING = {
  summary: "a second voter takes part in what the first has begun, while one of them crashes",
  settings: {
    nodes: 2,
    voters: 1,
    joins: 1,
    askers: 1,
    proposals: 1,
    crashes: 1,
    slowDisk: 1,
    inFlight: 3,
  },
} as const;

/** The voters before and after have nobody in common. */
export const REPLACING = {
  summary: "the only voter gives way to another, and neither undoes what the other has committed",
  settings: {
    nodes: 2,
    voters: 1,
    joins: 1,
    leaves: 1,
    proposals: 1,
    elections: 1,
    crashes: 1,
    slowDisk: 1,
    inFlight: 3,
  },
} as const;

/** One of two voters stays. */
export const EXCHANGING = {
  summary: "of two voters one is replaced, and whoever leads knows what both have committed",
  settings: {
    voters: 2,
    joins: 1,
    leaves: 1,
    crashes: 1,
    inFlight: 4,
  },
} as const;

/**
 * Makes rows of one engine.
 *
 * @param openings - Where models begin whose setting `led` is 1, 2 and so on.
 */
export function logRows<L extends LogWords, P extends OrderedLog<L>, C>(
  protocol: string,
  modelOf: (parameters: LogParameters, make?: (config: C) => P) => LogModel<L, P>,
  openings: readonly Opening<L, P>[] = [firstLeader],
): (model: string, summary: string, own: Settings) => LogRow<P, C> {
  return (model, summary, own) => {
    const settings = { ...USUAL, ...own };
    const search = (
      values: Settings,
      options: RunOptions,
      make?: (config: C) => P,
    ): Verdict<Vocabulary> => {
      const made = modelOf(parametersOf(values), make);
      const { led = 0 } = values;
      if (led === 0) return check(made, options);
      const opening = openings[led - 1];
      if (opening === undefined) throw new RangeError(`led is ${led}, above ${openings.length}`);
      return check(made, { ...options, from: opening(made) });
    };
    return {
      protocol,
      model,
      summary,
      settings,
      run: (values, options) => search(values, options),
      plant: (make, options) => search(settings, options, make),
    };
  };
}

function parametersOf(values: Settings): LogParameters {
  const value = (name: string): number => values[name] ?? USUAL[name] ?? 0;
  const nodes = value("nodes");
  const first = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const { voters, candidates, askers, slowNodes } = values;
  return {
    nodes,
    ...(voters === undefined ? {} : { voters }),
    ...(candidates === undefined ? {} : { candidates }),
    elections: value("elections"),
    heartbeats: value("heartbeats"),
    quorumChecks: value("quorumChecks"),
    timers: Object.fromEntries(
      OWN_TIMERS.filter((timer) => values[timer] !== undefined).map((timer) => [
        timer,
        value(timer),
      ]),
    ),
    proposals: value("proposals"),
    joins: value("joins"),
    leaves: value("leaves"),
    ...(askers === undefined ? {} : { proposers: first(askers) }),
    crashes: value("crashes"),
    duplicates: value("duplicates"),
    terms: value("terms"),
    inFlight: value("inFlight"),
    electionsOnly: value("electionsOnly") !== 0,
    slowDisk: slowNodes === undefined ? value("slowDisk") !== 0 : first(slowNodes),
  };
}
