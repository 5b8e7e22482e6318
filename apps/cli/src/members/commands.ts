/** `quorate members add | promote | remove | update`: changes who takes part, in every service at once. */

import * as v from "valibot";

import { type AskFlags, endpointsOf } from "../cluster/endpoints.ts";
import type { Member } from "../cluster/members.ts";
import { operate } from "../cluster/operate.ts";
import { hostPort, HTTP_OFFSET, PEER_OFFSET } from "../cluster/ports.ts";
import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { memberAt } from "./cluster-members.ts";

export interface AddFlags extends AskFlags {
  readonly address: string;
  readonly learner?: boolean;
}

const changedSchema = v.object({
  members: v.array(v.object({ name: v.string(), host: v.string(), portBase: v.number() })),
});

/** @throws CliError if the cluster refuses, with its reason, or nobody answers. */
export async function add(name: string, flags: AddFlags, terminal: Terminal): Promise<ExitStatus> {
  const member = placed(name, flags.address);
  const { address, learner = false } = flags;
  const members = await tell(flags, "/members/add", { name, address, learner });
  const { tls } = endpointsOf(flags, HTTP_OFFSET);
  const shown = tls === undefined ? "" : " and with certificates of its own";
  return say(flags, terminal, members, [
    `${name} is a member at ${address}${learner ? ", a learner until it is promoted" : "; it votes once it has caught up"}`,
    `start it, if it does not run yet: ${startLine(member, members)}${shown}`,
  ]);
}

/** @throws CliError as {@link add}. */
export async function promote(
  name: string,
  flags: AskFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const members = await tell(flags, "/members/promote", { name });
  return say(flags, terminal, members, [`${name} votes from now on`]);
}

/** @throws CliError as {@link add}. */
export async function remove(
  name: string,
  flags: AskFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const members = await tell(flags, "/members/remove", { name });
  const others = members.map((member) => member.name).join(", ");
  return say(flags, terminal, members, [
    `${name} is no member any more; its name is used up, and its data may be deleted`,
    `left are ${others}`,
  ]);
}

/** @throws CliError as {@link add}. */
export async function update(
  name: string,
  flags: AskFlags & Pick<AddFlags, "address">,
  terminal: Terminal,
): Promise<ExitStatus> {
  const { address } = flags;
  placed(name, address);
  const members = await tell(flags, "/members/update", { name, address });
  return say(flags, terminal, members, [`${name} is reached at ${address} from now on`]);
}

async function tell(flags: AskFlags, path: string, body: object): Promise<readonly Member[]> {
  const asking = endpointsOf(flags, HTTP_OFFSET);
  const answer = v.safeParse(changedSchema, await operate(asking, path, body));
  if (answer.success) return answer.output.members;
  const reason =
    "it was done, but the answer cannot be understood: is the node of another release?";
  throw new CliError({ code: "refused", endpoint: asking.endpoints.join(","), reason });
}

/** Checked here too, so that a slip is told in the words of the flag. */
function placed(name: string, address: string): Member {
  const member = memberAt(name, address);
  if (member !== undefined && !address.includes("#")) return member;
  const allowed = "HOST:PORT of the node's peer port, which is its --port-base plus 1";
  throw new CliError({ code: "setting", source: "--address", value: address, allowed });
}

function startLine({ name, host, portBase }: Member, members: readonly Member[]): string {
  const others = members
    .filter((member) => member.name !== name)
    .map((member) => hostPort(member.host, member.portBase + PEER_OFFSET));
  return `quorate serve --name ${name} --data-dir DIR --host ${host} --port-base ${portBase} --join ${others.join(",")}`;
}

function say(
  { json = false }: AskFlags,
  terminal: Terminal,
  members: readonly Member[],
  lines: readonly string[],
): ExitStatus {
  const addresses = members.map(({ name, host, portBase }) => {
    return { name, peer: hostPort(host, portBase + PEER_OFFSET) };
  });
  terminal.write(json ? `${JSON.stringify({ members: addresses })}\n` : `${lines.join("\n")}\n`);
  return EXIT.fine;
}
