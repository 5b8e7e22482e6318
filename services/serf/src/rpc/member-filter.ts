/** Which members a client asked for: by regular expressions that must match whole, as in Serf. */

import type { Member } from "@quorate/gossip";

import { AgentError } from "../agent/files.ts";

/** @throws AgentError for an expression that is none. */
export function memberFilter(asked: {
  readonly tags: ReadonlyMap<string, string>;
  readonly status: string;
  readonly name: string;
}): (member: Member) => boolean {
  const tags = [...asked.tags].map(([tag, expression]) => [tag, whole(expression)] as const);
  const status = asked.status === "" ? undefined : whole(asked.status);
  const name = asked.name === "" ? undefined : whole(asked.name);
  return (member) =>
    tags.every(([tag, expression]) => expression.test(member.tags[tag] ?? "")) &&
    (status === undefined || status.test(member.status)) &&
    (name === undefined || name.test(member.name));
}

function whole(expression: string): RegExp {
  try {
    // As Serf does: `a|b` becomes `^a|b$`, which scripts may have come to rely on.
    return new RegExp(`^${expression}$`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError(`Failed to compile regex: ${reason}`);
  }
}
