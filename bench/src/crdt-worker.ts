/**
 * One measurement in a process of its own: `node crdt-worker.js '{"library":…}'`, one JSON line out. So the
 * heap and the compiler have seen nothing but what is measured.
 */

import { readFileSync, writeFileSync } from "node:fs";

import { type Library, LIBRARIES, type Replica, transaction } from "./crdt-libraries.ts";
import { type Job, type Result } from "./crdt-job.ts";
import { readTrace, type Trace, type Txn } from "./crdt-traces.ts";

/** CPU milliseconds for which a measurement is repeated. */
const WARM_MS = 2500;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Makes something and does `count` things to it until they are done or time is up; several times when that
 * goes fast. The first run includes compiling, the best one hardly any.
 */
function run<T>(count: number, capMs: number, make: () => T, one: (made: T, i: number) => void): Result {
  let best: Result = {};
  const stop = cpuMs() + Math.min(capMs / 4, WARM_MS);
  for (let round = 0; round < 8 && (round === 0 || cpuMs() < stop); round++) {
    const made = make();
    globalThis.gc?.();
    const end = performance.now() + capMs;
    const began = cpuMs();
    let i = 0;
    for (; i < count; i++) {
      if ((i & 63) === 0 && performance.now() > end) break;
      one(made, i);
    }
    const ms = cpuMs() - began;
    if (i < count) return round === 0 ? { ms, firstMs: ms, done: i / count } : best;
    const firstMs = best.firstMs ?? ms;
    best = { ms: Math.min(ms, best.ms ?? Infinity), firstMs, done: 1 };
  }
  return best;
}

/** The median of the later half of many runs. */
function warm(one: () => void): number {
  const times: number[] = [];
  globalThis.gc?.();
  const end = cpuMs() + WARM_MS;
  for (let i = 0; i < 80 && (i < 6 || cpuMs() < end); i++) {
    const began = cpuMs();
    one();
    times.push(cpuMs() - began);
  }
  const later = times.slice(times.length >> 1).toSorted((a, b) => a - b);
  return later[later.length >> 1]!;
}

function edit(replica: Replica, txn: Txn): void {
  for (const [at, deleted, inserted] of txn.patches) {
    const from = Math.min(at, replica.length);
    replica.splice(from, Math.min(deleted, replica.length - from), inserted);
  }
}

/** Types a concurrent trace: each author's replica has seen what the trace says it had seen. */
function typeConcurrently(library: Library, trace: Trace, updates: Uint8Array[]): Replica {
  const authors = new Map<number, { replica: Replica; seen: Set<number> }>();
  const made: Uint8Array[][] = trace.txns.map(() => []);
  let current = 0;
  const authorOf = (agent: number): { replica: Replica; seen: Set<number> } => {
    let author = authors.get(agent);
    if (author === undefined) {
      const replica = library.create(agent + 1, (update) => made[current]!.push(update.slice()));
      authors.set(agent, (author = { replica, seen: new Set() }));
    }
    return author;
  };
  for (const [i, txn] of trace.txns.entries()) {
    const { replica, seen } = authorOf(txn.agent ?? 0);
    const missing: number[] = [];
    const stack = [...(txn.parents ?? [])];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      missing.push(at);
      stack.push(...(trace.txns[at]!.parents ?? []));
    }
    current = i;
    for (const at of missing.toSorted((a, b) => a - b)) {
      // What a replica tells of foreign updates is not an update of its own.
      for (const update of made[at]!.slice()) replica.apply(update);
    }
    made[i]!.length = 0;
    seen.add(i);
    transaction(replica, () => {
      edit(replica, txn);
    });
  }
  for (const list of made) updates.push(...list);
  const all = library.create(0xfffe);
  all.applyAll(updates);
  return all;
}

function prepare(library: Library, trace: Trace, job: Job): Result {
  const updates: Uint8Array[] = [];
  let replica: Replica;
  let done = 1;
  if (trace.isConcurrent) replica = typeConcurrently(library, trace, updates);
  else {
    replica = library.create(1, (update) => updates.push(update.slice()));
    const end = performance.now() + job.capMs;
    let i = 0;
    for (; i < trace.txns.length && performance.now() < end; i++) {
      const txn = trace.txns[i]!;
      transaction(replica, () => {
        edit(replica, txn);
      });
    }
    done = i / trace.txns.length;
  }
  const bytes = replica.encode();
  writeFileSync(`${job.scratch}.bytes`, bytes);
  const packed = updates.map((update) => Buffer.from(update).toString("base64"));
  writeFileSync(`${job.scratch}.updates`, packed.join("\n"));
  return { bytes: bytes.length, done, chars: replica.text().length };
}

function readUpdates(job: Job): Uint8Array[] {
  const lines = readFileSync(`${job.scratch}.updates`, "utf8").split("\n");
  return lines.map((line) => new Uint8Array(Buffer.from(line, "base64")));
}

function heap(library: Library, job: Job): Result {
  const bytes = new Uint8Array(readFileSync(`${job.scratch}.bytes`));
  const copies = Math.max(1, Math.min(20, Math.floor(2_000_000 / bytes.length)));
  library.load(bytes);
  const kept: unknown[] = [];
  const before = settled();
  for (let i = 0; i < copies; i++) kept.push(library.load(bytes));
  const after = settled();
  return { bytes: (after - before) / kept.length };
}

function settled(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** 2,000 keystrokes in a document that 3,000 others have written in. */
function pastClients(library: Library, job: Job): Result {
  const updates: Uint8Array[] = [];
  for (let client = 10; client < 3010; client++) {
    const other = library.create(client, (update) => updates.push(update.slice()));
    transaction(other, () => {
      other.splice(0, 0, "x");
    });
  }
  const make = (): Replica => {
    const replica = library.create(1);
    replica.applyAll(updates);
    return replica;
  };
  const keys = "the quick brown fox ";
  return run(2000, job.capMs, make, (replica, i) => {
    replica.splice(1500 + i, 0, keys.charAt(i % keys.length));
    replica.commit();
  });
}

function stored(library: Library, job: Job): Result {
  const form = library.stored;
  if (form === undefined) return {};
  const bytes = form.save(new Uint8Array(readFileSync(`${job.scratch}.bytes`)));
  const ms = warm(() => form.load(bytes).text());
  const touchMs = warm(() => {
    form.load(bytes).touch();
  });
  return { ms, touchMs, bytes: bytes.length };
}

function measure(job: Job): Result {
  const library = LIBRARIES.find(({ name }) => name === job.library)!;
  const trace = readTrace(job.directory, job.trace);
  const { txns } = trace;
  switch (job.measure) {
    case "prepare":
      return prepare(library, trace, job);
    case "local": {
      const make = (): Replica => library.create(1);
      return run(txns.length, job.capMs, make, (replica, i) => {
        for (const patch of txns[i]!.patches) replica.splice(...patch);
        replica.commit();
      });
    }
    case "localTx": {
      let bytes = 0;
      const make = (): Replica =>
        library.create(1, (update) => {
          bytes += update.length;
        });
      return run(txns.length, job.capMs, make, (replica, i) => {
        transaction(replica, () => {
          for (const patch of txns[i]!.patches) replica.splice(...patch);
        });
      });
    }
    case "remote": {
      const updates = readUpdates(job);
      const make = (): Replica => library.create(0xfffe);
      return run(updates.length, job.capMs, make, (replica, i) => {
        replica.apply(updates[i]!);
      });
    }
    case "batch": {
      const updates = readUpdates(job);
      const make = (): Replica => library.create(0xfffe);
      return run(1, job.capMs, make, (replica) => {
        replica.applyAll(updates);
      });
    }
    case "encode": {
      const replica = library.create(0xfffe);
      const bytes = new Uint8Array(readFileSync(`${job.scratch}.bytes`));
      replica.apply(bytes);
      return { ms: warm(() => replica.encode()) };
    }
    case "load": {
      const bytes = new Uint8Array(readFileSync(`${job.scratch}.bytes`));
      return { ms: warm(() => library.load(bytes)) };
    }
    case "stored":
      return stored(library, job);
    case "heap":
      return heap(library, job);
    default:
      return pastClients(library, job);
  }
}

console.log(JSON.stringify(measure(JSON.parse(process.argv[2]!) as Job)));
