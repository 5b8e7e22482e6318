/** The simplest gossip there is, for clusters of thousands: what the simulator itself costs shows. */

import { type Context, type NodeId, type Process, Random, type Speaks } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

type GossipWords = Speaks<{ Message: number; Timer: "gossip" }>;

/** Tells the highest number it knows to one of its neighbours, again and again. */
class Gossip implements Process<GossipWords> {
  known: number;
  private readonly neighbours: readonly NodeId[];

  constructor(known: number, neighbours: readonly NodeId[]) {
    this.known = known;
    this.neighbours = neighbours;
  }

  onStart(ctx: Context<GossipWords>): void {
    ctx.setTimer("gossip", 100, 100);
  }

  onTimer(ctx: Context<GossipWords>): void {
    ctx.sendEagerly(this.neighbours[ctx.choose(this.neighbours.length)]!, this.known);
    ctx.setTimer("gossip", 100, 100);
  }

  onMessage(_ctx: Context<GossipWords>, _from: NodeId, message: number): void {
    this.known = Math.max(this.known, message);
  }
}

const NEIGHBOURS = 20;

/** A cluster in which one node knows a number that is greater than the others': its size. */
export function crowd(size: number): Simulation<GossipWords, Gossip> {
  const nodes = Array.from({ length: size }, (_, i) => `n${i}`);
  const random = new Random(7);
  return new Simulation<GossipWords, Gossip>({
    seed: 1,
    nodes,
    create: (id) => {
      const neighbours = Array.from({ length: NEIGHBOURS }, () => nodes[random.below(size)]!);
      return new Gossip(id === "n0" ? size : 0, neighbours);
    },
    latencyMs: [1, 50],
    latencyShape: "exponential",
    lossPermille: 10,
  });
}
