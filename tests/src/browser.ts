/**
 * Runs our modules in a browser as they are: a server on this machine hands the
 * built files out, an import map says where each package is, and the page sends
 * back what its script answers.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { eventually } from "./wait.ts";

/** Starts no updater, asks nobody outside, and stays until it is killed. */
const FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--remote-debugging-port=0",
];

const DEADLINE_MS = 60_000;

/** What the parts of a page say to the server. */
type Answer = { readonly text: string } | { readonly error: string };

/**
 * Evaluates a script in a browser.
 *
 * @param browser - A Chromium without windows.
 * @param script - A module that exports `answer(): string` and may import `packages`.
 * @param packages - Packages of this workspace; what they depend on comes along.
 * @returns what `answer` returned.
 * @throws Error if the script throws, or does not answer in time.
 */
export async function evaluate(
  browser: string,
  script: string,
  packages: readonly string[],
): Promise<string> {
  const served = new ServedPackages(packages);
  let answer: Answer | undefined;
  const server = http.createServer((request, response) => {
    if (request.method === "POST") {
      hear(request, (heard) => (answer ??= heard));
      response.end();
      return;
    }
    const { type, body } = file(served, script, request.url ?? "/");
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-browser-"));
  // A group of its own: the command may be a script, and the browser starts more processes.
  const page = spawn(
    browser,
    [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`],
    {
      detached: true,
      stdio: "ignore",
    },
  );
  try {
    const said = await eventually("the page answers", () => answer, DEADLINE_MS);
    if ("error" in said) throw new Error(said.error);
    return said.text;
  } finally {
    await end(page);
    server.closeAllConnections();
    server.close();
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a process and all that it started. */
async function end(group: ChildProcess): Promise<void> {
  if (group.pid === undefined || group.exitCode !== null) return;
  const ended = once(group, "exit");
  process.kill(-group.pid, "SIGKILL");
  await ended;
}

function hear(request: http.IncomingMessage, onAnswer: (answer: Answer) => void): void {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => onAnswer(request.url === "/answer" ? { text: body } : { error: body }));
}

interface Served {
  readonly type: string;
  readonly body: string | Buffer | undefined;
}

function file(served: ServedPackages, script: string, url: string): Served {
  if (url === "/") return { type: "text/html; charset=utf-8", body: pageFor(served) };
  const type = "text/javascript; charset=utf-8";
  return { type, body: url === "/script.js" ? script : served.read(url) };
}

function pageFor({ imports }: ServedPackages): string {
  return `<!doctype html>
<title>Quorate</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
const say = (to, body) => fetch(to, { method: "POST", body });
try {
  const { answer } = await import("/script.js");
  await say("/answer", answer());
} catch (error) {
  await say("/failed", String(error?.stack ?? error));
}
</script>
`;
}

interface Manifest {
  readonly exports: { readonly [subpath: string]: string | { readonly default: string } };
  readonly dependencies?: { readonly [name: string]: string };
}

/** Packages of this workspace with all that they depend on, each below its name. */
class ServedPackages {
  /** An import map. */
  readonly imports: { [specifier: string]: string } = {};
  private readonly roots: Map<string, string> = new Map();

  constructor(names: readonly string[]) {
    for (const name of names) this.add(name);
  }

  private add(name: string): void {
    if (this.roots.has(name)) return;
    const manifest = fileURLToPath(import.meta.resolve(`${name}/package.json`));
    this.roots.set(name, path.dirname(manifest));
    const { exports, dependencies = {} } = JSON.parse(
      fs.readFileSync(manifest, "utf8"),
    ) as Manifest;
    for (const [subpath, target] of Object.entries(exports)) {
      if (typeof target !== "string") {
        this.imports[path.posix.join(name, subpath)] = `/${path.posix.join(name, target.default)}`;
      }
    }
    for (const each of Object.keys(dependencies)) this.add(each);
  }

  /** The file at `/@quorate/lab/dist/index.js`, say; nothing outside of what was built. */
  read(url: string): Buffer | undefined {
    for (const [name, root] of this.roots) {
      if (!url.startsWith(`/${name}/dist/`)) continue;
      const wanted = path.join(root, path.posix.normalize(url.slice(name.length + 1)));
      if (!wanted.startsWith(path.join(root, "dist", path.sep))) return undefined;
      return fs.existsSync(wanted) ? fs.readFileSync(wanted) : undefined;
    }
    return undefined;
  }
}
