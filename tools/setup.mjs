/**
 * Brings a clone to a runnable state: dependencies, then build. Cheap when
 * nothing changed, so `npm start` and `npm test` call it every time. Uses
 * nothing but Node: it runs before anything is installed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Quorate needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

const stamp = "node_modules/.quorate-setup";
const wanted = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
const current = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
if (current !== wanted) {
  console.error("Installing dependencies (once) ...");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  mkdirSync("node_modules", { recursive: true });
  writeFileSync(stamp, wanted);
}
run(process.execPath, ["node_modules/typescript/bin/tsc", "-b"]);

function run(command, args) {
  const shell = process.platform === "win32" && command === "npm";
  const { status, error } = spawnSync(command, args, { stdio: "inherit", shell });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
