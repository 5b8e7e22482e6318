import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryOf, type Workload } from "./lab-memory.ts";

const EVENTS = 100_000;
const TIMES = 8;
/** What the same runs grew by before memory was bounded: 20 MiB and more. */
const MOST_BYTES = 6 << 20;

function subject(name: string, settings: { readonly [name: string]: number }): Workload {
  return { type: "subject", subject: name, scenario: "calm", seed: 4, settings };
}

const WORKLOADS: readonly Workload[] = [
  subject("raft", { nodes: 5, keepEntries: 64 }),
  subject("paxos", { nodes: 5, keepEntries: 64 }),
  subject("zab", { nodes: 5, keepEntries: 64 }),
  { type: "crowd", nodes: 1_000 },
];

for (const workload of WORKLOADS) {
  const name = workload.type === "subject" ? workload.subject : "gossip";
  test(`a run of ${name} that is ${TIMES} times as long needs no more memory`, () => {
    const [short, long] = memoryOf({ workload, events: [EVENTS, TIMES * EVENTS] });
    assert.ok(short !== undefined && long !== undefined);
    assert.ok(long - short < MOST_BYTES, `${short} bytes grew to ${long}`);
  });
}
