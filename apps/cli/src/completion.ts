/**
 * Completion scripts, made from the command line's own description, so that
 * they never lag behind it. The shell asks nothing of this program: all words
 * are in the script.
 */

import type { Command } from "commander";

import { CliError } from "./errors.ts";
import { didYouMean } from "./terminal/suggest.ts";

/** A word that can stand somewhere. */
interface Word {
  readonly text: string;
  readonly description: string;
}

/** What can follow the commands in `path`. */
interface Place {
  readonly path: readonly string[];
  readonly words: readonly Word[];
  /** Flags that take a file or a directory. */
  readonly files: readonly string[];
}

const SHELLS = ["bash", "zsh", "fish"] as const;

/** @throws CliError for a shell it does not know. */
export function completion(shell: string, root: Command): string {
  const places = placesOf(root, []);
  switch (shell) {
    case "bash":
      return bash(places);
    case "zsh":
      return zsh(places);
    case "fish":
      return fish(places);
    default: {
      const reason = `no completion for "${shell}"${didYouMean(shell, SHELLS)}: bash, zsh or fish`;
      throw new CliError({ code: "usage", reason });
    }
  }
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command);
  const flags = options.map(({ long, description }) => ({ text: long ?? "", description }));
  const below = help.visibleCommands(command);
  const commands = below.map((each) => ({ text: each.name(), description: each.description() }));
  const shells = path[0] === "completion" ? SHELLS.map((text) => ({ text, description: "" })) : [];
  const files = options
    .filter(({ flags }) => /<(file|dir)>/.test(flags))
    .map(({ long }) => long ?? "");
  const here: Place = { path, words: [...commands, ...shells, ...flags], files };
  const deeper = below
    .filter((each) => each.name() !== "help")
    .flatMap((each) => placesOf(each, [...path, each.name()]));
  return [here, ...deeper];
}

/** Sets `place` to the commands given so far, in a shell that calls the words given `words`. */
function bash(places: readonly Place[]): string {
  const known = places.filter(({ path }) => path.length > 0).map(({ path }) => path.join(" "));
  const cases = places.map(
    ({ path, words }) =>
      `    "${path.join(" ")}") choices="${words.map(({ text }) => text).join(" ")}" ;;`,
  );
  const files = [...new Set(places.flatMap((place) => place.files))];
  return `# quorate completion for bash: source <(quorate completion bash)
_quorate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local place="" choices="" word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${place:+$place }$word" in
      ${known.map((path) => `"${path}"`).join("|")}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$previous" in
    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "$place" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -F _quorate quorate
`;
}

function zsh(places: readonly Place[]): string {
  const known = places.filter(({ path }) => path.length > 0).map(({ path }) => path.join(" "));
  const cases = places.map(({ path, words }) => {
    const list = words.map(({ text, description }) => quoted(`${text}:${description}`)).join(" ");
    return `    ("${path.join(" ")}") choices=(${list}) ;;`;
  });
  const files = [...new Set(places.flatMap((place) => place.files))];
  return `#compdef quorate
# quorate completion for zsh: source <(quorate completion zsh)
_quorate() {
  local place="" word
  local -a choices
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      (${known.map((path) => `"${path}"`).join("|")}) place="\${place:+$place }$word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    (${files.join("|")}) _files; return ;;
  esac
  case "$place" in
${cases.join("\n")}
  esac
  _describe quorate choices
}
compdef _quorate quorate
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, files }) => {
    const depth = words.filter(({ text }) => !text.startsWith("-")).map(({ text }) => text);
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const not = depth.length === 0 ? [] : [`not __fish_seen_subcommand_from ${depth.join(" ")}`];
    const when = quoted([...seen, ...not].join("; and ") || "true");
    return words.map(({ text, description }) => {
      const about = `-d ${quoted(description)}`;
      if (!text.startsWith("--")) return `complete -c quorate -n ${when} -a ${text} ${about}`;
      const file = files.includes(text) ? "-r -F " : "";
      return `complete -c quorate -n ${when} -l ${text.slice(2)} ${file}${about}`;
    });
  });
  return `# quorate completion for fish: quorate completion fish | source
complete -c quorate -f
${lines.join("\n")}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "")}'`;
}
