/**
 * Flags as Go's programs take them: `-node n1`, `-node=n1`, `--node n1`, and
 * `-replay=false`. Brought into the form that the parser of this command knows.
 */

import { agentTable, CONFIG_FLAGS, DISABLE_COMPRESSION } from "./table.ts";

const SWITCHES: ReadonlySet<string> = new Set(
  Object.values(agentTable)
    .filter(({ kind }) => kind === "switch")
    .flatMap(({ flag }) => flag ?? [])
    .concat(DISABLE_COMPRESSION),
);

const FLAGS: ReadonlySet<string> = new Set(
  Object.values(agentTable)
    .flatMap(({ flag }) => flag ?? [])
    .concat(CONFIG_FLAGS, DISABLE_COMPRESSION),
);

/**
 * `-node n1` becomes `--node=n1`. A flag takes the next argument whatever it
 * looks like, as in Go. What is no flag of the agent's stays as it is.
 */
export function canonicalFlags(args: readonly string[]): readonly string[] {
  const canonical: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name = "", value] = /^--?([a-z0-9-]+)(?:=(.*))?$/s.exec(args[i]!) ?? [];
    if (!FLAGS.has(name)) canonical.push(args[i]!);
    else if (SWITCHES.has(name)) {
      if (value === undefined || isTrue(value)) canonical.push(`--${name}`);
      // One that is not true or false is left to the parser to refuse.
      else if (!isFalse(value)) canonical.push(`--${name}=${value}`);
    } else if (value === undefined && i + 1 < args.length)
      canonical.push(`--${name}=${args[++i]!}`);
    else canonical.push(value === undefined ? `--${name}` : `--${name}=${value}`);
  }
  return canonical;
}

function isTrue(value: string): boolean {
  return ["1", "t", "T", "true", "TRUE", "True"].includes(value);
}

function isFalse(value: string): boolean {
  return ["0", "f", "F", "false", "FALSE", "False"].includes(value);
}
