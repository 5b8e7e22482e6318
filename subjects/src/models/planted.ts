/** Bugs of the exam, looked for by models instead of random runs. */

import type { Raft, RaftConfig } from "@quorate/consensus";
import { invariant, type Vocabulary } from "@quorate/kernel";
import type { Bug } from "@quorate/lab";
import type { Progress, Verdict } from "@quorate/lab/checker";

import type { Planted } from "../log/planted.ts";
import { CLIENT_CLAIMS } from "../log/witness.ts";
import { paxosBugs } from "../paxos/bugs.ts";
import { raftBugs } from "../raft/bugs.ts";
import { zabBugs } from "../zab/bugs.ts";
import { PAXOS_MODELS, RAFT_MODELS, ZAB_MODELS } from "./catalogue.ts";
import type { RunOptions } from "./checkable.ts";
import type { LogRow } from "./log-rows.ts";
import { type Hunt, RAFT_HUNTS, searchHunt } from "./raft-hunts.ts";

export interface PlantedVerdict {
  readonly bug: string;
  /** The model that found it, or the last one that was searched. */
  readonly hunt: string;
  /** Of all models together. */
  readonly states: number;
  readonly verdict: Verdict<Vocabulary>;
}

export interface HuntOptions {
  /** Of each model. */
  readonly maxStates?: number | undefined;
  /** Told now and then how far the search of a model is. */
  readonly onProgress?: (hunt: string, progress: Progress) => void;
}

/** A model, for variants of the class. */
interface Ground<C, P> {
  readonly name: string;
  /** The bug that it is aimed at, if it is at one. */
  readonly bug?: string;
  search(make: (config: C) => P, options: RunOptions): Verdict<Vocabulary>;
}

/** Where the bugs of a protocol may be looked for. */
interface Field {
  readonly bugs: readonly Bug[];
  hunt(bug: string, options: HuntOptions): PlantedVerdict;
}

/** Models ask neither what clients read nor whether anything happens at all. */
const UNASKED: ReadonlySet<string> = new Set(["liveness", ...CLIENT_CLAIMS.map(({ id }) => id)]);

/** Every model is searched so far before any is searched to its end: most bugs are not deep. */
const SHALLOW = 40_000;
/** And then so far, unless somebody says otherwise. */
const MOST = 2_000_000;

const FIELDS: ReadonlyMap<string, Field> = new Map([
  ["raft", fieldOf(raftBugs, [...RAFT_HUNTS.map(aimed), ...RAFT_MODELS.map(groundOf)])],
  ["paxos", fieldOf(paxosBugs, PAXOS_MODELS.map(groundOf))],
  ["zab", fieldOf(zabBugs, ZAB_MODELS.map(groundOf))],
]);

/** Protocols whose bugs can be planted into models. */
export const PLANTABLE: readonly string[] = [...FIELDS.keys()];

/** Names of the bugs that {@link huntPlanted} knows of a protocol. */
export function plantedOf(protocol: string): readonly string[] {
  const bugs = FIELDS.get(protocol)?.bugs ?? [];
  return bugs.filter(({ breaks }) => breaks.some(isAsked)).map(({ name }) => name);
}

/** Names of the bugs of a protocol's exam that no model could find, since none asks for what they break. */
export function unaskedOf(protocol: string): readonly string[] {
  const bugs = FIELDS.get(protocol)?.bugs ?? [];
  return bugs.filter(({ breaks }) => !breaks.some(isAsked)).map(({ name }) => name);
}

function isAsked(claim: string): boolean {
  return !UNASKED.has(claim);
}

/**
 * Looks for a planted bug in every model of its protocol, first in those that are aimed at it.
 *
 * @throws RangeError if there is no such bug, or no model that could find it.
 */
export function huntPlanted(
  protocol: string,
  bug: string,
  options: HuntOptions = {},
): PlantedVerdict {
  const field = FIELDS.get(protocol);
  if (field === undefined || !plantedOf(protocol).includes(bug)) {
    throw new RangeError(`models of ${protocol} cannot find a bug ${bug}`);
  }
  return field.hunt(bug, options);
}

function aimed(hunt: Hunt): Ground<RaftConfig, Raft> {
  const { name, bug } = hunt;
  return { name, bug, search: (make, options) => searchHunt(hunt, options, make) };
}

function groundOf<P, C>(row: LogRow<P, C>): Ground<C, P> {
  return { name: row.model, search: (make, options) => row.plant(make, options) };
}

function fieldOf<C, P>(bugs: readonly Planted<C, P>[], grounds: readonly Ground<C, P>[]): Field {
  return {
    bugs: bugs.map(({ bug }) => bug),
    hunt(name, options) {
      const planted = bugs.find(({ bug }) => bug.name === name);
      invariant(planted !== undefined, "only bugs that are known are planted");
      return hunted(grounds, planted, options);
    },
  };
}

function hunted<C, P>(
  grounds: readonly Ground<C, P>[],
  planted: Planted<C, P>,
  { maxStates = MOST, onProgress }: HuntOptions,
): PlantedVerdict {
  const bug = planted.bug.name;
  const make = (config: C): P => planted.make(config);
  let left = grounds.toSorted((a, b) => Number(b.bug === bug) - Number(a.bug === bug));
  let states = 0;
  let last: PlantedVerdict | undefined;
  for (const most of [Math.min(SHALLOW, maxStates), maxStates]) {
    const stopped: typeof left = [];
    for (const ground of left) {
      const verdict = ground.search(make, {
        maxStates: ground.bug === bug ? maxStates : most,
        onProgress: (progress) => onProgress?.(ground.name, progress),
      });
      states += verdict.states;
      last = { bug, hunt: ground.name, states, verdict };
      if (verdict.violation !== undefined) return last;
      if (verdict.coverage === "stopped" && most < maxStates) stopped.push(ground);
    }
    left = stopped;
  }
  invariant(last !== undefined, "every protocol has models");
  return last;
}
