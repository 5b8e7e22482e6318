/**
 * The command line: commands, flags, help. What a command does is imported when
 * it runs, so that `--help` and completion cost nothing.
 */

import { Command, InvalidArgumentError } from "commander";

import { addAgentFlags } from "./agent/command.ts";
import type { ExitStatus } from "./errors.ts";
import { addLab } from "./lab/program.ts";
import { engineChoices } from "./node/catalogue.ts";
import { kebab, type SettingName, settingTable } from "./settings/table.ts";
import type { Terminal } from "./terminal/terminal.ts";
import { version } from "./version.ts";

type Ended = (status: ExitStatus) => void;

/** Builds the command line. `ended` hears the status of the command that ran. */
export function program(terminal: Terminal, ended: Ended): Command {
  const root = new Command("quorate")
    .description("Runs and talks to clusters of Quorate nodes.")
    .version(version(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help of a command")
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      // Errors are worded by `main`; what is left is the help of a command that was not named.
      writeErr: (text) => terminal.complain(text.trimEnd()),
      outputError: () => {},
    })
    .exitOverride();
  addUp(root, terminal, ended);
  addServe(root, terminal, ended);
  addAgent(root, terminal, ended);
  addStatus(root, terminal, ended);
  addMembers(root, terminal, ended);
  addConsensus(root, terminal, ended);
  addKv(root, terminal, ended);
  addLab(root, terminal, ended);
  addCompletion(root, terminal);
  root.addHelpText(
    "after",
    examples("quorate up", "quorate status", "quorate kv put greeting hello"),
  );
  return root;
}

/** Settings that every node of a cluster on one machine shares. */
const SHARED: readonly SettingName[] = [
  "dataDir",
  "portBase",
  "services",
  "consensus",
  "electionMs",
  "heartbeatMs",
  "checkpointBytes",
  "quotaBytes",
  "logLevel",
];

function addUp(root: Command, terminal: Terminal, ended: Ended): void {
  const up = root
    .command("up")
    .description("run a cluster on this machine until Ctrl-C")
    .option("--nodes <count>", "how many nodes, an odd number (default: 3)");
  addSettings(up, SHARED, { dataDir: ".quorate" })
    .option("--json", "print events as JSON lines")
    .option("--no-restart", "leave a node that dies dead")
    .addHelpText(
      "after",
      examples("quorate up", "quorate up --nodes 5 --port-base 8000", "quorate up --json"),
    )
    .action(async (flags) => ended(await (await import("./up/up.ts")).up(flags, terminal)));
}

function addServe(root: Command, terminal: Terminal, ended: Ended): void {
  const serve = root.command("serve").description("run one node of a cluster");
  // `Object.keys` of the table gives its keys, which its type cannot say.
  addSettings(serve, Object.keys(settingTable) as SettingName[], {})
    .addHelpText(
      "after",
      `${examples(
        "quorate serve --name n1 --data-dir /var/lib/quorate",
        "quorate serve --name n2 --data-dir d2 --port-base 7020 \\\n" +
          "    --cluster n1=127.0.0.1:7001,n2=127.0.0.1:7021,n3=127.0.0.1:7041",
        "quorate serve --name n4 --data-dir d4 --port-base 7060 --join 127.0.0.1:7001",
      )}\n\nFlags go before QUORATE_* variables (QUORATE_DATA_DIR), those before the file.`,
    )
    .action(async (flags) => ended(await (await import("./node/serve.ts")).serve(flags, terminal)));
}

function addAgent(root: Command, terminal: Terminal, ended: Ended): void {
  addAgentFlags(root.command("agent").description("run a membership agent, as serf agent does"))
    .addHelpText(
      "after",
      `${examples(
        "quorate agent -node n1 -bind 10.0.0.1",
        "quorate agent -node n2 -bind 10.0.0.2 -retry-join 10.0.0.1 -tag role=web",
        "quorate agent -config-dir /etc/serf -event-handler user:deploy=deploy.sh",
      )}\n\nFlags and files are those of serf agent; one dash or two. See services/serf/README.md.`,
    )
    .action(async (flags) => ended(await (await import("./agent/run.ts")).agent(flags, terminal)));
}

/** Settings as flags, without defaults: a flag that was not given must not hide a variable. */
function addSettings(
  command: Command,
  names: readonly SettingName[],
  fallbacks: Readonly<Partial<Record<SettingName, unknown>>>,
): Command {
  for (const name of names) {
    const { argument, description, fallback } = settingTable[name];
    const usual = fallbacks[name] ?? fallback;
    const plain = typeof usual === "number" || (typeof usual === "string" && usual !== "");
    const flag = argument === undefined ? `--${kebab(name)}` : `--${kebab(name)} ${argument}`;
    command.option(flag, plain ? `${description} (default: ${usual})` : description);
  }
  return command.option(
    "--config <file>",
    "JSON file of settings, by the names above in camelCase",
  );
}

function addStatus(root: Command, terminal: Terminal, ended: Ended): void {
  asking(root.command("status").description("show the nodes, and whether the cluster works"))
    .option("--watch", "show it again every second")
    .addHelpText("after", examples("quorate status", "quorate status --port-base 8000 --watch"))
    .action(async (flags) =>
      ended(await (await import("./status/status.ts")).status(flags, terminal)),
    );
}

function addMembers(root: Command, terminal: Terminal, ended: Ended): void {
  const members = root
    .command("members")
    .description("show the members, and change who they are")
    .addHelpText(
      "after",
      examples(
        "quorate members",
        "quorate members add n4 --address 127.0.0.1:7061",
        "quorate members remove n1",
      ),
    );
  const load = () => import("./members/commands.ts");
  asking(
    members.command("list", { isDefault: true }).description("show them and where they listen"),
  )
    .addHelpText("after", examples("quorate members", "quorate members list --json"))
    .action(async (flags) =>
      ended(await (await import("./status/members.ts")).members(flags, terminal)),
    );
  asking(members.command("add <name>").description("let a node take part, under a new name"))
    .requiredOption("--address <address>", "where the others reach it: HOST:PEERPORT")
    .option("--learner", "let it follow without voting, until it is promoted")
    .addHelpText(
      "after",
      examples(
        "quorate members add n4 --address 127.0.0.1:7061",
        "quorate members add n4 --address 10.0.0.4:7001 --learner --endpoints 10.0.0.1:7000",
      ),
    )
    .action(async (name, flags) => ended(await (await load()).add(name, flags, terminal)));
  asking(members.command("promote <name>").description("let a learner vote"))
    .addHelpText("after", examples("quorate members promote n4"))
    .action(async (name, flags) => ended(await (await load()).promote(name, flags, terminal)));
  asking(members.command("remove <name>").description("have a member leave for ever"))
    .addHelpText("after", examples("quorate members remove n1"))
    .action(async (name, flags) => ended(await (await load()).remove(name, flags, terminal)));
  asking(members.command("update <name>").description("tell where a member is reached now"))
    .requiredOption("--address <address>", "where the others reach it: HOST:PEERPORT")
    .addHelpText("after", examples("quorate members update n2 --address 10.0.0.9:7001"))
    .action(async (name, flags) => ended(await (await load()).update(name, flags, terminal)));
}

function addConsensus(root: Command, terminal: Terminal, ended: Ended): void {
  const consensus = root
    .command("consensus")
    .description("show which engine replicates a group, and move it to another")
    .addHelpText(
      "after",
      examples("quorate consensus status", "quorate consensus move etcd --to paxos"),
    );
  const load = () => import("./consensus/commands.ts");
  asking(consensus.command("status").description("show each group's engine and who is on it"))
    .addHelpText("after", examples("quorate consensus status", "quorate consensus status --json"))
    .action(async (flags) => ended(await (await load()).status(flags, terminal)));
  asking(
    consensus
      .command("move <group>")
      .description("go on in another engine's log, while clients work"),
  )
    .requiredOption("--to <engine>", `the engine to go on with: ${engineChoices()}`)
    .option("--wait <seconds>", "how long to wait for members that lag", natural, 30)
    .addHelpText(
      "after",
      examples(
        "quorate consensus move etcd --to paxos",
        "quorate consensus move etcd --to raft --endpoints 10.0.0.1:7000 --json",
      ),
    )
    .action(async (group, flags) => ended(await (await load()).move(group, flags, terminal)));
}

/** Flags of commands that ask the nodes' HTTP ports. */
function asking(command: Command): Command {
  return trusting(
    command
      .option("--endpoints <list>", "http addresses of nodes, host:port with commas")
      .option("--port-base <port>", "first port of a cluster on this machine (default: 7000)")
      .option("--json", "print JSON"),
  );
}

/** Flags of clients that speak TLS. */
function trusting(command: Command): Command {
  return command
    .option("--cacert <file>", "authorities that sign the nodes' certificates (PEM); turns TLS on")
    .option("--cert <file>", "certificate to show (PEM)")
    .option("--key <file>", "private key of --cert (PEM)");
}

function addKv(root: Command, terminal: Terminal, ended: Ended): void {
  const kv = root.command("kv").description("read and write keys of the etcd service");
  const load = () => import("./kv/commands.ts");
  calling(kv.command("get <key>").description("print a key's value"))
    .option("--prefix", "every key that begins with KEY, with its value")
    .option("--limit <count>", "at most so many keys", natural)
    .option("--rev <revision>", "as it was at this revision", natural)
    .option("--serializable", "whatever the node that answers knows, without asking the others")
    .option("--keys-only", "print keys without values")
    .addHelpText("after", examples("quorate kv get greeting", "quorate kv get jobs/ --prefix"))
    .action(async (key, flags) => ended(await (await load()).get(key, flags, terminal)));
  calling(kv.command("put <key> <value>").description('set a key; "-" reads the value from stdin'))
    .option("--lease <id>", "remove the key with this lease (hexadecimal)", leaseId)
    .addHelpText(
      "after",
      examples("quorate kv put greeting hello", "quorate kv put cert - < x.pem"),
    )
    .action(async (key, value, flags) =>
      ended(await (await load()).put(key, value, flags, terminal)),
    );
  calling(kv.command("del <key>").description("delete a key"))
    .option("--prefix", "every key that begins with KEY")
    .addHelpText("after", examples("quorate kv del greeting", "quorate kv del jobs/ --prefix"))
    .action(async (key, flags) => ended(await (await load()).del(key, flags, terminal)));
  calling(kv.command("watch <key>").description("print changes as they happen, until Ctrl-C"))
    .option("--prefix", "every key that begins with KEY")
    .option("--rev <revision>", "from this revision on", natural)
    .addHelpText("after", examples("quorate kv watch jobs/ --prefix", "quorate kv watch x --rev 1"))
    .action(async (key, flags) => ended(await (await load()).watch(key, flags, terminal)));
}

/** Flags of commands that call the etcd port. */
function calling(command: Command): Command {
  return trusting(
    command
      .option("--endpoints <list>", "etcd addresses of nodes, host:port with commas")
      .option("--port-base <port>", "first port of a cluster on this machine (default: 7000)")
      .option("--json", "print JSON"),
  );
}

function addCompletion(root: Command, terminal: Terminal): void {
  root
    .command("completion <shell>")
    .description("print a completion script for bash, zsh or fish")
    .addHelpText(
      "after",
      examples("source <(quorate completion bash)", "quorate completion fish | source"),
    )
    .action(async (shell: string) => {
      terminal.write((await import("./completion.ts")).completion(shell, root));
    });
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function natural(text: string): number {
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

function leaseId(text: string): string {
  if (/^[0-9a-fA-F]{1,16}$/.test(text)) return text.toLowerCase().replace(/^0+(?=.)/, "");
  throw new InvalidArgumentError("It must be a lease's id in hexadecimal.");
}
