/** `quorate members`: who belongs to the cluster and where each listens. */

import { type AskFlags, endpointsOf } from "../cluster/endpoints.ts";
import { HTTP_OFFSET } from "../cluster/ports.ts";
import type { GroupReport } from "../cluster/report.ts";
import { EXIT, type ExitStatus } from "../errors.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { works } from "./status.ts";
import { type Survey, survey } from "./survey.ts";

/** What is known of one member. */
interface Member {
  readonly name: string;
  readonly reachable: boolean;
  /** How it is by the nodes' gossip: `alive`, `leaving`, `left`, `failed`, or `unknown`. */
  readonly gossip: string;
  /** `voter`, `learner`, `promotable` (votes once it has caught up) or `unknown` in each group. */
  readonly groups: Readonly<Record<string, string>>;
  readonly leads: readonly string[];
  readonly addresses: Readonly<Record<string, string>>;
}

/** @throws CliError if nobody answers. */
export async function members(flags: AskFlags, terminal: Terminal): Promise<ExitStatus> {
  const seen = await survey(endpointsOf(flags, HTTP_OFFSET));
  const list = membersOf(seen);
  terminal.write(
    flags.json === true
      ? `${JSON.stringify({ members: list })}\n`
      : membersText(list, terminal.paint),
  );
  return works(seen) ? EXIT.fine : EXIT.failed;
}

export function membersOf({ nodes, groups }: Survey): readonly Member[] {
  const told = new Map(
    nodes.flatMap(({ report }) => report?.members ?? []).map((each) => [each.name, each]),
  );
  // The leader's word counts: it may be about to change the others' minds.
  const views = groups.map(({ name, leader }) => {
    const candidates = nodes.flatMap(({ report }) => {
      const group = report?.groups.find((each) => each.name === name);
      return group === undefined ? [] : [{ node: report?.name, group }];
    });
    return (candidates.find(({ node }) => node === leader) ?? candidates[0]!).group;
  });
  const gossip = gossipOf(nodes);
  const configured = nodes
    .filter(({ name }) => told.has(name))
    .map(({ name, report }) => {
      const { http, peer, services } = told.get(name)!;
      const kinds = views.map((group) => {
        return [group.name, kindIn(group, name)] as const;
      });
      return {
        name,
        reachable: report !== undefined,
        gossip: gossip[name] ?? "unknown",
        groups: Object.fromEntries(kinds),
        leads: groups.filter(({ leader }) => leader === name).map((group) => group.name),
        addresses: { http, peer, ...services },
      };
    });
  return [...configured, ...agentsOf(gossip, told)];
}

function kindIn({ voters, learners, promotable }: GroupReport, name: string): string {
  if (voters.includes(name)) return "voter";
  if (promotable.includes(name)) return "promotable";
  return learners.includes(name) ? "learner" : "unknown";
}

/** What a node that answers says; all say the same before long. */
function gossipOf(nodes: Survey["nodes"]): Readonly<Record<string, string>> {
  return nodes.find(({ report }) => report !== undefined)?.report?.gossip ?? {};
}

/** Members by gossip alone: `quorate agent` and `serf agent` that joined the nodes. */
function agentsOf(
  gossip: Readonly<Record<string, string>>,
  nodes: ReadonlyMap<string, unknown>,
): readonly Member[] {
  return Object.entries(gossip)
    .filter(([name]) => !nodes.has(name))
    .map(([name, status]) => {
      const reachable = status === "alive";
      return {
        name,
        reachable,
        gossip: status,
        groups: { gossip: "agent" },
        leads: [],
        addresses: {},
      };
    });
}

export function membersText(list: readonly Member[], paint: Terminal["paint"]): string {
  const purposes = Object.keys(list[0]?.addresses ?? {});
  const columns = [
    "NAME",
    "REACHABLE",
    "GOSSIP",
    "KIND",
    "LEADS",
    ...purposes.map((each) => each.toUpperCase()),
  ];
  const rows = list.map(({ name, reachable, gossip, groups, leads, addresses }) => [
    name,
    reachable
      ? ({ text: "yes", colour: "green" } as const)
      : ({ text: "no", colour: "red" } as const),
    gossip,
    [...new Set(Object.values(groups))].join(", "),
    leads.length === 0 ? "-" : { text: leads.join(", "), colour: "cyan" as const },
    ...purposes.map((purpose) => addresses[purpose] ?? ""),
  ]);
  return table(
    columns.map((title) => ({ title })),
    rows,
    paint,
  );
}
