/**
 * How long writes stand still when a leader goes, by engine, on three real
 * processes: killed with SIGKILL, from the signal to the next write that a
 * survivor acknowledges; ended with SIGTERM, upon which it hands over first, the
 * longest write of a client of a survivor. The same clusters go on, made whole
 * after each loss; engines take turns.
 *
 *     npm run bench -w bench -- engine-failover
 */

import { ENGINE_NAMES } from "./engine-costs.ts";
import { firstWrite } from "./first-write.ts";
import { percentile, report } from "./report.ts";
import { Served } from "./served.ts";

const ROUNDS = Number(process.env["QUORATE_BENCH_ROUNDS"] ?? 20);
/** A steady cluster, at no certain moment of the leader's heartbeat. */
const STEADY_MS = 1000;
const HEARTBEAT_MS = 100;
/** How long a client writes before and after the signal. */
const BEFORE_MS = 200;
const AFTER_MS = 800;

async function steady(served: Served): Promise<number> {
  await served.whole();
  await pause(STEADY_MS + Math.random() * HEARTBEAT_MS);
  return served.whole();
}

async function killed(served: Served): Promise<number> {
  const leader = await steady(served);
  const began = performance.now();
  const gone = served.end(leader, "SIGKILL");
  const stoodStill = (await firstWrite(served.portsBeside(leader))) - began;
  await gone;
  served.launch(leader);
  return stoodStill;
}

async function handedOver(served: Served): Promise<number> {
  const leader = await steady(served);
  const survivor = served.portsBeside(leader).slice(0, 1);
  const ended = pause(BEFORE_MS).then(() => served.end(leader, "SIGTERM"));
  let longest = 0;
  const until = performance.now() + BEFORE_MS + AFTER_MS;
  // A write that is under way is waited for, however long it takes.
  for (let at = performance.now(); at < until; ) {
    const next = await firstWrite(survivor);
    longest = Math.max(longest, next - at);
    at = next;
  }
  await ended;
  served.launch(leader);
  return longest;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const LOSSES = { SIGKILL: killed, SIGTERM: handedOver } as const;
type Loss = keyof typeof LOSSES;

interface Under {
  readonly engine: string;
  readonly served: Served;
  readonly times: Readonly<Record<Loss, number[]>>;
}

const all: Under[] = [];
try {
  for (const engine of ENGINE_NAMES) {
    const served = await Served.start(engine);
    all.push({ engine, served, times: { SIGKILL: [], SIGTERM: [] } });
    await served.whole();
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { served, times } of all) {
      times.SIGKILL.push(await killed(served));
      times.SIGTERM.push(await handedOver(served));
    }
  }
} finally {
  await Promise.all(all.map(({ served }) => served.stop()));
}
report(
  `Milliseconds without writes when a leader goes, three processes, ${ROUNDS} of each`,
  (["SIGKILL", "SIGTERM"] as const).flatMap((loss) => {
    const raft = percentile(Float64Array.from(all[0]!.times[loss]), 0.5);
    return all.map(({ engine, times }) => {
      const sorted = Float64Array.from(times[loss]);
      const p50 = percentile(sorted, 0.5);
      return {
        leader: loss,
        engine,
        "p50 ms": Math.round(p50),
        "of raft's": (p50 / raft).toFixed(2),
        "p90 ms": Math.round(percentile(sorted, 0.9)),
        "max ms": Math.round(Math.max(...sorted)),
      };
    });
  }),
);
