/**
 * What kind of trouble a run is in. Some scenarios aim at one weakness; `swarm`
 * draws its own mix for each seed, since features mask each other (Groce et al.
 * 2012): a run with every kind of fault at once never gets anywhere interesting.
 */

import type { Random } from "@quorate/kernel";

import { FullDisks, LastCopies, LostSectors, Stalls } from "../nemesis/disks.ts";
import type { Nemesis } from "../nemesis/nemesis.ts";
import {
  Clogs,
  CutNewLeaders,
  LeaderAndFriend,
  PartialPartitions,
  Partitions,
} from "../nemesis/network.ts";
import {
  Crashes,
  CrashStalledCandidate,
  CrashUnsynced,
  Damage,
  DisturbElections,
  Jumps,
  Pauses,
  Upgrades,
} from "../nemesis/processes.ts";
import { CALM, type Weather } from "../simulator/weather.ts";
import type { Cluster, Subject } from "../subject.ts";

/** Everything that a scenario settles for one run. */
export interface Plan {
  readonly weather: Weather;
  readonly nemeses: readonly Nemesis[];
  /** How long faults go on. */
  readonly safetyMs: number;
  /** Clients ask something about this often. */
  readonly thinkMs: number;
}

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** It does nothing to a subject whose nodes cannot do without a record ({@link Subject.standIn}). */
  readonly needsStandIns?: true;
  plan(dice: Random, cluster: Cluster): Plan;
}

/** Delays of a network and of disks nearby, different each time. */
function ordinary(dice: Random): Weather {
  return { ...CALM, latencyMs: [1, 2 + dice.below(20)], syncMs: [1, 1 + dice.below(20)] };
}

function aimed(
  name: string,
  summary: string,
  nemesis: (dice: Random) => readonly Nemesis[],
): Scenario {
  return {
    name,
    summary,
    plan(dice, { tolerates }) {
      const weather = {
        ...ordinary(dice),
        lossPermille: dice.chance(1, 3) ? dice.below(100) : 0,
        driftPermille: dice.chance(1, 2) ? tolerates.driftPermille : 0,
      };
      return { weather, nemeses: nemesis(dice), safetyMs: 15_000, thinkMs: 5 + dice.below(40) };
    },
  };
}

const swarm: Scenario = {
  name: "swarm",
  summary: "each seed draws its own mix of faults",
  plan(dice, cluster) {
    return {
      weather: swarmWeather(dice, cluster),
      nemeses: swarmNemeses(dice, cluster),
      safetyMs: 5_000 + dice.below(15_000),
      thinkMs: 1 + dice.below(dice.chance(1, 2) ? 20 : 200),
    };
  },
};

function swarmWeather(dice: Random, { tolerates }: Cluster): Weather {
  const on = (): boolean => dice.chance(1, 3);
  const slow = on();
  return {
    latencyMs: slow ? [dice.below(30), 30 + dice.below(300)] : [1, 1 + dice.below(20)],
    latencyShape: dice.chance(1, 2) ? "exponential" : "uniform",
    linkSpreadMs: on() ? dice.below(100) : 0,
    lossPermille: on() ? dice.below(300) : 0,
    duplicatePermille: on() ? dice.below(500) : 0,
    clogPermille: on() ? dice.below(20) : 0,
    clogMs: dice.below(3_000),
    capacity: on() ? 2 + dice.below(18) : 0,
    syncMs: on() ? [1, 1 + dice.below(100)] : [0, dice.below(5)],
    stallPermille: on() ? dice.below(50) : 0,
    stallMs: dice.below(1_500),
    lostCheckpointPermille: on() ? dice.below(500) : 0,
    tornWrites: dice.chance(1, 2),
    hints: dice.chance(1, 2),
    driftPermille: on() ? tolerates.driftPermille : 0,
    clockOffsetMs: on() ? 1 + dice.below(1_000_000) : 0,
  };
}

function swarmNemeses(dice: Random, { tolerates, releases }: Cluster): readonly Nemesis[] {
  const nemeses: Nemesis[] = [];
  const maybe = (chance: number, make: () => Nemesis): void => {
    if (dice.chance(chance, 12)) nemeses.push(make());
  };
  maybe(6, () => new Crashes(200 + dice.below(2_000)));
  maybe(6, () => new Partitions(100 + dice.below(2_000)));
  maybe(2, () => new CrashUnsynced());
  maybe(2, () => new Pauses());
  maybe(2, () => new Stalls());
  maybe(2, () => new Clogs());
  maybe(1, () => new LeaderAndFriend());
  maybe(1, () => new CutNewLeaders());
  maybe(1, () => new PartialPartitions());
  maybe(1, () => new CrashStalledCandidate());
  maybe(1, () => new FullDisks());
  if (tolerates.lost > 0) maybe(2, () => new Damage());
  if (tolerates.clockSteps) maybe(2, () => new Jumps());
  if (releases > 1) maybe(3, () => new Upgrades());
  return nemeses;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "calm",
    summary: "no faults",
    plan: (dice) => ({
      weather: ordinary(dice),
      nemeses: [],
      safetyMs: 10_000,
      thinkMs: 1 + dice.below(20),
    }),
  },
  swarm,
  aimed("crash-unsynced", "nodes crash with writes on their way to the disk", () => [
    new CrashUnsynced(),
  ]),
  aimed("leader-and-friend", "a leader is left with one follower, then one of them crashes", () => [
    new LeaderAndFriend(),
  ]),
  aimed("cut-new-leaders", "whoever begins to lead is cut off at once", (dice) =>
    dice.chance(1, 2) ? [new CutNewLeaders()] : [new CutNewLeaders(), new CrashUnsynced()],
  ),
  aimed("pause-lease-holder", "whoever relies on time is paused or cut off", (dice) =>
    dice.chance(1, 2) ? [new Pauses()] : [new Pauses(), new Partitions(800)],
  ),
  aimed(
    "disturbed-elections",
    "elections never end, and nodes restart in the middle of them",
    () => [new DisturbElections()],
  ),
  aimed("stalled-candidate", "a node whose disk is behind campaigns and crashes", () => [
    new CrashStalledCandidate(),
  ]),
  aimed("partial-partitions", "a leader cannot reach one follower, whom all others reach", () => [
    new PartialPartitions(),
  ]),
  aimed("slow-disks", "disks stall, the leader's most of all", () => [new Stalls()]),
  {
    ...aimed(
      "lost-sectors",
      "disks lose sectors, those with the last copies but one, too",
      (dice) =>
        dice.chance(1, 2)
          ? [new LastCopies()]
          : [
              new LostSectors(),
              new Crashes(1_000),
              ...(dice.chance(1, 2) ? [new Partitions(600)] : []),
            ],
    ),
    needsStandIns: true,
  },
  aimed("partitions", "the network is cut in every shape", () => [new Partitions(600)]),
];

/** Among which a seed chooses, for any subject: what only some are good for is added by {@link special}. */
export const COMMON: readonly Scenario[] = SCENARIOS.filter(
  ({ needsStandIns }) => needsStandIns !== true,
);

/** Scenarios that say something of this subject and not of all. */
export function special(subject: Subject): readonly Scenario[] {
  const mends = subject.standIn !== undefined;
  return SCENARIOS.filter(({ needsStandIns }) => needsStandIns === true && mends);
}

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
