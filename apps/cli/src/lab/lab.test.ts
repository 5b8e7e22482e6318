import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { judge } from "@quorate/lab/judge";

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

const BUG = "L6-leader-counts-itself-first";

test("every command of the lab has help with examples", async () => {
  for (const command of ["simulate", "replay", "exam"]) {
    const { status, out } = await ask(command, "--help");
    assert.equal(status, 0);
    assert.match(out, /Examples:\n {2}quorate/);
    assert.match(out, /Status 0: /);
  }
});

test("a fleet of seeds runs on threads and adds up", async () => {
  const { status, out } = await ask("simulate", "raft", "--seeds", "3", "--jobs", "2", "--json");
  const summary = JSON.parse(out) as { event: string; runs: number; failed: number; jobs: number };
  assert.equal(status, 0);
  assert.deepEqual(
    [summary.event, summary.runs, summary.failed, summary.jobs],
    ["summary", 3, 0, 2],
  );
});

test("shards of a fleet make all its runs together, each once", async () => {
  const seedsOf = async (...shard: string[]): Promise<readonly number[]> => {
    const seeds = ["--seed", "11", "--seeds", "3"];
    const { out } = await ask("simulate", "raft", ...seeds, "--bug", BUG, "--json", ...shard);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { seed?: number });
    return lines.flatMap(({ seed }) => seed ?? []).toSorted((a, b) => a - b);
  };
  const shards = [await seedsOf("--shard", "1/2"), await seedsOf("--shard", "2/2")];
  const together = shards.flat().toSorted((a, b) => a - b);
  assert.deepEqual(together, await seedsOf());
  assert.ok(together.length > 0 && together.every((seed) => seed >= 11 && seed <= 13));
});

test("a failing seed is status 1, and its run replays and shrinks", async () => {
  const failed = await ask("simulate", "raft", "--seed", "1", "--bug", BUG);
  assert.equal(failed.status, 1);
  assert.match(failed.out, /^R16 broke at \d+ ms/);
  const run = /^Replay: {2}quorate replay (\S+)$/m.exec(failed.out)?.[1];
  assert.ok(run !== undefined);
  const again = await ask("replay", run, "--quiet");
  assert.equal(again.status, 1);
  assert.match(again.out, /R16 broke/);
  const small = await ask("replay", run, "--shrink", "--brief");
  assert.equal(small.status, 1);
  assert.match(small.out, /^Shrunk from \d+ decisions to \d+, by \d+ replays/);
  assert.match(small.out, /= leader t1/);
  const written = /quorate replay (\S+)/.exec(small.out)?.[1];
  const last = (await ask("replay", written!, "--json")).out.trim().split("\n").at(-1)!;
  assert.equal((JSON.parse(last) as { finding: { claim: string } }).finding.claim, "R16");
});

test("a trace and a history can be kept", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "quorate-lab-"));
  const [trace, history] = [path.join(directory, "trace"), path.join(directory, "history")];
  const seed = ["--seed", "2", "--scenario", "calm", "--nodes", "3"];
  const { status, out } = await ask(
    "simulate",
    "raft",
    ...seed,
    "--trace",
    trace,
    "--history",
    history,
  );
  assert.equal(status, 0);
  assert.match(out, /Every claim held/);
  const [first] = readFileSync(trace, "utf8").split("\n");
  const { node, kind, state } = JSON.parse(first!) as { node: string; kind: string; state: string };
  assert.deepEqual([node, kind, state], ["n1", "start", "follower t0, log [], 0 committed"]);
  assert.equal(judge(readFileSync(history, "utf8")).verdict, "linearizable");
  rmSync(directory, { recursive: true });
});

test("an exam prints what found each bug, with the smallest run", async () => {
  const { status, out } = await ask("exam", "raft", "--bug", BUG);
  assert.equal(status, 0);
  assert.match(out, /L6-leader-counts-itself-first {2}\S+ +\d+ +\d+ {2}R16/);
  assert.match(out, /quorate replay raft@\d+,\S*scenario=list/);
  assert.match(out, /1 of 1 bugs found/);
  const missed = await ask("exam", "raft", "--bug", BUG, "--budget", "1", "--json");
  assert.equal(
    (JSON.parse(missed.out) as { found: boolean }).found,
    true,
    "one run is always made",
  );
});

test("what no seed finds within the budget, the exam looks for with the model checker", async () => {
  const argv = ["exam", "raft", "--bug", "commits-earlier-terms", "--budget", "1"];
  const { status, out } = await ask(...argv);
  assert.equal(status, 0);
  assert.match(out, /commits-earlier-terms {2}checker: L1-figure-8 .* I8 +\d+ states/);
  assert.match(out, /quorate check raft --bug commits-earlier-terms/);
  const grade = JSON.parse((await ask(...argv, "--json")).out) as { by: string };
  assert.equal(grade.by, "checker");
});

test("wrong usage is status 2 and one line", async () => {
  const wrong = async (...argv: string[]): Promise<string> => {
    const { status, out, err } = await ask(...argv);
    assert.deepEqual([status, out], [2, ""]);
    return err;
  };
  assert.match(await wrong("simulate", "rft"), /no protocol rft \(did you mean raft\?\)/);
  assert.match(await wrong("simulate", "raft", "--set", "nodez=3"), /no parameter nodez/);
  assert.match(await wrong("simulate", "raft", "--nodes", "99"), /a whole number from 1 to 9/);
  assert.match(await wrong("simulate", "raft", "--scenario", "swrm"), /did you mean swarm\?/);
  assert.match(await wrong("simulate", "raft", "--shard", "3/2"), /it must be i\/n/);
  assert.match(await wrong("simulate", "raft", "--bug", "E15"), /has no bug E15/);
  assert.match(await wrong("simulate", "raft", "--trace", "-"), /need one --seed/);
  assert.match(await wrong("replay", "raft@99,seed=1"), /it would not go the same way/);
  assert.match(await wrong("replay", "raft@1,seed=1,scenario=storm"), /no scenario storm/);
  assert.match(await wrong("replay", "raft@1,do=1.crash.n8"), /no node n8/);
  assert.match(await wrong("exam", "raft", "--bug", "none"), /has no bug none/);
});

test("the list of a protocol names parameters, scenarios, claims and bugs", async () => {
  const { out } = await ask("simulate", "raft", "--list");
  for (const word of ["appendBytes", "cut-new-leaders", "R16", "E14-unsynced-tail"]) {
    assert.ok(out.includes(word), word);
  }
});

test("the commands in docs/lab.md work as they are written", async () => {
  const page = readFileSync(new URL("../../../../docs/lab.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```sh\n([^`]*)```/g)].map(([, block]) => block!.trim());
  assert.ok(blocks.length >= 4);
  for (const block of blocks) {
    const [program, ...argv] = block.split(/\s+/);
    assert.equal(program, "quorate");
    // Fleets and exams have tests of their own; here it matters that their flags are understood.
    const long = argv.includes("--seeds") || argv[0] === "exam";
    const { status, err } = await ask(...argv, ...(long ? ["--help"] : []));
    assert.equal(err, "");
    assert.equal(status, long ? 0 : 1, block);
  }
});
