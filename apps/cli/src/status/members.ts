/** `quorate members`: who belongs to the cluster and where each listens. */

import { type AskFlags, endpointsOf } from "../cluster/endpoints.ts";
import { HTTP_OFFSET } from "../cluster/ports.ts";
import { EXIT, type ExitStatus } from "../errors.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { works } from "./status.ts";
import { type Survey, survey } from "./survey.ts";

/** What is known of one member. */
interface Member {
  readonly name: string;
  readonly reachable: boolean;
  /** `voter`, `learner`, or `unknown` in each group. */
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
  return nodes
    .filter(({ name }) => told.has(name))
    .map(({ name, report }) => {
      const { http, peer, services } = told.get(name)!;
      const kinds = views.map((group) => {
        const kind = group.learners.includes(name) ? "learner" : "unknown";
        return [group.name, group.voters.includes(name) ? "voter" : kind] as const;
      });
      return {
        name,
        reachable: report !== undefined,
        groups: Object.fromEntries(kinds),
        leads: groups.filter(({ leader }) => leader === name).map((group) => group.name),
        addresses: { http, peer, ...services },
      };
    });
}

export function membersText(list: readonly Member[], paint: Terminal["paint"]): string {
  const purposes = Object.keys(list[0]?.addresses ?? {});
  const columns = [
    "NAME",
    "REACHABLE",
    "KIND",
    "LEADS",
    ...purposes.map((each) => each.toUpperCase()),
  ];
  const rows = list.map(({ name, reachable, groups, leads, addresses }) => [
    name,
    reachable
      ? ({ text: "yes", colour: "green" } as const)
      : ({ text: "no", colour: "red" } as const),
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
