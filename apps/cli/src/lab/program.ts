/** The commands of the lab: flags and help. What they do is imported when they run. */

import { type Command, InvalidArgumentError } from "commander";

import type { ExitStatus } from "../errors.ts";
import type { Terminal } from "../terminal/terminal.ts";

type Ended = (status: ExitStatus) => void;

/** Adds `simulate`, `replay`, `exam`, `check`, `judge` and `maelstrom`. */
export function addLab(root: Command, terminal: Terminal, ended: Ended): void {
  addSimulate(root, terminal, ended);
  addReplay(root, terminal, ended);
  addExam(root, terminal, ended);
  addCheck(root, terminal, ended);
  addJudge(root, terminal, ended);
  addMaelstrom(root, terminal, ended);
}

function addCheck(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("check [protocol]")
    .description("search every behaviour of a small cluster for a broken promise")
    .option("--model <name>", "one of the protocol's models (default: all)")
    .option("--set <name=number...>", "change a number of the model: --set crashes=2")
    .option("--max-states <count>", "give up after so many states", natural)
    .option("--no-reduce", "count nodes that are alike one by one")
    .option("--bug <name>", "plant one of the exam's bugs into the protocol's models and find it")
    .option("--published", "count models whose numbers of states are published")
    .option("--json", "print one JSON line per model")
    .addHelpText(
      "after",
      `${examples(
        "quorate check raft",
        "quorate check raft --model elections --set elections=3 terms=3",
        "quorate check raft --bug E14-unsynced-tail",
        "quorate check --published --json",
      )}\n\nStatus 0: all promises hold. 1: one is broken, or a count is wrong. 2: wrong usage.`,
    )
    .action(async (protocol, flags) =>
      ended((await import("./check.ts")).check(protocol, flags, terminal)),
    );
}

function addJudge(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("judge <file...>")
    .description('say of histories whether what clients saw can have happened; "-" is stdin')
    .option(
      "--promise <name>",
      "linearizable, sequential, sessions or isolation (default: isolation of transactions, else linearizable)",
    )
    .option("--budget <count>", "give up a search after so much work", natural)
    .option("--json", "print one JSON line per file")
    .addHelpText(
      "after",
      examples(
        "quorate judge history.jsonl",
        "quorate judge --promise sequential zookeeper-*.jsonl",
        "quorate simulate raft --seed 7 --history - | quorate judge --json -",
        "",
        "Status 0: every history is good. 1: one is not, or cannot be read. 2: wrong usage.",
      ),
    )
    .action(async (files: string[], flags) =>
      ended(await (await import("./judge.ts")).judge(files, flags, terminal)),
    );
}

function addMaelstrom(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("maelstrom <workload>")
    .description("be a node of the Maelstrom workbench, on standard input and output")
    .addHelpText(
      "after",
      examples(
        "quorate maelstrom lin-kv",
        "maelstrom test -w broadcast --bin quorate-broadcast --node-count 5",
        "",
        "Workloads: echo, unique-ids, broadcast, g-set, pn-counter, lin-kv, txn-list-append.",
        "Maelstrom wants a program without arguments: a script with one line will do.",
      ),
    )
    .action(async (workload: string) =>
      ended(await (await import("../maelstrom/maelstrom.ts")).maelstrom(workload, terminal)),
    );
}

function addSimulate(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("simulate <protocol>")
    .description(
      "run a protocol in virtual time under faults, from seeds, and see whether it holds",
    )
    .option("--seed <seed>", "run this one seed; with --seeds, the first of them", natural)
    .option(
      "--seeds <count>",
      "run so many seeds, from --seed or 1 on, on all cores (default: 100)",
      natural,
    )
    .option("--shard <i/n>", "of the seeds, only the i-th of n shares")
    .option("--jobs <count>", "how many cores to use (default: all)", natural)
    .option("--scenario <name>", "the trouble to make (default: each seed draws its own)")
    .option(
      "--minutes <count>",
      "how long faults go on, in virtual time (default: the scenario's own seconds)",
      natural,
    )
    .option(
      "--nodes <count>",
      "how many nodes (default: drawn for each seed); in an experiment, sizes: 10,100",
      sizes,
    )
    .option(
      "--experiment <name>",
      "gossip: measure scale, lifeguard, detectors, detection, delivery or storm",
    )
    .option("--svg <file>", "gossip: measure scale, and draw it")
    .option("--set <name=value>", "set a parameter; may be repeated", collect, [])
    .option("--bug <name>", "plant one of the bugs of the protocol's exam")
    .option("--history <file>", "with --seed: write down what the clients did, for the judges")
    .option("--trace <file>", 'with --seed: write the trace as JSON lines; "-" prints it as text')
    .option("--list", "list the protocol's parameters, scenarios, claims and bugs")
    .option("--json", "print JSON lines")
    .addHelpText(
      "after",
      examples(
        "quorate simulate raft --seeds 1000",
        "quorate simulate raft --seeds 100000 --shard 2/8 --json",
        "quorate simulate raft --seed 5001 --seeds 1000",
        "quorate simulate raft --seed 7 --nodes 5 --scenario partitions --trace -",
        "quorate simulate raft --seed 7 --minutes 60",
        "quorate simulate raft --bug L6-leader-counts-itself-first",
        "quorate simulate raft --list",
        "quorate simulate gossip --nodes 10,100,1000 --svg scale.svg",
        "quorate simulate gossip --experiment lifeguard",
        "",
        "Status 0: every claim held. 1: something was found. 2: wrong usage.",
      ),
    )
    .action(async (protocol: string, flags) =>
      ended(await (await import("./simulate.ts")).simulate(protocol, flags, terminal)),
    );
}

function addReplay(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("replay <run>")
    .description("play a run again, exactly, and tell what happens")
    .option("--shrink", "make a failing run small first")
    .option("--brief", "leave out notes and outputs")
    .option("--quiet", "tell only how it ends")
    .option("--json", "print the trace as JSON lines")
    .addHelpText(
      "after",
      examples(
        "quorate replay raft@1,nodes=5,seed=7,scenario=swarm",
        "quorate replay --shrink raft@1,bug=E14-unsynced-tail,seed=85,scenario=stalled-candidate",
        "",
        "Status 0: every claim held. 1: something was found. 2: wrong usage.",
      ),
    )
    .action(async (run: string, flags) =>
      ended(await (await import("./replay.ts")).replay(run, flags, terminal)),
    );
}

function addExam(root: Command, terminal: Terminal, ended: Ended): void {
  root
    .command("exam <protocol>")
    .description("plant every known bug in turn, and see whether the lab finds it")
    .option("--bug <name>", "only this one")
    .option("--budget <events>", "the most events for one bug", natural)
    .option("--no-shrink", "leave failing runs as they were found")
    .option("--jobs <count>", "how many cores to use (default: all)", natural)
    .option("--json", "print JSON lines")
    .addHelpText(
      "after",
      examples(
        "quorate exam raft",
        "quorate exam raft --bug E14-unsynced-tail",
        "quorate exam raft --json --no-shrink",
        "",
        "Status 0: every bug was found. 1: one was missed. 2: wrong usage.",
      ),
    )
    .action(async (protocol: string, flags) =>
      ended(await (await import("./exam.ts")).exam(protocol, flags, terminal)),
    );
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}`;
}

function natural(text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

/** A number of nodes, or several. */
function sizes(text: string): number | readonly number[] {
  return text.includes(",") ? text.split(",").map(natural) : natural(text);
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
