/**
 * Asks the nodes of a cluster, each by itself: what one says of another is not
 * taken for the truth, except where that other listens.
 */

import { type Asked, askStatus, type AskTls } from "../cluster/ask.ts";
import type { Endpoints } from "../cluster/endpoints.ts";
import type { GroupReport, NodeReport } from "../cluster/report.ts";
import { CliError } from "../errors.ts";

/** A node, and what it answered. */
export interface Surveyed {
  readonly name: string;
  /** `host:port` of its HTTP port. */
  readonly endpoint: string;
  readonly report?: NodeReport;
  readonly reason?: string;
}

export interface Survey {
  readonly nodes: readonly Surveyed[];
  readonly groups: readonly GroupSurvey[];
}

/** What the nodes that answer make of one group. */
export interface GroupSurvey {
  readonly name: string;
  /** Who leads in the newest term, if a leader answers. */
  readonly leader: string | undefined;
  readonly term: number;
  readonly voters: readonly string[];
  /** Voters that answer, serve, and follow that leader or are it. */
  readonly able: readonly string[];
  /** Whether it can commit. */
  readonly quorum: boolean;
  /** How many more voters may fail. */
  readonly spare: number;
}

const TIMEOUT_MS = 1500;
/**
 * Asks the endpoints, then the members they tell of.
 * @throws CliError if nobody answers.
 */
export async function survey(asking: Endpoints): Promise<Survey> {
  const seeds = await askAll(asking.endpoints, asking.tls);
  const reports = seeds.flatMap(({ asked }) => (asked.type === "report" ? [asked.report] : []));
  if (reports.length === 0) throw nobody(seeds);
  // Who has seen most has the last word on where the others are.
  const members = new Map(
    reports
      .toSorted((a, b) => seen(a) - seen(b))
      .flatMap((report) => report.members)
      .map((member) => [member.name, member.http]),
  );
  const answered = new Map(reports.map((report) => [report.name, report]));
  const left = [...members].filter(([name]) => !answered.has(name)).map(([, http]) => http);
  const more = await askAll(left, asking.tls);
  const nodes: Surveyed[] = [];
  for (const [name, http] of members) {
    const asked = more.find(({ endpoint }) => endpoint === http)?.asked;
    const report = answered.get(name) ?? (asked?.type === "report" ? asked.report : undefined);
    if (report?.name === name) nodes.push({ name, endpoint: http, report });
    else nodes.push({ name, endpoint: http, reason: silence(asked) });
  }
  // An endpoint that somebody named and that is silent is shown, if no member explains it.
  for (const { endpoint, asked } of seeds) {
    const explained = asked.type === "report" || nodes.some((node) => node.endpoint === endpoint);
    if (asking.named && !explained) nodes.push({ name: "?", endpoint, reason: silence(asked) });
  }
  const current = nodes.filter((node) => node.report !== undefined || isCurrent(node.name, nodes));
  return { nodes: current, groups: groupsOf(current) };
}

/** How much of its groups' logs a node knows to be committed. */
function seen({ groups }: NodeReport): number {
  return groups.reduce((sum, { commitIndex }) => sum + commitIndex, 0);
}

/** Whether a node that is silent is a member still: who leads knows, if anybody does. */
function isCurrent(name: string, nodes: readonly Surveyed[]): boolean {
  const leaders = nodes
    .flatMap(({ report }) => report ?? [])
    .filter(({ groups }) => groups.some(({ role }) => role === "leader"));
  const listed = leaders.flatMap(({ members }) => members);
  return name === "?" || leaders.length === 0 || listed.some((member) => member.name === name);
}

async function askAll(endpoints: readonly string[], tls: AskTls | undefined) {
  return Promise.all(
    endpoints.map(async (endpoint) => {
      return { endpoint, asked: await askStatus(endpoint, { timeoutMs: TIMEOUT_MS, tls }) };
    }),
  );
}

function nobody(seeds: readonly { endpoint: string; asked: Asked }[]): CliError {
  const endpoints = seeds.map(({ endpoint }) => endpoint);
  // Who is there and cannot be talked to tells more than who is not.
  const telling = seeds.map(({ asked }) => asked).toSorted((a, b) => absence(a) - absence(b))[0];
  const absent = telling === undefined || absence(telling) > 0;
  return new CliError({ code: "unreachable", endpoints, reason: silence(telling), absent });
}

function absence(asked: Asked): number {
  return asked.type === "silent" && asked.absent ? 1 : 0;
}

function silence(asked: Asked | undefined): string {
  return asked?.type === "silent" ? asked.reason : "another node answers there";
}

/** What the answers say about each group. */
export function groupsOf(nodes: readonly Surveyed[]): readonly GroupSurvey[] {
  const names = new Set(
    nodes.flatMap(({ report }) => report?.groups ?? []).map(({ name }) => name),
  );
  return [...names].map((name) => {
    const views = nodes.flatMap(({ report }) => {
      const group = report?.groups.find((each) => each.name === name);
      return report === undefined || group === undefined ? [] : [{ report, group }];
    });
    return groupSurvey(name, views);
  });
}

function groupSurvey(
  name: string,
  views: readonly { report: NodeReport; group: GroupReport }[],
): GroupSurvey {
  const leading = views.filter(({ group }) => group.role === "leader");
  const newest = leading.toSorted((a, b) => b.group.term - a.group.term)[0];
  const leader = newest?.report.name;
  const { term, voters } = (newest ?? views[0]!).group;
  const able = views
    .filter(({ report, group }) => {
      const follows = group.leader === leader && group.term === term;
      return leader !== undefined && report.healthy && follows && voters.includes(report.name);
    })
    .map(({ report }) => report.name);
  const needed = Math.floor(voters.length / 2) + 1;
  const quorum = leader !== undefined && able.length >= needed;
  return { name, leader, term, voters, able, quorum, spare: Math.max(0, able.length - needed) };
}
