/**
 * Runs benchmarks by name, all of them without one:
 *
 *     npm run bench -w bench [-- NAME ...] [-- --json] [-- --traces DIR]
 */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const directory = path.dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const isFlag = (argument: string, i: number): boolean =>
  argument.startsWith("--") || args[i - 1] === "--traces";
const names = args.filter((argument, i) => !isFlag(argument, i));
const flags = args.filter(isFlag);
const available = readdirSync(directory)
  .filter((file) => file.endsWith(".bench.js"))
  .map((file) => file.slice(0, -".bench.js".length));

for (const name of names) {
  if (available.includes(name)) continue;
  console.error(`no benchmark named ${name}; there are: ${available.join(", ")}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : available) {
  const file = path.join(directory, `${name}.bench.js`);
  const { status } = spawnSync(process.execPath, [file, ...flags], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
