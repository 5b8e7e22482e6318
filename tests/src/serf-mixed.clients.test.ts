/** Real `serf` agents and ours in one cluster: they agree, whoever fails, leaves or comes back. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { detectionBounds, lan, plainWire } from "@quorate/gossip";

import { installed } from "./programs.ts";
import { type Kind, SerfCluster, type StartOptions } from "./serf-agents.ts";
import { eventually, PATIENCE_MS } from "./wait.ts";

const missing = installed("serf", "version") ? false : "serf is not installed here";
/** Short suspicions. Broadcasts are told twice only, and may miss somebody: not where all must hear. */
const LOCAL = { flags: ["-profile=local"] } as const;

/** After this one looks again, and repeats what did not reach all. Nothing fails by it. */
const GOSSIP_MS = 1000;

/** How many times as long as the protocol promises it may take on a machine that does much else. */
const BUSY = 2;

/** Starts agents of these kinds; each joins the one before it, or the first. */
async function startAll(
  cluster: SerfCluster,
  kinds: string,
  chain: boolean,
  options: Pick<StartOptions, "flags"> = {},
): Promise<readonly string[]> {
  const names = kinds.split("").map((kind, i) => `${kind}${i + 1}`);
  for (const [i, name] of names.entries()) {
    const join = i === 0 ? [] : [chain ? names[i - 1]! : names[0]!];
    await cluster.start(kinds[i] as Kind, name, { ...options, join });
  }
  return names;
}

interface Answers {
  readonly Acks: readonly string[];
  readonly Responses: Readonly<Record<string, string>>;
}

/** For so long the first query waits for answers. */
const QUERY_SECONDS = 2;

/**
 * Asks until all have answered who are to. A handler may take long on a machine that does much else,
 * and nobody tells a query again that got lost; so the next one waits twice as long. That nobody
 * else answers must be true of each.
 */
async function ask(
  cluster: SerfCluster,
  name: string,
  responders: readonly string[],
  ...flags: readonly string[]
): Promise<Answers> {
  const expected = Object.fromEntries(responders.map((each) => [each, `this is ${each}`]));
  for (let seconds = QUERY_SECONDS; ; seconds *= 2) {
    const timeout = `-timeout=${seconds}s`;
    const text = await cluster.serf(name, "query", "-format=json", timeout, ...flags, "who");
    const answers = JSON.parse(text) as Answers;
    for (const [by, response] of Object.entries(answers.Responses)) {
      assert.equal(response, expected[by], `what ${by} responds to ${name}`);
    }
    const all = Object.keys(answers.Responses).length === responders.length;
    // One who has responded has acknowledged before.
    if ((all && answers.Acks.length >= responders.length) || seconds * 1000 * BUSY > PATIENCE_MS) {
      assert.deepEqual(answers.Responses, expected, `responses to ${name}`);
      return answers;
    }
  }
}

// Mostly waiting: side by side they take as long as the longest.
describe("real and our agents in one cluster", { concurrency: 3, skip: missing }, () => {
  for (const [kinds, chain] of [
    ["rqrq", true],
    ["qrrq", false],
  ] as const) {
    test(`${kinds}: real and our agents agree on members, tags, events and queries`, () =>
      SerfCluster.with(async (cluster) => {
        const names = await startAll(cluster, kinds, chain);
        await cluster.allAlive();

        for (const name of names) await cluster.serf(name, "tags", "-set", `is=${name}`);
        for (const name of names) {
          await eventually(`${name} sees all tags`, async () => {
            const members = await cluster.members(name);
            return members.every(({ name: of, tags }) => tags["is"] === of);
          });
        }

        for (const name of names) {
          await cluster.serf(name, "event", "-coalesce=false", `from-${name}`, "payload");
        }
        const events = names.map((name) => `user from-${name} payload`).toSorted();
        for (const name of names) {
          await eventually(`${name} hears of every event`, () => {
            const heard = cluster.heard(name).filter((line) => line.startsWith("user"));
            assert.deepEqual(heard.toSorted(), events);
            return true;
          });
        }

        await Promise.all(
          names.map(async (name) => {
            const { Acks: acks } = await ask(cluster, name, names);
            assert.deepEqual(acks.toSorted(), names.toSorted(), `acknowledgements to ${name}`);
          }),
        );
        const [first, second, third] = names;
        await ask(cluster, first!, [second!], `-tag=is=${second}`);
        await ask(cluster, first!, [second!], `-node=${second}`);
        await ask(cluster, third!, names, "-relay-factor=2");
      }));
  }

  for (const [victim, returnsBy] of [
    ["q2", "r1"],
    ["r3", "q4"],
  ] as const) {
    test(`${victim} of rqrq is killed: all find out within the bounds of the profile, and it comes back`, (t) =>
      SerfCluster.with(async (cluster) => {
        const names = await startAll(cluster, "rqrq", false);
        await cluster.allAlive();
        const bounds = detectionBounds(lan({ name: "q1", wire: plainWire }), names.length);
        const patienceMs = bounds.mostMs * BUSY;
        assert.ok(patienceMs < bounds.unconfirmedMs, "or it could be that nobody confirms");
        // It answers now. What is asked from here on is the first that can fail.
        const askedAt = performance.now();
        await cluster.members(victim);
        await cluster.kill(victim);
        const expected = names
          .toSorted()
          .map((name) => `${name} ${name === victim ? "failed" : "alive"}`)
          .join(", ");
        const tookMs = await Promise.all(
          names
            .filter((name) => name !== victim)
            .map(async (name) => {
              await cluster.agree(expected, [name], patienceMs);
              return performance.now() - askedAt;
            }),
        );
        t.diagnostic(`found out after ${tookMs.map(Math.round).join(", ")} ms`);
        assert.ok(Math.min(...tookMs) >= bounds.leastMs, "no sooner than a suspect's time is up");
        // By what the other kind knows.
        await cluster.start(victim[0] as Kind, victim, { join: [returnsBy] });
        await cluster.allAlive();
      }));
  }

  test("a failed agent is taken for gone, or forgotten, when an operator says so", () =>
    SerfCluster.with(async (cluster) => {
      await startAll(cluster, "rqrq", false);
      await cluster.allAlive();
      await cluster.kill("q2");
      await cluster.agree("q2 failed, q4 alive, r1 alive, r3 alive", ["r1", "r3", "q4"]);
      await cluster.serf("q4", "force-leave", "q2");
      await cluster.agree("q2 left, q4 alive, r1 alive, r3 alive", ["r1", "r3", "q4"]);
      await cluster.serf("q4", "force-leave", "-prune", "q2");
      await cluster.agree("q4 alive, r1 alive, r3 alive", ["q4"], 0);
      // A real agent takes each push/pull with another for a later word that q2 has left, and an
      // operator's for an outdated one, who sits where that was not heard of: once for each push/pull,
      // also among real agents alone. Such an operator looks, and says it again.
      await eventually("q2 is forgotten by all", async () => {
        try {
          await cluster.agree("q4 alive, r1 alive, r3 alive", ["r1", "r3", "q4"], GOSSIP_MS);
          return true;
        } catch (error) {
          await cluster.serf("q4", "force-leave", "-prune", "q2");
          throw error;
        }
      });
    }));

  test("who leaves is known to have left, and may come back", () =>
    SerfCluster.with(async (cluster) => {
      await startAll(cluster, "rqrq", false, LOCAL);
      await cluster.allAlive();
      assert.equal(await cluster.interrupt("q2"), 0);
      await cluster.serf("r3", "leave");
      await cluster.agree("q2 left, q4 alive, r1 alive, r3 left", ["r1", "q4"]);
      await cluster.start("q", "q2", { ...LOCAL, join: ["q4"] });
      await cluster.start("r", "r3", { ...LOCAL, join: ["q2"] });
      await cluster.allAlive();
      await cluster.serf("q4", "leave");
      await cluster.agree("q2 alive, q4 left, r1 alive, r3 alive", ["r1", "q2", "r3"]);
    }));

  test("a paused agent takes nobody with it, and is back when it goes on", () =>
    SerfCluster.with(async (cluster) => {
      await startAll(cluster, "rqrq", false, LOCAL);
      await cluster.allAlive();
      cluster.pause("q2");
      await cluster.agree("q2 failed, q4 alive, r1 alive, r3 alive", ["r1", "r3", "q4"]);
      cluster.resume("q2");
      await cluster.allAlive();
      for (const name of ["r1", "q2", "r3", "q4"]) {
        await eventually(`${name} counts nobody as failed`, async () =>
          /failed = 0/.test(await cluster.serf(name, "info")),
        );
      }
    }));
});
