/**
 * Liveness under partial partitions (Howard & Abraham 2020, after the outage of
 * Cloudflare's etcd; OmniPaxos §2): while some links are broken for good, the
 * nodes that could decide must, and once they are mended everyone must.
 */

import type { NodeId } from "@quorate/kernel";

import type { LogWords } from "../ordered-log.ts";
import type { Scene } from "./scene.ts";
import { Stage } from "./stage.ts";
import type { Engine, MakeWorld } from "./world.ts";

type Link = readonly [from: NodeId, to: NodeId];

/** Every direction of every pair. */
function linksOf(nodes: readonly NodeId[]): readonly Link[] {
  return nodes.flatMap((from) =>
    nodes.filter((to) => to !== from).map((to) => [from, to] as const),
  );
}

/** Plays one graph: the links of `broken` fail under a running cluster. */
function playGraph<L extends LogWords>(
  engine: Engine<L>,
  makeWorld: MakeWorld<L>,
  { seed, nodes, broken }: { seed: number; nodes: readonly NodeId[]; broken: readonly Link[] },
): void {
  const stage = new Stage(engine, makeWorld, { seed, nodes });
  stage.write(nodes[0]!);
  stage.until("a leader is found", engine.recoveryMs, () => stage.leader !== undefined);
  stage.run(engine.recoveryMs);
  for (const [from, to] of broken) stage.world.sever(from, to);
  // Enough for leaders to notice, for the rest to disturb them, and for both to go on for long.
  stage.run(4 * engine.recoveryMs);
  if (canDecide(engine, nodes, broken)) {
    const asked = nodes.map((node) => stage.write(node));
    const what = `a majority decides although ${broken.map((link) => link.join(">")).join(" ")} fail`;
    stage.until(what, 6 * engine.recoveryMs, () => {
      const served = asked.filter(({ response }) => response?.type === "executed");
      return served.length >= majorityOf(nodes);
    });
  }
  stage.conclude();
}

function majorityOf(nodes: readonly NodeId[]): number {
  return (nodes.length >> 1) + 1;
}

/** Whether enough links are left for the engine to promise progress. */
function canDecide<L extends LogWords>(
  { livesOn }: Engine<L>,
  nodes: readonly NodeId[],
  broken: readonly Link[],
): boolean {
  const cut = new Set(broken.flatMap(([from, to]) => [`${from} ${to}`, `${to} ${from}`]));
  const reaches = (a: NodeId, b: NodeId) => a === b || !cut.has(`${a} ${b}`);
  const majority = majorityOf(nodes);
  if (livesOn === "star") {
    return nodes.some((hub) => nodes.filter((node) => reaches(hub, node)).length >= majority);
  }
  for (let bits = 0; bits < 1 << nodes.length; bits++) {
    const group = nodes.filter((_, i) => (bits >> i) & 1);
    if (group.length < majority) continue;
    if (group.every((a) => group.every((b) => reaches(a, b)))) return true;
  }
  return false;
}

const three: Scene = {
  name: "three nodes go on under every graph of broken links that leaves them able to",
  seeds: 1,
  play(engine, makeWorld, seed) {
    const nodes = ["a", "b", "c"];
    const links = linksOf(nodes);
    for (let bits = 1; bits < 1 << links.length; bits++) {
      const broken = links.filter((_, i) => (bits >> i) & 1);
      playGraph(engine, makeWorld, { seed: seed * 64 + bits, nodes, broken });
    }
  },
};

const five: Scene = {
  name: "five nodes go on under broken links that leave them able to",
  seeds: 30,
  play(engine, makeWorld, seed) {
    const nodes = ["a", "b", "c", "d", "e"];
    // The seed picks the graph: pairs in both directions, and a few in one.
    let state = seed * 2_654_435_761;
    const draw = (of: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor(state / 65_536) % of;
    };
    const broken = linksOf(nodes).filter(([from, to]) => {
      return from < to ? draw(5) < 2 : draw(12) === 0;
    });
    const both = broken.flatMap(([from, to]): readonly Link[] =>
      draw(6) === 0
        ? [[from, to]]
        : [
            [from, to],
            [to, from],
          ],
    );
    playGraph(engine, makeWorld, { seed, nodes, broken: both });
  },
};

export const graphScenes: readonly Scene[] = [three, five];
