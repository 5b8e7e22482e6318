/** `quorate status`: the nodes as they answer, and whether the cluster works. */

import { type AskFlags, type Endpoints, endpointsOf } from "../cluster/endpoints.ts";
import { HTTP_OFFSET } from "../cluster/ports.ts";
import type { GroupReport } from "../cluster/report.ts";
import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import { type Cell, type Column, table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { pause } from "../terminal/pause.ts";
import { counted, duration, timeOfDay } from "../terminal/units.ts";
import { type GroupSurvey, type Survey, survey } from "./survey.ts";

export interface StatusFlags extends AskFlags {
  readonly watch?: boolean;
}

const WATCH_MS = 1000;
const CLEAR = "\u001B[H\u001B[2J";

/** @throws CliError if nobody answers. */
export async function status(flags: StatusFlags, terminal: Terminal): Promise<ExitStatus> {
  const asking = endpointsOf(flags, HTTP_OFFSET);
  if (flags.watch === true) return watch(asking, flags.json === true, terminal);
  const seen = await survey(asking);
  terminal.write(flags.json === true ? statusJson(seen) : statusText(seen, terminal.paint));
  return works(seen) ? EXIT.fine : EXIT.failed;
}

async function watch(asking: Endpoints, json: boolean, terminal: Terminal): Promise<ExitStatus> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  while (!stop.signal.aborted) {
    const screen = await frame(asking, json, terminal);
    // Cleared only now, so that nothing flickers.
    terminal.write(terminal.interactive && !json ? CLEAR + screen : screen);
    await pause(WATCH_MS, stop.signal);
  }
  return EXIT.fine;
}

async function frame(asking: Endpoints, json: boolean, { paint }: Terminal): Promise<string> {
  try {
    const seen = await survey(asking);
    if (json) return statusJson(seen);
    return `${paint("dim", timeOfDay(new Date()))}\n${statusText(seen, paint)}\n`;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return json ? `${JSON.stringify({ error: reasonOf(error) })}\n` : `${reasonOf(error)}\n`;
  }
}

/** Whether every group can commit. */
export function works({ groups }: Survey): boolean {
  return groups.length > 0 && groups.every(({ quorum }) => quorum);
}

export function statusJson(seen: Survey): string {
  const nodes = seen.nodes.map(({ name, endpoint, report, reason }) => ({
    name,
    endpoint,
    healthy: report?.healthy ?? false,
    ...report,
    ...(report === undefined ? { reason } : {}),
  }));
  return `${JSON.stringify({ works: works(seen), groups: seen.groups, nodes })}\n`;
}

export function statusText(seen: Survey, paint: Terminal["paint"]): string {
  const several = seen.groups.length > 1;
  const columns: readonly Column[] = [
    { title: "NODE" },
    { title: "PID", align: "right" },
    { title: "HEALTH" },
    ...(several ? [{ title: "SERVICE" }] : []),
    { title: "ENGINE" },
    { title: "ROLE" },
    { title: "TERM", align: "right" },
    { title: "COMMIT", align: "right" },
    { title: "APPLIED", align: "right" },
    { title: "LAG", align: "right" },
    { title: "UPTIME", align: "right" },
    { title: "VERSION" },
  ];
  const rows = seen.nodes.flatMap((node): (readonly Cell[])[] => {
    const { name, report } = node;
    if (report === undefined) return [[name, "-", { text: "unreachable", colour: "red" }]];
    const health: Cell = report.healthy
      ? { text: "ok", colour: "green" }
      : { text: report.reason, colour: "yellow" };
    return report.groups.map((group) => {
      const service = several ? [group.name] : [];
      const numbers = figures(group, commitOf(seen, group.name));
      return [name, String(report.pid), health].concat(
        service,
        numbers,
        duration(report.uptimeMs),
        report.version,
      );
    });
  });
  const silent = seen.nodes.flatMap(({ name, endpoint, reason }) =>
    reason === undefined ? [] : [`${name} at ${endpoint}: ${reason}`],
  );
  const verdicts = seen.groups.map((group) => verdict(group, paint));
  return `${table(columns, rows, paint)}\n${[...silent, ...verdicts].join("\n")}\n`;
}

function figures(group: GroupReport, commit: number): readonly Cell[] {
  const lag = commit - group.appliedIndex;
  const { engine, generation } = group;
  return [
    generation > 1 ? `${engine} (${generation})` : engine,
    group.role === "leader" ? { text: "leader", colour: "cyan" } : group.role,
    String(group.term),
    String(group.commitIndex),
    String(group.appliedIndex),
    String(Math.max(0, lag)),
  ];
}

/** The furthest that anybody knows to be committed. */
function commitOf({ nodes }: Survey, name: string): number {
  const groups = nodes.flatMap(({ report }) => report?.groups ?? []);
  return Math.max(...groups.filter((each) => each.name === name).map((each) => each.commitIndex));
}

function verdict(group: GroupSurvey, paint: Terminal["paint"]): string {
  const { name, leader, term, voters, able, quorum, spare } = group;
  const of = `${able.length} of ${counted(voters.length, "voter")}`;
  if (!quorum) {
    const why = leader === undefined ? "no leader" : `only ${of} take part`;
    return paint("red", `${name} has no quorum: ${why}`);
  }
  const more = spare === 0 ? "none may fail" : `${spare} more may fail`;
  const line = `${name} works: ${leader ?? ""} leads in term ${term}, ${of} take part, ${more}`;
  return paint(spare === 0 && voters.length > 1 ? "yellow" : "green", line);
}
