/**
 * Who can reach whom: cut links, partitions, clogs. Directions are told apart
 * throughout, so what is one-way needs nothing of its own.
 */

/** Which way a partition lets nothing through, seen from its side: in, out, or either way. */
export type Way = "both" | "in" | "out";

interface Partition {
  /** 1 for the nodes of the side. */
  readonly side: Uint8Array;
  readonly way: Way;
}

export class Network {
  private readonly size: number;
  private readonly severed: Set<number> = new Set();
  private partitions: Partition[] = [];
  /** By node: nothing to or from it arrives before this time. */
  private readonly clogs: Map<number, number> = new Map();
  /** Messages on their way, by link; counted only if links have a capacity. */
  private readonly inFlight: Map<number, number> = new Map();

  constructor(size: number) {
    this.size = size;
  }

  sever(from: number, to: number): void {
    this.severed.add(from * this.size + to);
  }

  mend(from: number, to: number): void {
    this.severed.delete(from * this.size + to);
  }

  partition(side: Iterable<number>, way: Way): void {
    const marked = new Uint8Array(this.size);
    for (const node of side) marked[node] = 1;
    this.partitions.push({ side: marked, way });
  }

  /** Ends partitions and cuts; clogs end by themselves. */
  heal(): void {
    this.severed.clear();
    this.partitions = [];
  }

  unclog(): void {
    this.clogs.clear();
  }

  clog(node: number, until: number): void {
    this.clogs.set(node, until);
  }

  blocks(from: number, to: number): boolean {
    if (this.severed.size > 0 && this.severed.has(from * this.size + to)) return true;
    for (const { side, way } of this.partitions) {
      if (side[from] === side[to]) continue;
      if (way === "both" || (way === "out") === (side[from] === 1)) return true;
    }
    return false;
  }

  /** When a message sent now arrives at the earliest. */
  opensAt(from: number, to: number): number {
    if (this.clogs.size === 0) return 0;
    return Math.max(this.clogs.get(from) ?? 0, this.clogs.get(to) ?? 0);
  }

  isFull(from: number, to: number, capacity: number): boolean {
    return (this.inFlight.get(from * this.size + to) ?? 0) >= capacity;
  }

  departs(from: number, to: number): void {
    const link = from * this.size + to;
    this.inFlight.set(link, (this.inFlight.get(link) ?? 0) + 1);
  }

  arrives(from: number, to: number): void {
    const link = from * this.size + to;
    const left = (this.inFlight.get(link) ?? 0) - 1;
    // Links of ten thousand nodes are many; most are quiet.
    if (left > 0) this.inFlight.set(link, left);
    else this.inFlight.delete(link);
  }
}
