/**
 * Every clock against the slow, obvious one: the set of events that happened
 * before (a causal history), compared by inclusion.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Order } from "./actor.ts";
import { compareHybrid, HybridClock, type HybridStamp, noDisk } from "./hybrid.ts";
import { IntervalStamp } from "./interval-tree.ts";
import { compareLamport, LamportClock, type LamportStamp } from "./lamport.ts";
import { VectorClock } from "./vector-clock.ts";
import { type VersionVector } from "./version-vector.ts";

const RUNS = Number(process.env["QUORATE_SEEDS"] ?? 150);

type History = ReadonlySet<number>;

function inclusion(a: History, b: History): Order {
  const within = [...a].every((event) => b.has(event));
  const around = [...b].every((event) => a.has(event));
  if (within) return around ? "equal" : "before";
  return around ? "after" : "concurrent";
}

interface Step {
  readonly process: number;
  readonly kind: "local" | "send" | "receive";
  readonly pick: number;
  readonly wallMs: number;
}

interface Event {
  readonly history: History;
  readonly lamport: LamportStamp;
  readonly vector: VersionVector;
  readonly hybrid: HybridStamp;
}

const steps = fc.array(
  fc.record<Step>({
    process: fc.nat(3),
    kind: fc.constantFrom("local", "send", "receive", "receive"),
    pick: fc.nat(),
    wallMs: fc.nat(40),
  }),
  { maxLength: 40 },
);

/** Plays a history; every event has a stamp of every clock. */
function play(script: readonly Step[]): readonly Event[] {
  const processes = ["a", "b", "c", "d"].map((actor) => ({
    history: new Set<number>(),
    lamport: new LamportClock(actor),
    vector: new VectorClock(actor),
    hybrid: new HybridClock(actor, { maxAheadMs: 1_000, reserveMs: 10 }),
  }));
  const sent: Event[] = [];
  return script.map(({ process: at, kind, pick, wallMs }, id) => {
    const process = processes[at]!;
    const message = kind === "receive" ? sent[pick % Math.max(1, sent.length)] : undefined;
    process.history = new Set([...process.history, ...(message?.history ?? []), id]);
    const event: Event = {
      history: process.history,
      lamport: message ? process.lamport.receive(message.lamport) : process.lamport.tick(),
      vector: message ? process.vector.receive(message.vector) : process.vector.tick(),
      hybrid: message
        ? process.hybrid.receive(message.hybrid, wallMs, noDisk)
        : process.hybrid.tick(wallMs, noDisk),
    };
    if (kind === "send") sent.push(event);
    return event;
  });
}

/** Calls `check` with every pair of different events of random histories. */
function everyPair(check: (a: Event, b: Event, order: Order) => void): void {
  fc.assert(
    fc.property(steps, (script) => {
      const events = play(script);
      for (const a of events) {
        for (const b of events) if (a !== b) check(a, b, inclusion(a.history, b.history));
      }
    }),
    { numRuns: RUNS },
  );
}

test("vector stamps are ordered exactly as happened-before orders events", () => {
  everyPair((a, b, order) => assert.equal(a.vector.compare(b.vector), order));
});

test("a Lamport stamp is smaller than those of all events that it happened before", () => {
  everyPair((a, b, order) => {
    if (order === "before") assert.ok(a.lamport.time < b.lamport.time);
    assert.notEqual(compareLamport(a.lamport, b.lamport), 0, "stamps are totally ordered");
  });
});

test("a hybrid stamp is smaller than those of all events that it happened before", () => {
  everyPair((a, b, order) => {
    if (order === "before") assert.ok(compareHybrid(a.hybrid, b.hybrid) < 0);
    assert.notEqual(compareHybrid(a.hybrid, b.hybrid), 0, "stamps are totally ordered");
  });
});

test("a hybrid stamp is never behind its maker's wall clock, nor ahead of every clock heard of", () => {
  fc.assert(
    fc.property(steps, (script) => {
      let furthest = 0;
      for (const [i, { hybrid }] of play(script).entries()) {
        furthest = Math.max(furthest, script[i]!.wallMs);
        assert.ok(hybrid.ms >= script[i]!.wallMs);
        assert.ok(hybrid.ms <= furthest);
      }
    }),
    { numRuns: RUNS },
  );
});

const change = fc.oneof(
  fc.record({ type: fc.constant("event" as const), at: fc.nat() }),
  fc.record({ type: fc.constant("fork" as const), at: fc.nat() }),
  fc.record({ type: fc.constant("join" as const), at: fc.nat(), with: fc.nat() }),
  fc.record({ type: fc.constant("tell" as const), at: fc.nat(), with: fc.nat() }),
);

interface Holder {
  stamp: IntervalStamp;
  history: History;
}

function union(a: History, b: History): History {
  return new Set([...a, ...b]);
}

/** Plays forks, joins, events and messages; of identities there are at most eight. */
function playIntervals(
  script: readonly (typeof change extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const holders: Holder[] = [{ stamp: IntervalStamp.seed, history: new Set() }];
  for (const [id, step] of script.entries()) {
    const at = step.at % holders.length;
    const holder = holders[at]!;
    switch (step.type) {
      case "event":
        holder.stamp = holder.stamp.event();
        holder.history = union(holder.history, new Set([id]));
        break;
      case "fork": {
        if (holders.length === 8) break;
        const [mine, theirs] = holder.stamp.fork();
        holder.stamp = mine;
        holders.push({ stamp: theirs, history: holder.history });
        break;
      }
      case "join": {
        const other = step.with % holders.length;
        if (other === at) break;
        holder.stamp = holder.stamp.join(holders[other]!.stamp);
        holder.history = union(holder.history, holders[other]!.history);
        holders.splice(other, 1);
        break;
      }
      case "tell": {
        const other = holders[step.with % holders.length]!;
        other.stamp = other.stamp.join(holder.stamp.peek());
        other.history = union(other.history, holder.history);
        break;
      }
    }
  }
  return holders;
}

test("interval tree stamps are ordered as the sets of their events", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (script) => {
      const holders = playIntervals(script);
      for (const a of holders) {
        for (const b of holders) {
          assert.equal(a.stamp.compare(b.stamp), inclusion(a.history, b.history));
        }
      }
    }),
    { numRuns: RUNS },
  );
});

test("all identities together are the whole interval, and no two have a part in common", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (script) => {
      const all = playIntervals(script).reduce(
        (sum, { stamp }) => sum.join(stamp),
        new IntervalStamp(0, 0),
      );
      assert.equal(all.identity, 1);
    }),
    { numRuns: RUNS },
  );
});
