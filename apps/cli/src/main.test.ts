import assert from "node:assert/strict";
import { test } from "node:test";

import { run } from "./harness.test.ts";
import { main } from "./main.ts";
import { painter, type Terminal } from "./terminal/terminal.ts";

/** Runs a command within this process. */
async function ask(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const terminal: Terminal = {
    write: (text) => (out += typeof text === "string" ? text : Buffer.from(text).toString()),
    complain: (line) => (err += `${line}\n`),
    paint: painter(false),
    interactive: false,
  };
  const status = await main(argv, terminal);
  return { status, out, err };
}

test("--help and --version are fine, and every command's help has examples", async () => {
  assert.match((await ask("--version")).out, /^\d+\.\d+\.\d+\n$/);
  const commands = [[], ["up"], ["serve"], ["status"], ["members"], ["completion"]];
  const kv = ["get", "put", "del", "watch"].map((name) => ["kv", name]);
  for (const command of [...commands, ...kv]) {
    const { status, out } = await ask(...command, "--help");
    assert.equal(status, 0);
    assert.match(out, /Examples:\n {2}\S*\s?<?\(?quorate|Examples:\n {2}quorate/);
  }
});

test("wrong usage is status 2 and one line with a guess", async () => {
  const wrong = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await ask(...argv);
    assert.deepEqual([status, out], [2, ""]);
    return err;
  };
  assert.equal(
    await wrong("statsu"),
    "quorate: unknown command 'statsu' (did you mean status?); see --help\n",
  );
  assert.match(await wrong("up", "--jsn"), /unknown option '--jsn' \(did you mean --json\?\)/);
  assert.match(await wrong("kv", "put", "key"), /missing required argument 'value'/);
  assert.match(await wrong("kv", "get", "a", "--limit", "x"), /must be a whole number above 0/);
  assert.match(await wrong("completion", "bsh"), /no completion for "bsh" \(did you mean bash\?\)/);
  assert.match(await wrong("kv", "get", ""), /a key cannot be empty/);
  assert.match(await wrong(), /Usage: quorate/);
});

test("output that nobody reads to its end is no failure", async () => {
  const { status, stderr } = await run(["simulate", "raft", "--list"], { unread: true });
  assert.deepEqual([status, stderr], [0, ""]);
});

test("what is refused is status 1 and one line without a stack", async () => {
  const refused = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await ask(...argv);
    assert.deepEqual([status, out], [1, ""]);
    assert.match(err, /^quorate: [^\n]+\n$/);
    return err;
  };
  assert.match(await refused("up", "--nodes", "4"), /--nodes is "4", but must be 1, 3, 5, 7 or 9/);
  assert.match(await refused("up", "--nodes", "3", "--port-base", "65500"), /at most 65476/);
  assert.match(await refused("up", "--election-ms", "60"), /at least 3 times/);
  assert.match(await refused("status", "--endpoints", "x"), /--endpoints is "x"/);
  assert.match(await refused("status", "--endpoints", "127.0.0.1:1"), /no answer from 127.0.0.1:1/);
  assert.match(await refused("kv", "get", "a", "--endpoints", "127.0.0.1:1"), /cannot connect/);
  const nowhere = ["members", "add", "n4", "--address", "nowhere"];
  assert.match(await refused(...nowhere), /--address is "nowhere", but must be HOST:PORT of the/);
});

test("the command itself ends with these statuses", async () => {
  const usage = await run(["nonsense"]);
  assert.deepEqual([usage.status, usage.stdout], [2, ""]);
  const both = ["--join", "127.0.0.1:7001", "--cluster", "n1=127.0.0.1:7001"];
  const join = await run(["serve", "--name", "n1", "--data-dir", "d", ...both]);
  assert.equal(join.status, 1);
  assert.match(join.stderr, /^quorate: --cluster is for founders, [^\n]+\n$/);
  const bad = await run(["serve", "--name", "n1"], { env: { QUORATE_PORT_BASE: "no" } });
  assert.equal(bad.status, 1);
});

test("completion scripts know every command and flag", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { status, out } = await ask("completion", shell);
    assert.equal(status, 0);
    for (const word of ["members", "serializable", "data-dir", "watch"])
      assert.ok(out.includes(word));
  }
});
