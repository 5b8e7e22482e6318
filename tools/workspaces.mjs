/** Where the workspaces are: the one list is `workspaces` of the root package.json. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Directories of all workspaces, relative to the root, which must be the working directory. */
export function workspaces() {
  const { workspaces: patterns } = JSON.parse(readFileSync("package.json", "utf8"));
  return patterns
    .flatMap((pattern) =>
      pattern.endsWith("/*")
        ? readdirSync(pattern.slice(0, -2)).map((name) => path.join(pattern.slice(0, -2), name))
        : [pattern],
    )
    .filter((directory) => existsSync(path.join(directory, "package.json")));
}

/** Every file below a directory, but for what is installed or built. */
export function walk(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? walk(path.join(directory, entry.name))
      : [path.join(directory, entry.name)],
  );
}
