/** Starts clusters of three real processes to measure: ours, and etcd's own where it is installed. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { EngineName } from "@quorate/host";

export interface Cluster {
  readonly name: string;
  /** Client ports, in the order of the nodes. */
  readonly ports: readonly number[];
  /** Resolves when all processes say that they serve. */
  readonly ready: Promise<unknown>;
  /** Which node leads. */
  readonly leader: () => Promise<number>;
  readonly pids: () => readonly number[];
  /** Durable writes of the log so far, of all nodes together. */
  readonly syncs: () => Promise<number>;
  /** Kills a node with SIGKILL. */
  readonly kill: (node: number) => void;
  readonly stop: () => Promise<void>;
}

export const QUORATE: string = fileURLToPath(new URL("../../apps/cli/bin/quorate.mjs", import.meta.url));

export function hasEtcd(): boolean {
  return spawnSync("etcd", ["--version"]).status === 0;
}

/** @param engine - What replicates the store; its name is the cluster's then. */
export async function startQuorate(engine?: EngineName): Promise<Cluster> {
  const directory = mkdtempSync(path.join(tmpdir(), "quorate-bench-"));
  const base = await freeBlock();
  const flags = ["up", "--json", "--no-restart", "--port-base", String(base)];
  if (engine !== undefined) flags.push("--consensus", `etcd=${engine}`);
  const child = spawn(process.execPath, [QUORATE, ...flags, "--data-dir", directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const nodes = readyLine(child).then((line) => (JSON.parse(line) as ReadyLine).nodes);
  let pids: readonly number[] = [];
  const ready = nodes.then((all) => (pids = all.map(({ pid }) => pid)));
  return {
    name: engine ?? "quorate",
    ports: [2, 22, 42].map((offset) => base + offset),
    ready,
    leader: () =>
      settled(async () => {
        const roles = await Promise.all((await nodes).map(({ http }) => roleOf(http)));
        return roles.indexOf("leader");
      }),
    pids: () => pids,
    syncs: async () => {
      const urls = (await nodes).map(({ http }) => `http://${http}`);
      return counted(urls, "quorate_log_syncs_total");
    },
    kill: (node) => process.kill(pids[node]!, "SIGKILL"),
    stop: () => stop([child], directory),
  };
}

/** What `quorate up --json` says once all nodes serve. */
interface ReadyLine {
  readonly nodes: readonly { readonly pid: number; readonly http: string }[];
}

export async function startEtcd(): Promise<Cluster> {
  const directory = mkdtempSync(path.join(tmpdir(), "etcd-bench-"));
  const ports = await Promise.all(Array.from({ length: 6 }, freePort));
  const url = (port: number | undefined): string => `http://127.0.0.1:${port ?? 0}`;
  const initial = [0, 1, 2].map((i) => `n${i}=${url(ports[2 * i + 1])}`).join(",");
  const children = [0, 1, 2].map((i) =>
    spawn(
      "etcd",
      [
        "--name", `n${i}`, "--data-dir", path.join(directory, `n${i}`),
        "--listen-client-urls", url(ports[2 * i]), "--advertise-client-urls", url(ports[2 * i]),
        "--listen-peer-urls", url(ports[2 * i + 1]),
        "--initial-advertise-peer-urls", url(ports[2 * i + 1]),
        "--initial-cluster", initial, "--initial-cluster-state", "new",
        "--log-level", "error",
      ],
      { stdio: "ignore" },
    ),
  );
  return {
    name: "etcd",
    ports: [0, 1, 2].map((i) => ports[2 * i]!),
    ready: Promise.resolve(),
    leader: () => settled(async () => etcdLeader([0, 1, 2].map((i) => url(ports[2 * i])))),
    pids: () => children.map(({ pid }) => pid!),
    syncs: () =>
      counted(
        [0, 1, 2].map((i) => url(ports[2 * i])),
        "etcd_disk_wal_fsync_duration_seconds_count",
      ),
    kill: (node) => children[node]!.kill("SIGKILL"),
    stop: () => stop(children, directory),
  };
}

/** The sum of a counter in the metrics of several nodes. */
async function counted(urls: readonly string[], counter: string): Promise<number> {
  const values = urls.map(async (url) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${counter} `));
    if (line === undefined) throw new Error(`${url} counts no ${counter}`);
    return Number(line.slice(counter.length));
  });
  return (await Promise.all(values)).reduce((sum, value) => sum + value, 0);
}

/** Asks until one of the nodes leads. */
async function settled(ask: () => Promise<number>): Promise<number> {
  for (;;) {
    const leader = await ask();
    if (leader >= 0) return leader;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function roleOf(http: string): Promise<string> {
  const response = await fetch(`http://${http}/status`);
  const { groups } = (await response.json()) as { readonly groups: readonly { role: string }[] };
  return groups[0]?.role ?? "";
}

/** The node whose status says that it leads, by etcd's own client. */
function etcdLeader(endpoints: readonly string[]): number {
  const { stdout } = spawnSync(
    "etcdctl",
    ["--endpoints", endpoints.join(","), "endpoint", "status", "-w", "json"],
    { env: { ...process.env, ETCDCTL_API: "3" }, encoding: "utf8" },
  );
  const all = JSON.parse(stdout === "" ? "[]" : stdout) as readonly {
    readonly Endpoint: string;
    readonly Status: { readonly leader?: number; readonly header: { readonly member_id: number } };
  }[];
  const leader = all.find(({ Status }) => Status.leader === Status.header.member_id);
  return leader === undefined ? -1 : endpoints.indexOf(leader.Endpoint);
}

/** Seconds of CPU, user and system, that processes have used. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

async function stop(children: readonly ChildProcess[], directory: string): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    }),
  );
  rmSync(directory, { recursive: true, force: true });
}

/** What a child says once all nodes serve. It says other things before and after, to nobody. */
function readyLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (line.startsWith('{"event":"ready"')) resolve(line);
    });
    child.once("exit", () => reject(new Error("the cluster did not start")));
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The first of sixty ports that are free, below the range that systems hand out. */
export async function freeBlock(): Promise<number> {
  for (let base = 20_000; base < 32_000; base += 60) {
    const offsets = [0, 20, 40].flatMap((node) => [0, 1, 2, 5, 6].map((port) => node + port));
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error("no free block of ports");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
