/**
 * House rules that no off-the-shelf tool knows:
 *
 * - layers: packages depend downwards only, and manifests, tsconfig references
 *   and imports tell the same story;
 * - pure packages (kernel, protocols, lab) never import `node:*`;
 * - no file beyond 500 lines, ratcheted: an offender is listed with its size
 *   and reason, none may be added or grow;
 * - every workspace has a README with an example; the root has what newcomers need;
 * - the project names no registry host and no path of one machine.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { walk, workspaces } from "./workspaces.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Every package and what it may stand on. Read it as the architecture. */
const LAYERS = {
  kernel: [],
  "protocols/consensus": ["kernel"],
  "protocols/commit": ["kernel"],
  "protocols/clocks": ["kernel"],
  "protocols/crdt": ["kernel", "protocols/clocks"],
  "protocols/gossip": ["kernel"],
  lab: ["kernel"],
  subjects: ["kernel", "protocols/consensus", "protocols/commit", "protocols/gossip", "lab"],
  "runtime/storage": ["kernel"],
  "runtime/grpc": ["kernel"],
  "runtime/host": ["kernel", "protocols/consensus", "runtime/storage"],
  "services/etcd": ["kernel", "protocols/consensus", "runtime/host", "runtime/grpc"],
  "services/serf": ["kernel", "protocols/gossip", "runtime/host"],
  "apps/cli": [
    "kernel",
    "protocols/consensus",
    "protocols/gossip",
    "lab",
    "subjects",
    "runtime/storage",
    "runtime/grpc",
    "runtime/host",
    "services/etcd",
    "services/serf",
  ],
  bench: [
    "kernel",
    "protocols/clocks",
    "protocols/consensus",
    "protocols/crdt",
    "lab",
    "subjects",
    "runtime/storage",
    "runtime/grpc",
    "runtime/host",
    "services/etcd",
  ],
  tests: ["lab", "subjects", "apps/cli"],
};

const PURE = ["kernel", "protocols/", "lab", "subjects"];
const MAX_LINES = 500;
/** Files over the limit: path → [lines, reason]. May shrink, never grow. */
const LONG_FILES = {};
const ROOT_FILES = ["README.md", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", ".ci/run"];

const problems = [];
const directories = workspaces();
const names = new Map(directories.map((directory) => [manifestOf(directory).name, directory]));

for (const directory of directories) checkWorkspace(directory);
for (const file of ROOT_FILES) if (!existsSync(file)) problem(file, "is missing");
checkTracked();

for (const line of problems) console.error(line);
if (problems.length === 0) console.log(`tidy: ${directories.length} workspaces in order`);
process.exit(problems.length === 0 ? 0 : 1);

function checkWorkspace(directory) {
  const allowed = LAYERS[directory];
  if (allowed === undefined) {
    return problem(directory, "has no place in the layers; add it to tools/tidy.mjs");
  }
  const manifest = manifestOf(directory);
  const declared = ours(manifest.dependencies);
  for (const dependency of declared) {
    if (!allowed.includes(dependency)) {
      problem(`${directory}/package.json`, `must not depend on ${dependency}`);
    }
  }
  const referenced = referencesOf(directory);
  const wanted = declared.toSorted((a, b) => a.localeCompare(b)).join(", ");
  if (referenced !== wanted) {
    problem(`${directory}/tsconfig.json`, `references [${referenced}], depends on [${wanted}]`);
  }
  checkImports(directory, declared, ours(manifest.devDependencies));
  const readme = path.join(directory, "README.md");
  if (!existsSync(readme)) problem(directory, "has no README.md");
  else if (!readFileSync(readme, "utf8").includes("```")) problem(readme, "shows no example");
}

function checkImports(directory, declared, forTests) {
  const pure = PURE.some((prefix) => directory.startsWith(prefix));
  for (const file of walk(path.join(directory, "src")).filter((name) => name.endsWith(".ts"))) {
    const isTest = file.endsWith(".test.ts");
    const granted = new Set(isTest ? [...declared, ...forTests, directory] : declared);
    const text = readFileSync(file, "utf8");
    for (const [, name] of text.matchAll(/from "(@quorate\/[\w-]+)/g)) {
      const dependency = names.get(name);
      if (dependency === undefined || !granted.has(dependency)) {
        problem(file, `imports ${name} without depending on it`);
      }
    }
    if (pure && !isTest && /from "node:/.test(text)) problem(file, "is pure and imports node:*");
    checkLength(file, text);
  }
}

function checkLength(file, text) {
  const lines = text.split("\n").length - 1;
  const [listed] = LONG_FILES[file] ?? [MAX_LINES];
  if (lines > listed) problem(file, `has ${lines} lines, more than ${listed}`);
}

/** What must not be in the repository: hosts of registries, paths of one machine. */
function checkTracked() {
  const forbidden = [/registry\.npmjs\.org|registry\.yarnpkg/, /\/work\/(main|shared)\//];
  for (const file of execFileSync("git", ["ls-files"], { encoding: "utf8" }).split("\n")) {
    if (file === "" || file === "tools/tidy.mjs" || !existsSync(file)) continue;
    const text = readFileSync(file, "utf8");
    for (const pattern of forbidden) {
      if (pattern.test(text)) problem(file, `must not contain ${pattern}`);
    }
    if (/(^|\/)dist\//.test(file)) problem(file, "is generated and must not be in git");
  }
}

function manifestOf(directory) {
  return JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8"));
}

function ours(dependencies = {}) {
  return Object.keys(dependencies).flatMap((name) => names.get(name) ?? []);
}

function referencesOf(directory) {
  const { references = [] } = JSON.parse(
    readFileSync(path.join(directory, "tsconfig.json"), "utf8"),
  );
  return references
    .map(({ path: to }) => path.join(directory, to))
    .toSorted((a, b) => a.localeCompare(b))
    .join(", ");
}

function problem(file, text) {
  problems.push(`${file}: ${text}`);
}
