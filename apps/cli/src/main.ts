/**
 * The `quorate` command: from arguments to an exit status. Whatever goes wrong
 * ends here as one line that begins with `quorate: `; only a bug shows a stack.
 */

import { CommanderError } from "commander";

import { canonicalFlags } from "./agent/flags.ts";
import { CliError, EXIT, type ExitStatus, reasonOf } from "./errors.ts";
import { program } from "./program.ts";
import { systemTerminal, type Terminal } from "./terminal/terminal.ts";

/** Errors of other packages that mean "refused, and this is why", by name: loading them takes time. */
const EXPECTED = new Set(["HostError", "StorageError"]);

/** Runs a command and resolves to the process's exit status. */
export async function main(
  argv: readonly string[],
  terminal: Terminal = systemTerminal(),
): Promise<number> {
  try {
    let status: ExitStatus = EXIT.fine;
    const args = argv[0] === "agent" ? canonicalFlags(argv) : argv;
    await program(terminal, (ended) => (status = ended)).parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    return conclude(error, terminal);
  }
}

/**
 * Standard output failed, which may be told long after a command has ended: whoever reads it may
 * have read enough (`quorate kv get x --prefix | head`).
 */
export function onOutputError(error: NodeJS.ErrnoException): never {
  process.exit(error.code === "EPIPE" ? EXIT.fine : EXIT.failed);
}

function conclude(error: unknown, terminal: Terminal): ExitStatus {
  if (error instanceof CommanderError) return concludeParsing(error, terminal);
  if (error instanceof CliError) {
    if (error.fault.code !== "told") terminal.complain(`quorate: ${reasonOf(error)}`);
    return error.status;
  }
  if (error instanceof Error && EXPECTED.has(error.name)) {
    terminal.complain(`quorate: ${reasonOf(error)}`);
    return EXIT.failed;
  }
  const stack = error instanceof Error ? error.stack : String(error);
  terminal.complain(`quorate: internal error: ${stack ?? "unknown"}`);
  return EXIT.bug;
}

/** The parser stops for `--help` and `--version` too, with status 0. */
function concludeParsing(error: CommanderError, terminal: Terminal): ExitStatus {
  if (error.exitCode === 0) return EXIT.fine;
  // A command that was not named: its help is on standard error already.
  if (error.code === "commander.help") return EXIT.usage;
  const line = reasonOf(error)
    .replace(/^error: /, "")
    .replace(/\(Did you mean (.*)\?\)$/, "(did you mean $1?)");
  terminal.complain(`quorate: ${line}; see --help`);
  return EXIT.usage;
}
