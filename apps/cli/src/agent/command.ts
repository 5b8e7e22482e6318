/** The command line of `quorate agent`. */

import { type Command } from "commander";

import { agentTable, CONFIG_FLAGS, DISABLE_COMPRESSION } from "./table.ts";

/** Adds the agent's flags to a command. They may be given with one dash too. */
export function addAgentFlags(command: Command): Command {
  for (const { kind, flag, argument, description } of Object.values(agentTable)) {
    if (flag === undefined) continue;
    const many = kind === "list" || kind === "tags";
    const flags = argument === undefined ? `--${flag}` : `--${flag} ${argument}`;
    if (many) command.option(flags, description, gather);
    else command.option(flags, description);
  }
  // Files and directories are read in the order in which they were given.
  const both: string[] = [];
  for (const flag of CONFIG_FLAGS) {
    const what = flag === "config-file" ? "<file>" : "<dir>";
    const whatFor = flag === "config-file" ? "JSON file of settings" : "directory of such files";
    command.option(
      `--${flag} ${what}`,
      `${whatFor}, in Serf's format; again for more`,
      (value: string) => {
        both.push(value);
        command.setOptionValue("configFile", both);
        return both;
      },
    );
  }
  return command.option(`--${DISABLE_COMPRESSION}`, "send nothing compressed");
}

function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
