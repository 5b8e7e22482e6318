/**
 * Group commit of the write-ahead log against the floor: a bare loop of write
 * and fdatasync, one record each, on the same disk in the same run.
 *
 * Run it with `node bench/dist/wal.bench.js [directory]`; without a directory it
 * uses a temporary one, which may lie in memory and then says nothing.
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { Wal } from "@quorate/storage";

const RECORD_BYTES = 128;
const ROUND_MS = 1500;
const IN_FLIGHT = [1, 64, 256, 1024];

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

function figures(records: number, elapsedMs: number, latencies: number[]): Figures {
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { perSecond: (records * 1000) / elapsedMs, p50: at(0.5), p99: at(0.99) };
}

/** One record at a time, written into a preallocated file and synced. */
function floor(directory: string): Promise<Figures> {
  const fd = fs.openSync(path.join(directory, "floor"), "w");
  const size = 8 * 1024 * 1024;
  fs.writeSync(fd, Buffer.alloc(size));
  fs.fsyncSync(fd);
  const record = Buffer.alloc(RECORD_BYTES, 1);
  const latencies: number[] = [];
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let offset = 0;
    const next = (): void => {
      const started = performance.now();
      if (started - began > ROUND_MS) {
        fs.closeSync(fd);
        return resolve(figures(latencies.length, started - began, latencies));
      }
      fs.write(fd, record, 0, RECORD_BYTES, offset, (error) => {
        if (error !== null) return reject(error);
        fs.fdatasync(fd, (failure) => {
          if (failure !== null) return reject(failure);
          latencies.push(performance.now() - started);
          offset = (offset + RECORD_BYTES) % size;
          next();
        });
      });
    };
    next();
  });
}

/** So many clients, each of which appends its next record when its last is durable. */
async function groupCommit(directory: string, inFlight: number): Promise<Figures> {
  const record = new Uint8Array(RECORD_BYTES).fill(1);
  const latencies: number[] = [];
  let [done, records, answered] = [false, 0, 0];
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  // Positions are appended in order, so a ring of their start times is enough.
  const startedAt = new Float64Array(1 << 16);
  const append = (): void => {
    startedAt[wal.append(0, record) & 0xffff] = performance.now();
  };
  const wal: Wal = await Wal.open(
    {
      directory: path.join(directory, `wal-${inFlight}`),
      onFailure: (error) => {
        throw error;
      },
      onDurable: (position) => {
        const now = performance.now();
        const count = position - answered;
        for (let at = answered + 1; at <= position; at++) {
          if ((at & 15) === 0) latencies.push(now - (startedAt[at & 0xffff] ?? now));
        }
        answered = position;
        records += count;
        if (done) return finish();
        for (let left = count; left > 0; left--) append();
        wal.flush();
      },
    },
    () => undefined,
  );
  const began = performance.now();
  for (let left = inFlight; left > 0; left--) append();
  wal.flush();
  const timer = setTimeout(() => {
    done = true;
  }, ROUND_MS);
  await finished;
  const result = figures(records, performance.now() - began, latencies);
  clearTimeout(timer);
  await wal.close();
  return result;
}

function row(name: string, { perSecond, p50, p99 }: Figures, base: number): string {
  const cells = [
    name.padEnd(28),
    Math.round(perSecond).toLocaleString("en").padStart(12),
    `${(perSecond / base).toFixed(1)}x`.padStart(9),
    p50.toFixed(3).padStart(9),
    p99.toFixed(3).padStart(9),
  ];
  return cells.join("");
}

const [, , given] = process.argv;
const root = fs.mkdtempSync(path.join(given ?? os.tmpdir(), "quorate-wal-bench-"));
try {
  const lines = ["".padEnd(28) + "   records/s    ratio   p50 ms   p99 ms"];
  const base = await floor(root);
  lines.push(row("write+fdatasync, one each", base, base.perSecond));
  for (const inFlight of IN_FLIGHT) {
    const best = await groupCommit(root, inFlight);
    lines.push(row(`log, ${inFlight} in flight`, best, base.perSecond));
    fs.rmSync(path.join(root, `wal-${inFlight}`), { recursive: true });
  }
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  fs.rmSync(root, { recursive: true });
}
