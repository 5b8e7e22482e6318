/**
 * How long a cluster in the simulator is without a leader: from the moment at
 * which one is gone, or is asked to hand over, to the first command committed
 * under another. With the settings that an engine has by default, a
 * millisecond for a message and for a write. Nobody is told that a node is gone,
 * as when a machine loses power: what remains is the election timeout.
 */

import type { LogWords, OrderedLog } from "@quorate/consensus";
import { engines, type EngineName } from "@quorate/host";
import { invariant, type NodeId } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

export type Ending = "crash" | "transfer";

const STEADY_MS = 20_000;
/** The leader ends somewhere within a heartbeat. */
const HEARTBEAT_MS = 100;
const GIVE_UP_MS = 60_000;

type World = Simulation<LogWords, OrderedLog<LogWords>>;

/** Virtual milliseconds, the same on every machine. */
export function successionMs(
  engine: EngineName,
  nodes: number,
  ending: Ending,
  seed: number,
): number {
  const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  const world: World = new Simulation<LogWords, OrderedLog<LogWords>>({
    seed,
    nodes: names,
    create: () => engines[engine].create({ voters: names }, {}),
    latencyMs: [1, 1],
    syncMs: [1, 1],
  });
  world.runFor(STEADY_MS + world.random.below(HEARTBEAT_MS));
  const leader = leaderAmong(world, names);
  invariant(leader !== undefined, "a calm cluster has a leader");
  const began = world.now;
  if (ending === "crash") world.crash(leader);
  else world.request(leader, { type: "transfer", to: undefined }, () => {});
  return firstCommit(world, names.filter((name) => name !== leader)) - began;
}

/** Asks whoever leads among `names`, every millisecond, until a command is committed. Returns when. */
function firstCommit(world: World, names: readonly NodeId[]): number {
  const giveUp = world.now + GIVE_UP_MS;
  const committedAt: number[] = [];
  while (committedAt.length === 0) {
    invariant(world.now < giveUp, "a calm cluster finds another leader");
    const leader = leaderAmong(world, names);
    if (leader !== undefined) {
      const data = new Uint8Array(0);
      world.request(leader, { type: "propose", data }, ({ type }) => {
        if (type === "committed") committedAt.push(world.now);
      });
    }
    world.runFor(1);
  }
  return committedAt[0]!;
}

function leaderAmong(world: World, names: readonly NodeId[]): NodeId | undefined {
  return names.find((name) => world.process(name)?.role === "leader");
}
