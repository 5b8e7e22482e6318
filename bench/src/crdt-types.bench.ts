/**
 * Counters, sets and maps beside floors in the same run: a plain `Map`, `Set`
 * or number with JSON as the encoding, which converges with nobody. A ratio of
 * 10 means ten times the floor's CPU time, or bytes.
 *
 *     npm run bench -w bench -- crdt-types
 *
 * QUORATE_BENCH_ROUNDS sets how often each is measured (5); the best counts.
 */

import { counter, lww, mapOf, Replica, set, upDownCounter } from "@quorate/crdt";
import { VersionVector } from "@quorate/clocks";

import { report, type Row } from "./report.ts";

const ROUNDS = Number(process.env["QUORATE_BENCH_ROUNDS"] ?? 5);
const COUNT = 20_000;
const KEYS = Array.from({ length: COUNT }, (_, i) => `key ${(i * 7_919) % COUNT}`);

/** CPU seconds of the best round. */
function cpu(work: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

function row(work: string, ours: number, floor: number, each: number): Row {
  return {
    work,
    "ours, ns each": Math.round((ours / each) * 1e9),
    "floor, ns each": Math.round((floor / each) * 1e9),
    "ratio": (ours / floor).toFixed(1),
  };
}

function filledSet(actor: string): Replica<ReadonlySet<string>, ReturnType<typeof set.string.handle>> {
  const replica = new Replica(set.string, actor);
  replica.mutate((elements) => {
    for (const key of KEYS) elements.add(key);
  });
  return replica;
}

function filledMap(): Replica<object, ReturnType<typeof registers.handle>> {
  const replica = new Replica(registers, "a");
  replica.mutate((entries) => {
    for (const key of KEYS) entries.at(key).set(key);
  }, 1);
  return replica;
}

const registers = mapOf(lww.string);

function plainMap(): Map<string, string> {
  const plain = new Map<string, string>();
  for (const key of KEYS) plain.set(key, key);
  return plain;
}

function local(): readonly Row[] {
  return [
    row(
      "counter, increment",
      cpu(() => {
        const replica = new Replica(counter, "a");
        replica.mutate((n) => {
          for (let i = 0; i < COUNT; i++) n.increment();
        });
        return replica.value;
      }),
      cpu(() => {
        const plain = new Map([["n", 0]]);
        for (let i = 0; i < COUNT; i++) plain.set("n", plain.get("n")! + 1);
        return plain;
      }),
      COUNT,
    ),
    row("set, add", cpu(() => filledSet("a")), cpu(() => new Set(KEYS)), COUNT),
    row("map of lww, set", cpu(filledMap), cpu(plainMap), COUNT),
  ];
}

/** One change, its delta, and its merge elsewhere; the floor encodes, decodes and sets. */
function deltas(): readonly Row[] {
  const plain = (): unknown => {
    const there = new Map<string, string>();
    for (const key of KEYS) {
      const [name, value] = JSON.parse(JSON.stringify([key, key])) as [string, string];
      there.set(name, value);
    }
    return there;
  };
  return [
    row(
      "up-down counter, delta there",
      cpu(() => {
        const [here, there] = [new Replica(upDownCounter, "a"), new Replica(upDownCounter, "b")];
        for (let i = 0; i < COUNT; i++) {
          here.mutate((n) => n.increment());
          there.merge(here.delta()!);
        }
        return there.value;
      }),
      cpu(plain),
      COUNT,
    ),
    row(
      "set, delta there",
      cpu(() => {
        const [here, there] = [new Replica(set.string, "a"), new Replica(set.string, "b")];
        for (const key of KEYS) {
          here.mutate((elements) => elements.add(key));
          there.merge(here.delta()!);
        }
        return there;
      }),
      cpu(plain),
      COUNT,
    ),
    row(
      "map of lww, delta there",
      cpu(() => {
        const [here, there] = [new Replica(registers, "a"), new Replica(registers, "b")];
        for (const key of KEYS) {
          here.mutate((entries) => entries.at(key).set(key), 1);
          there.merge(here.delta()!);
        }
        return there;
      }),
      cpu(plain),
      COUNT,
    ),
  ];
}

function whole(): readonly Row[] {
  const ours = filledSet("a");
  const bytes = ours.encode();
  const plain = [...new Set(KEYS)];
  const json = JSON.stringify(plain);
  const map = filledMap();
  const mapBytes = map.encode();
  const mapJson = JSON.stringify([...plainMap()]);
  return [
    row("set, encode", cpu(() => ours.encode()), cpu(() => JSON.stringify(plain)), COUNT),
    row(
      "set, decode",
      cpu(() => Replica.decode(set.string, "b", bytes)),
      cpu(() => new Set(JSON.parse(json) as string[])),
      COUNT,
    ),
    row("map of lww, encode", cpu(() => map.encode()), cpu(() => JSON.stringify([...plainMap()])), COUNT),
    row(
      "map of lww, decode",
      cpu(() => Replica.decode(registers, "b", mapBytes)),
      cpu(() => new Map(JSON.parse(mapJson) as [string, string][])),
      COUNT,
    ),
    row(
      "set, merge a state that is known",
      cpu(() => ours.merge(bytes)),
      cpu(() => new Set(JSON.parse(json) as string[])),
      COUNT,
    ),
    row(
      "sets of two, merge",
      cpu(() => filledSet("b").merge(bytes)) - cpu(() => filledSet("b")),
      cpu(() => {
        const all = new Set(KEYS);
        for (const key of JSON.parse(json) as string[]) all.add(key);
        return all;
      }),
      COUNT,
    ),
  ];
}

function sizes(): readonly Row[] {
  const bytes = filledSet("a").encode().length;
  const mapBytes = filledMap().encode().length;
  const busy = new Replica(counter, "a");
  for (let i = 0; i < 1_000; i++) {
    busy.mutate((n) => n.increment());
    busy.delta();
  }
  const before = busy.encode().length;
  busy.stable(VersionVector.of([["a", 1_000]]));
  const size = (what: string, ours: number, floor: number): Row => ({
    what,
    "ours, bytes": ours,
    "JSON, bytes": floor,
    "ratio": (ours / floor).toFixed(2),
  });
  return [
    size(`set of ${COUNT}`, bytes, JSON.stringify([...new Set(KEYS)]).length),
    size(`map of ${COUNT} lww`, mapBytes, JSON.stringify([...plainMap()]).length),
    size("counter, 1,000 deltas", before, JSON.stringify(1_000).length),
    size("counter, collected", busy.encode().length, JSON.stringify(1_000).length),
  ];
}

report("CRDT types, one change, CPU time beside a plain Map or Set", local());
report("CRDT types, one change there and back, beside JSON into a Map", deltas());
report("CRDT types, whole states, beside JSON", whole());
report("CRDT types, bytes", sizes());
