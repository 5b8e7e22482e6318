/** `quorate consensus status | move`: which engine replicates a group, and moving it to another. */

import * as v from "valibot";

import { type AskFlags, endpointsOf } from "../cluster/endpoints.ts";
import { operate } from "../cluster/operate.ts";
import { HTTP_OFFSET } from "../cluster/ports.ts";
import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import { type Survey, survey } from "../status/survey.ts";
import { pause } from "../terminal/pause.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface MoveFlags extends AskFlags {
  readonly to: string;
  /** Seconds. */
  readonly wait: number;
}

/** Where a group is, as its members say. */
interface Standing {
  readonly group: string;
  /** Of the member that has come furthest. */
  readonly engine: string;
  readonly generation: number;
  readonly leader: string | null;
  readonly term: number;
  /** Members in that generation, and those that are not or do not answer. */
  readonly there: readonly string[];
  readonly behind: readonly string[];
}

const LOOK_MS = 200;

const movedSchema = v.object({
  group: v.string(),
  engine: v.string(),
  generation: v.number(),
  moved: v.boolean(),
});

/** @throws CliError if nobody answers. */
export async function status(flags: AskFlags, terminal: Terminal): Promise<ExitStatus> {
  const standings = standingsOf(await survey(endpointsOf(flags, HTTP_OFFSET)));
  if (flags.json === true) terminal.write(`${JSON.stringify({ groups: standings })}\n`);
  else terminal.write(statusText(standings, terminal.paint));
  return standings.every(({ leader }) => leader !== null) ? EXIT.fine : EXIT.failed;
}

/**
 * Moves a group and waits until all its members have moved.
 * @throws CliError if the cluster refuses, with its reason, or nobody answers.
 */
export async function move(
  group: string,
  flags: MoveFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const { to, wait, json = false } = flags;
  const asking = endpointsOf(flags, HTTP_OFFSET);
  const begunMs = performance.now();
  const answer = v.safeParse(movedSchema, await operate(asking, "/consensus/move", { group, to }));
  if (!answer.success) {
    const reason = "the answer cannot be understood: is the node of another release?";
    throw new CliError({ code: "refused", endpoint: asking.endpoints.join(","), reason });
  }
  const { generation, moved } = answer.output;
  const say = (line: string): void => {
    if (!json) terminal.write(`${line}\n`);
  };
  if (moved) say(`${group} goes on on ${to}, generation ${generation}`);
  let behind = await behindOf(asking, group, generation);
  let told = "";
  while (behind.length > 0 && performance.now() - begunMs < wait * 1000) {
    const line = `waiting for ${behind.join(", ")}`;
    if (line !== told) say(line);
    told = line;
    await pause(LOOK_MS);
    behind = await behindOf(asking, group, generation);
  }
  if (json) terminal.write(`${JSON.stringify({ ...answer.output, behind })}\n`);
  if (behind.length === 0) {
    say(moved ? `all members are on ${to}` : `${group} is on ${to} already`);
    return EXIT.fine;
  }
  say(`${behind.join(", ")} will follow when it hears of it`);
  return EXIT.failed;
}

async function behindOf(
  asking: Parameters<typeof survey>[0],
  group: string,
  generation: number,
): Promise<readonly string[]> {
  const seen = await survey(asking);
  const standing = standingsOf(seen).find((each) => each.group === group);
  // A member may be further than asked for by now, if somebody else has moved the group again.
  if (standing === undefined || standing.generation < generation) return ["everyone"];
  return standing.behind;
}

export function standingsOf({ nodes, groups }: Survey): readonly Standing[] {
  return groups.map(({ name: group, leader, term, voters }) => {
    const views = nodes.flatMap(({ name, report }) => {
      const view = report?.groups.find((each) => each.name === group);
      return view === undefined ? [] : [{ name, view }];
    });
    const furthest = views.toSorted((a, b) => b.view.generation - a.view.generation)[0]!.view;
    const { engine, generation, learners } = furthest;
    const members = [...voters, ...learners];
    const there = members.filter((member) => {
      return views.some(({ name, view }) => name === member && view.generation === generation);
    });
    const behind = members.filter((member) => !there.includes(member));
    return { group, engine, generation, leader: leader ?? null, term, there, behind };
  });
}

function statusText(standings: readonly Standing[], paint: Terminal["paint"]): string {
  const rows = standings.map(({ group, engine, generation, leader, term, there, behind }) => [
    group,
    engine,
    String(generation),
    leader === null ? { text: "none", colour: "red" as const } : leader,
    String(term),
    there.join(", "),
    behind.length === 0 ? "-" : { text: behind.join(", "), colour: "yellow" as const },
  ]);
  const titles = ["GROUP", "ENGINE", "GENERATION", "LEADER", "TERM", "THERE", "BEHIND"];
  return table(
    titles.map((title) => ({ title })),
    rows,
    paint,
  );
}
