import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { main } from "../main.ts";
import { painter, type Terminal } from "../terminal/terminal.ts";

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

function lines(text: string): readonly Record<string, unknown>[] {
  const all = text.trim().split("\n");
  return all.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("check --published --json prints one line a model, with the states that are published", async () => {
  const { status, out } = await ask("check", "--published", "--json");
  assert.equal(status, 0);
  const counted = lines(out);
  assert.deepEqual(
    counted.map(({ states }) => states),
    [288, 80, 8_832, 314, 296_448, 920, 265, 16_668],
  );
  for (const line of counted) {
    assert.deepEqual(Object.keys(line), ["model", "parameters", "states", "published", "seconds"]);
    assert.equal(line["states"], line["published"]);
  }
});

test("check searches a model, with settings of one's own, and says how much it saw", async () => {
  const settings = ["--set", "participants=1", "crashes=0"];
  const { status, out } = await ask("check", "two-phase", "--json", ...settings);
  assert.equal(status, 0);
  const [line] = lines(out);
  assert.deepEqual(
    [line!["coverage"], line!["violation"], line!["parameters"]],
    ["exhaustive", null, { participants: 1, transactions: 1, crashes: 0 }],
  );
  const text = await ask("check", "two-phase", ...settings);
  assert.match(text.out, /^two-phase crash: holds; all sites commit or none does/);
  assert.match(text.out, /states, depth \d+, exhaustive/);
  const ended = await ask("check", "raft", "--model", "elections", "--max-states", "50");
  assert.match(ended.out, /: holds so far; [^]*stopped/);
});

test("check --bug plants a bug of the exam, and finds it", async () => {
  const { status, out } = await ask("check", "raft", "--bug", "commits-earlier-terms", "--json");
  assert.equal(status, 0);
  const [{ hunt, violation }] = lines(out) as [{ hunt: string; violation: { promise: string } }];
  assert.equal(hunt, "L1-figure-8");
  assert.match(violation.promise, /^I8/);
});

test("check --bug plants bugs of every log, and refuses by name what its models cannot find", async () => {
  for (const [protocol, bug, promise] of [
    ["paxos", "L7-accepts-before-durable", "J10"],
    ["zab", "B15-serves-on-promises", "H5"],
  ] as const) {
    const { status, out } = await ask("check", protocol, "--bug", bug);
    assert.equal(status, 0);
    assert.match(out, new RegExp(`${bug}: found by \\w+ after [0-9,]+ states\n {2}${promise}: `));
  }
  const refused = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await ask("check", ...argv);
    assert.deepEqual([status, out], [2, ""]);
    return err;
  };
  assert.match(
    await refused("raft", "--bug", "E14"),
    /raft has no bug "E14", but .*E14-unsynced-tail/,
  );
  assert.match(
    await refused("zab", "--bug", "D9-ignores-gaps"),
    /D9-ignores-gaps breaks nothing else/,
  );
  assert.match(await refused("paxos", "--bug", "lease-too-long"), /ask neither for reads nor/);
  assert.match(await refused("synod", "--bug", "E14"), /into models of raft, paxos, zab/);
  const few = await ask("check", "zab", "--bug", "L7-pongs-before-durable", "--max-states", "500");
  assert.deepEqual([few.status, /not found in 4,0\d\d states/.test(few.out)], [1, true]);
});

test("check with a wrong model, setting or protocol is wrong usage", async () => {
  const wrong = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await ask("check", ...argv);
    assert.deepEqual([status, out], [2, ""]);
    return err;
  };
  assert.match(
    await wrong(),
    /say what to check: raft, paxos, zab, two-phase, synod, or --published/,
  );
  assert.match(await wrong("rafft"), /no models of "rafft" \(did you mean raft\?\)/);
  assert.match(await wrong("raft", "--model", "x"), /raft has no model "x", but elections/);
  assert.match(await wrong("raft", "--set", "x=1"), /--set x=1: raft elections has NAME=NUMBER/);
  assert.match(await wrong("raft", "--set", "nodes=many"), /--set nodes=many/);
  assert.match(await wrong("raft", "--published"), /--published counts all/);
});

test("judge prints one verdict a file and is content only if all are good", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "quorate-judge-"));
  try {
    const file = async (name: string, ...operations: object[]): Promise<string> => {
      const at = path.join(directory, name);
      await writeFile(at, operations.map((one) => `${JSON.stringify(one)}\n`).join(""));
      return at;
    };
    const put = { client: "a", type: "put", key: "x", value: 1, call: 0, ret: 1 };
    const good = await file("good", put, { ...put, type: "get", call: 2, ret: 3 });
    const stale = await file("stale", put, {
      ...put,
      client: "b",
      type: "get",
      value: null,
      call: 2,
      ret: 3,
    });
    const txn = await file("txn", { type: "txn", value: [["r", "x", [7]]], call: 0, ret: 1 });
    const bad = await file("bad", { type: "put" });
    assert.deepEqual(await ask("judge", good), {
      status: 0,
      out: `${good}: linearizable\n`,
      err: "",
    });
    const { status, out } = await ask("judge", "--json", good, stale, txn, bad, "no such file");
    assert.equal(status, 1);
    const verdicts = lines(out);
    assert.deepEqual(
      verdicts.map(({ verdict }) => verdict),
      ["linearizable", "illegal", "illegal", "unreadable", "unreadable"],
    );
    assert.deepEqual([verdicts[1]!["key"], verdicts[1]!["op"]], ["x", 1]);
    const sequential = await ask("judge", "--promise", "sequential", stale);
    assert.deepEqual([sequential.status, sequential.out], [0, `${stale}: sequential\n`]);
    assert.equal((await ask("judge", "--promise", "sessions", stale)).status, 0);
    const unknown = await ask("judge", "--promise", "sequentail", stale);
    assert.deepEqual([unknown.status, unknown.out], [2, ""]);
    assert.match(unknown.err, /did you mean sequential\?/);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("the help of check, judge and maelstrom has examples", async () => {
  for (const command of ["check", "judge", "maelstrom"]) {
    const { status, out } = await ask(command, "--help");
    assert.equal(status, 0);
    assert.match(out, new RegExp(`Examples:\\n {2}quorate ${command}`));
  }
  assert.equal((await ask("maelstrom", "kafka")).status, 2);
});
