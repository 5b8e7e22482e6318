/** `quorate up`: a cluster on this machine, one process per node, until it is told to stop. */

import fs from "node:fs";
import net from "node:net";
import path from "node:path";

import * as v from "valibot";

import { formatCluster, localMembers, type Member } from "../cluster/members.ts";
import {
  hostPort,
  HTTP_OFFSET,
  LAST_PORT_BASE,
  PEER_OFFSET,
  portBaseOf,
} from "../cluster/ports.ts";
import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import { portsOf, rowsOf } from "../node/catalogue.ts";
import { checkTimes } from "../settings/node-settings.ts";
import { wholeNumber } from "../settings/schemas.ts";
import { resolveSettings } from "../settings/settings.ts";
import { kebab } from "../settings/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { humanNarrator, jsonNarrator } from "./narrator.ts";
import { type NodePlan, Supervisor } from "./supervisor.ts";

/** What the command line said; settings by their names. */
export interface UpFlags extends Readonly<Partial<Record<(typeof PASSED_ON)[number], string>>> {
  readonly dataDir?: string;
  readonly portBase?: string;
  readonly nodes?: string;
  readonly json?: boolean;
  readonly restart: boolean;
  readonly config?: string;
}

const HOST = "127.0.0.1";
const DATA_DIR = ".quorate";
const MOST_NODES = 9;
/** Passed on to the nodes as flags if they were given as flags; other sources the nodes read themselves. */
const PASSED_ON = [
  "services",
  "consensus",
  "electionMs",
  "heartbeatMs",
  "checkpointBytes",
  "quotaBytes",
  "logLevel",
] as const;

/**
 * Runs a cluster until a signal.
 * @throws CliError if a node cannot start, or none is left.
 */
export async function up(flags: UpFlags, terminal: Terminal): Promise<ExitStatus> {
  const { dataDir, authority, plans } = await plan(flags);
  fs.mkdirSync(dataDir, { recursive: true });
  const narrate =
    flags.json === true ? jsonNarrator(terminal) : humanNarrator(terminal, { dataDir, authority });
  let end: (failure: CliError | undefined) => void = () => {};
  const ended = new Promise<CliError | undefined>((resolve) => (end = resolve));
  const supervisor = new Supervisor({
    plans,
    restart: flags.restart,
    onEvent: narrate,
    onHopeless: (node, reason) => end(new CliError({ code: "node", node, reason })),
  });
  let signals = 0;
  const onSignal = (): void => {
    signals++;
    if (signals > 1) return supervisor.kill();
    narrate({ event: "stopping" });
    end(undefined);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  try {
    supervisor.start();
    const failure = await ended;
    await supervisor.stop();
    if (failure !== undefined) throw failure;
    narrate({ event: "stopped" });
    return signals > 1 ? EXIT.failed : EXIT.fine;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
  }
}

interface Plan {
  /** The authority that clients must trust, if the nodes speak TLS. */
  readonly authority: string | undefined;
  readonly dataDir: string;
  readonly plans: readonly NodePlan[];
}

async function plan(flags: UpFlags): Promise<Plan> {
  const { config: file } = flags;
  const sources = { flags, environment: process.env, file };
  const resolved = resolveSettings(
    ["portBase", "dataDir", "certFile", "trustedCaFile", ...PASSED_ON],
    sources,
    {
      dataDir: DATA_DIR,
    },
  );
  checkTimes(resolved);
  const { portBase, services, certFile, trustedCaFile } = resolved.values;
  const count = nodeCount(flags.nodes ?? process.env["QUORATE_NODES"]);
  const last = portBaseOf(portBase, count - 1);
  if (last > LAST_PORT_BASE) {
    const allowed = `at most ${portBase - (last - LAST_PORT_BASE)} for ${count} nodes of 20 ports each`;
    const source = resolved.sourceOf("portBase");
    throw new CliError({ code: "setting", source, value: portBase, allowed });
  }
  const dataDir = path.resolve(resolved.values.dataDir);
  const members = localMembers(count, HOST, portBase);
  await checkPorts(members, services);
  const shared = PASSED_ON.flatMap((name) =>
    flags[name] === undefined ? [] : [`--${kebab(name)}`, flags[name]],
  );
  const config = file === undefined ? [] : ["--config", file];
  const plans = members.map((member) => ({
    name: member.name,
    log: path.join(dataDir, `${member.name}.log`),
    arguments: [...argumentsOf(member, members, dataDir), ...shared, ...config],
  }));
  const authority = certFile === "" ? undefined : trustedCaFile || certFile;
  return { dataDir, authority, plans };
}

function argumentsOf(member: Member, members: readonly Member[], dataDir: string): string[] {
  const { name, host, portBase } = member;
  const pairs = {
    "--name": name,
    "--data-dir": path.join(dataDir, name),
    "--host": host,
    "--port-base": String(portBase),
    "--cluster": formatCluster(members),
  };
  return Object.entries(pairs).flat();
}

function nodeCount(given: string | undefined): number {
  if (given === undefined || given === "") return 3;
  const odd = v.pipe(
    wholeNumber(1, MOST_NODES),
    v.check((count) => count % 2 === 1),
  );
  const result = v.safeParse(odd, given);
  if (result.success) return result.output;
  const allowed = "1, 3, 5, 7 or 9: one node more than an odd number survives no more failures";
  throw new CliError({ code: "setting", source: "--nodes", value: given, allowed });
}

/** Tries every port before anything is started: what is taken is named while nothing is harmed. */
async function checkPorts(members: readonly Member[], services: readonly string[]): Promise<void> {
  const purposes = [
    { name: "http", offset: HTTP_OFFSET },
    { name: "peer", offset: PEER_OFFSET },
    ...portsOf(rowsOf(services)).map(({ name, portOffset }) => ({ name, offset: portOffset })),
  ];
  for (const { name, host, portBase } of members) {
    for (const purpose of purposes) {
      const port = portBase + purpose.offset;
      const trouble = await tryPort(host, port);
      if (trouble === undefined) continue;
      const reason =
        `cannot listen on ${hostPort(host, port)}, the ${purpose.name} port of ${name}: ${trouble}; ` +
        `stop what listens there, or choose another --port-base`;
      throw new CliError({ code: "settings", reason });
    }
  }
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "EADDRINUSE" ? "the port is in use" : reasonOf(error));
    });
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
