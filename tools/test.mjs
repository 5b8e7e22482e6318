/**
 * Runs the compiled tests of all workspaces.
 *
 *     node tools/test.mjs [--clients] [FILTER ...] [-- NODE_TEST_FLAG ...]
 *
 * A filter is a part of a path: `node tools/test.mjs consensus wal`. With
 * `--clients`, the suites named `*.clients.test.ts`, which drive a real cluster
 * with programs that must be installed (see CONTRIBUTING.md); without, all others.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { walk, workspaces } from "./workspaces.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const [own, passed] = divide(process.argv.slice(2));
const clients = own.includes("--clients");
const filters = own.filter((argument) => !argument.startsWith("--"));
const files = workspaces()
  .flatMap((directory) => walk(path.join(directory, "dist")))
  .filter((file) => file.endsWith(".test.js") && file.endsWith(".clients.test.js") === clients)
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (files.length === 0) {
  console.error("no test matches");
  process.exit(1);
}
const flags = ["--enable-source-maps", "--test", "--test-timeout=300000", ...passed];
if (clients) flags.push("--test-concurrency=1");
const { status } = spawnSync(process.execPath, [...flags, ...files], { stdio: "inherit" });
process.exit(status ?? 1);

function divide(args) {
  const at = args.indexOf("--");
  return at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}
