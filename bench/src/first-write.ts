/** When a cluster serves writes (again), as a client sees it that knows all of its nodes. */

import { putRequest } from "./etcd-requests.ts";
import { runLoad } from "./h2-load.ts";

const GIVE_UP_MS = 30_000;
const PUT = { path: "/etcdserverpb.KV/Put", request: putRequest("failover", 16) };

/** Asks every node that is up until one serves a write. Returns when that was. */
export async function firstWrite(ports: readonly number[]): Promise<number> {
  const controller = new AbortController();
  const tried = ports.map(async (port) => {
    while (!controller.signal.aborted) {
      try {
        const load = { host: "127.0.0.1", port, ...PUT, clients: 1, until: "success" } as const;
        const { calls, errors } = await runLoad({ ...load, durationMs: 1000 });
        if (calls > errors) return performance.now();
      } catch {
        // Nobody listens there yet.
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return Infinity;
  });
  const giveUp = new Promise<number>((resolve) => setTimeout(() => resolve(Infinity), GIVE_UP_MS).unref());
  const at = await Promise.race([...tried, giveUp]);
  controller.abort();
  await Promise.all(tried);
  return at;
}
