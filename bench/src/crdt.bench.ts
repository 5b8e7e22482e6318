/**
 * The document core beside Yjs, Loro and Automerge on editing traces, as ratios of CPU time, bytes and heap
 * to Yjs in the same run.
 *
 *     npm run bench -w bench -- crdt [--traces DIR] [--trace NAME] [--quick] [--json]
 *
 * Every figure comes from a process of its own, the best of several for Yjs and us. `--quick` takes one
 * each and leaves the peers out.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { type Job, type Measure, type Result } from "./crdt-job.ts";
import { GENERATED, hasTraces, readTrace, RECORDED } from "./crdt-traces.ts";
import { report, type Row } from "./report.ts";

const here = path.dirname(fileURLToPath(import.meta.url));
const isQuick = process.argv.includes("--quick");
const rounds = isQuick ? 1 : Number(process.env["QUORATE_BENCH_ROUNDS"] ?? 2);
const directory = tracesDirectory();
const scratch = mkdtempSync(path.join(os.tmpdir(), "quorate-crdt-bench-"));
/** CPU milliseconds after which a peer's measurement is cut off. */
const PEER_CAP_MS = 8000;
const CAP_MS = 60_000;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function tracesDirectory(): string {
  return option("--traces") ?? path.resolve(here, "../../../shared/traces");
}

function work(library: string, measure: Measure, trace: string): Result {
  const isPeer = library === "loro" || library === "automerge";
  // We read and write what Yjs does: both are measured on the same bytes.
  const source = library === "quorate" && measure !== "prepare" ? "yjs" : library;
  const job: Job = {
    library,
    measure,
    directory,
    trace,
    scratch: path.join(scratch, `${trace}-${source}`),
    capMs: isPeer ? PEER_CAP_MS : CAP_MS,
  };
  const args = ["--expose-gc", path.join(here, "crdt-worker.js"), JSON.stringify(job)];
  const limit = isPeer ? PEER_CAP_MS * 15 : CAP_MS * 4;
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: limit,
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? (JSON.parse(stdout) as Result) : {};
}

/** The best of several runs, alternating so that a busy moment hits both. */
function best(measure: Measure, trace: string): { readonly yjs: Result; readonly ours: Result } {
  let [yjs, ours]: Result[] = [{}, {}];
  for (let round = 0; round < rounds; round++) {
    yjs = better(yjs!, work("yjs", measure, trace));
    ours = better(ours!, work("quorate", measure, trace));
  }
  return { yjs: yjs!, ours: ours! };
}

function better(a: Result, b: Result): Result {
  const least = (x?: number, y?: number): number => Math.min(x ?? Infinity, y ?? Infinity);
  return {
    ...a,
    ...b,
    ...(a.ms === undefined && b.ms === undefined ? {} : { ms: least(a.ms, b.ms) }),
    ...(b.firstMs === undefined ? {} : { firstMs: least(a.firstMs, b.firstMs) }),
    ...(b.touchMs === undefined ? {} : { touchMs: least(a.touchMs, b.touchMs) }),
    ...(b.bytes === undefined ? {} : { bytes: least(a.bytes, b.bytes) }),
  };
}

const TARGETS: Readonly<Record<string, string>> = {
  "local": "0.35",
  "local, update each": "0.5",
  "remote, singly": "0.4",
  "remote, batch": "0.3",
  "remote, batch, concurrent": "0.7",
  "encode": "1.0",
  "load Yjs bytes": "0.9",
  "load stored form": "0.2",
  "open stored form, edit": "",
  "heap": "0.5",
  "size, update": "1.02",
  "size, stored form": "0.65",
  "3,000 past clients": "0.1",
};

function ratio(a: number | undefined, b: number | undefined): string {
  return a === undefined || b === undefined || b === 0 ? "-" : (a / b).toFixed(2);
}

function figure(value: number | undefined, unit: "ms" | "kB"): string {
  if (value === undefined) return "-";
  return unit === "ms" ? `${value.toFixed(value < 10 ? 2 : 0)} ms` : `${(value / 1000).toFixed(1)} kB`;
}

/** Peers, by trace, that did not even type all of it in time: what they read is a part of it. */
const shortened = new Set<string>();

/** A peer's ratio; at least that when it was cut off, or had only a part of the trace. */
function peer(library: string, measure: Measure, trace: string, yjs: number | undefined): string {
  const { ms, done } = work(library, measure, trace);
  const isCut = (done !== undefined && done < 1) || shortened.has(`${trace} ${library}`);
  return ms === undefined ? "-" : (isCut ? ">=" : "") + ratio(ms, yjs);
}

function row(
  trace: string,
  name: string,
  yjs: string,
  ours: string,
  peers: readonly string[],
  first = "",
): Row {
  const key = name === "remote, batch" && trace === "friendsforever" ? `${name}, concurrent` : name;
  return {
    "figure": `${trace}: ${name}`,
    "Yjs": yjs,
    "ours/Yjs": ours,
    "target": TARGETS[key] ?? "",
    "first run": first,
    "Loro/Yjs": peers[0] ?? "",
    "Automerge/Yjs": peers[1] ?? "",
  };
}

const PEERS = isQuick ? [] : ["loro", "automerge"];

function timed(trace: string, name: string, measure: Measure): Row {
  const { yjs, ours } = best(measure, trace);
  const peers = PEERS.map((library) => peer(library, measure, trace, yjs.ms));
  const [time, first] = [figure(yjs.ms, "ms"), ratio(ours.firstMs, yjs.firstMs)];
  return row(trace, name, time, ratio(ours.ms, yjs.ms), peers, first);
}

function rowsOf(trace: string): Row[] {
  const sizes = work("yjs", "prepare", trace);
  const peerSizes = PEERS.map((library) => work(library, "prepare", trace));
  for (const [i, { done }] of peerSizes.entries()) {
    if (done !== 1) shortened.add(`${trace} ${PEERS[i]!}`);
  }
  const rows: Row[] = [];
  if (!readTrace(directory, trace).isConcurrent) {
    rows.push(timed(trace, "local", "local"), timed(trace, "local, update each", "localTx"));
  }
  rows.push(timed(trace, "remote, singly", "remote"), timed(trace, "remote, batch", "batch"));
  rows.push(timed(trace, "encode", "encode"));
  const load = best("load", trace);
  const peers = PEERS.map((library) => peer(library, "load", trace, load.yjs.ms));
  const { ours: stored } = best("stored", trace);
  const yjsLoad = figure(load.yjs.ms, "ms");
  rows.push(row(trace, "load Yjs bytes", yjsLoad, ratio(load.ours.ms, load.yjs.ms), peers));
  rows.push(row(trace, "load stored form", yjsLoad, ratio(stored.ms, load.yjs.ms), peers));
  rows.push(row(trace, "open stored form, edit", yjsLoad, ratio(stored.touchMs, load.yjs.ms), []));
  const heap = best("heap", trace);
  rows.push(row(trace, "heap", figure(heap.yjs.bytes, "kB"), ratio(heap.ours.bytes, heap.yjs.bytes), []));
  rows.push(...sizeRows(trace, sizes, peerSizes, stored));
  return rows;
}

function sizeRows(trace: string, yjs: Result, peers: readonly Result[], stored: Result): Row[] {
  const ours = work("quorate", "prepare", trace);
  const others = peers.map(({ bytes, done }) => (done === 1 ? ratio(bytes, yjs.bytes) : "-"));
  const size = figure(yjs.bytes, "kB");
  return [
    row(trace, "size, update", size, ratio(ours.bytes, yjs.bytes), others),
    row(trace, "size, stored form", size, ratio(stored.bytes, yjs.bytes), others),
  ];
}

try {
  const isRecorded = hasTraces(directory);
  if (!isRecorded) console.error(`no traces in ${directory} (--traces DIR); using a generated one`);
  const only = option("--trace");
  const all = isRecorded ? RECORDED : [GENERATED];
  const traces = only === undefined ? all : [only];
  const rows = traces.flatMap((trace) => rowsOf(trace));
  rows.push(timed(traces[0]!, "3,000 past clients", "pastClients"));
  report("CRDT documents: CPU time, heap and bytes as ratios to Yjs 13.6.33", rows);
} finally {
  rmSync(scratch, { recursive: true });
}
