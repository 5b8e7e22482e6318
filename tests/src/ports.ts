/**
 * Free ports for clusters. Nodes are told their ports, so they cannot ask the
 * system for free ones; and a port that is free now can be another test's in a
 * moment. So a block of ports is *claimed*: by listening, for as long as the
 * cluster lives, on the one port of the block that no node uses.
 *
 * Blocks lie below the range from which systems take ports for outgoing
 * connections (32768 on Linux), or one of those could be in the way when a node
 * starts again.
 */

import net from "node:net";

/** Ports of one node, as `quorate` counts them. */
export const NODE_PORTS = 20;
const NODES = 3;
const BLOCK = NODE_PORTS * NODES;
/** Beyond 10080, to which `fetch` and browsers refuse to connect. */
const FIRST = 10_100;
const BLOCKS = Math.floor((32_700 - FIRST) / BLOCK);
/** From the first port of a node; nodes use the first eight. */
const CLAIM_OFFSET = NODE_PORTS - 1;
const USED_OFFSETS = [0, 1, 2, 5, 6];

/** Ports for three nodes, ours until released. */
export interface PortBlock {
  readonly base: number;
  release(): Promise<void>;
}

/** Claims a block. @throws Error if none is free. */
export async function claimPorts(): Promise<PortBlock> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let step = 0; step < BLOCKS; step++) {
    const base = FIRST + ((start + step) % BLOCKS) * BLOCK;
    const claim = await listen(base + CLAIM_OFFSET);
    if (claim === undefined) continue;
    const release = (): Promise<void> => close(claim);
    if (await allFree(base)) return { base, release };
    await release();
  }
  throw new Error("no block of ports is free on this machine");
}

async function allFree(base: number): Promise<boolean> {
  for (let node = 0; node < NODES; node++) {
    for (const offset of USED_OFFSETS) {
      const server = await listen(base + node * NODE_PORTS + offset);
      if (server === undefined) return false;
      await close(server);
    }
  }
  return true;
}

/** Occupies a port of this machine; undefined if somebody else does. */
export function listen(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1" }, () => resolve(server));
  });
}

export function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
