/** Debian's python3-etcd3, unmodified, against any node, while others are killed, restarted and cut off. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { NAMES, withCluster } from "./cluster.ts";
import { Conversation, installed } from "./programs.ts";

/** Debian's python, which has the package; another in the path may not. */
const PYTHON = "/usr/bin/python3";
const SESSION = fileURLToPath(new URL("../python/etcd3_session.py", import.meta.url));
const STEP_MS = 60_000;

/** One python program that talks to one node. */
class Session {
  private readonly program: Conversation;
  private steps = 0;

  constructor(endpoint: string) {
    this.program = new Conversation(PYTHON, [SESSION, endpoint]);
  }

  /** Tells it a step and waits until it has done it. */
  async does(step: string): Promise<void> {
    this.begin(step);
    await this.done();
  }

  begin(step: string): void {
    this.program.say(`${step}\n`);
    this.steps++;
  }

  /** Waits until every step so far has ended, the last of them well. */
  async done(): Promise<void> {
    const all = new RegExp(`(?:^(?:done|failed) .*$[^]*?){${this.steps}}`, "m");
    await this.program.hears(all, STEP_MS);
    const ends = this.program.stdout.match(/^(?:done|failed) .*$/gm) ?? [];
    assert.match(ends[this.steps - 1]!, /^done /, this.program.stderr);
  }

  hears(pattern: RegExp): Promise<RegExpExecArray> {
    return this.program.hears(pattern, STEP_MS);
  }

  get events(): readonly string[] {
    return this.program.stdout.match(/^event .*$/gm) ?? [];
  }

  end(): void {
    this.program.kill();
  }
}

const missing = installed(PYTHON, "-c", "import etcd3")
  ? false
  : "python3-etcd3 is not installed here";

test(
  "python's etcd3 writes and watches on while the leader is cut off, and on its node afterwards",
  { skip: missing },
  () =>
    withCluster({ wires: true }, async (cluster) => {
      const leader = await cluster.leader();
      const sessions = new Map(NAMES.map((name) => [name, new Session(cluster.etcd(name))]));
      try {
        const [writing, watching] = cluster.others(leader).map((name) => sessions.get(name)!);
        await watching!.does("watch apart 200");
        await sessions.get(leader)!.does("watch apart 200");
        writing!.begin("write apart 200");
        await watching!.hears(/^event apart\/50 50$/m);
        cluster.wires.isolate(leader);
        await writing!.done();
        await watching!.hears(/^watched apart$/m);
        cluster.wires.mend("lost");
        await sessions.get(leader)!.hears(/^watched apart$/m);
        const expected = Array.from({ length: 200 }, (_, number) => `apart/${number}`);
        for (const session of [watching!, sessions.get(leader)!]) {
          const keys = session.events.map((event) => event.split(" ")[1]);
          assert.deepEqual([...new Set(keys)], expected, "every write once and in order");
        }
        await sessions.get(leader)!.does("write back 20");
      } finally {
        for (const session of sessions.values()) session.end();
      }
    }),
);

test(
  "python's etcd3 works on each node, and through the death of the leader",
  { skip: missing },
  () =>
    withCluster({}, async (cluster) => {
      const sessions = new Map(NAMES.map((name) => [name, new Session(cluster.etcd(name))]));
      try {
        for (const [name, session] of sessions) {
          await session.does(`transact tx/${name}`);
          await session.does(`lease leased/${name}`);
          await session.does(`lock ${name}`);
          await session.does(`write ${name} 20`);
          await session.does("status");
          await session.hears(/^members n1,n2,n3 leader n\d$/m);
        }
        const leader = await cluster.leader();
        const [writing, watching] = cluster.others(leader).map((name) => sessions.get(name)!);
        await watching!.does("watch through 200");
        writing!.begin("write through 200");
        await watching!.hears(/^event through\/50 50$/m);
        await cluster.process(leader).killed();
        await writing!.done();
        await watching!.hears(/^watched through$/m);
        const keys = watching!.events.map((event) => event.split(" ")[1]);
        const expected = Array.from({ length: 200 }, (_, number) => `through/${number}`);
        assert.deepEqual([...new Set(keys)], expected, "every write once and in order");
        await cluster.start(leader);
        // Its channel to the node that was killed finds the one that came back.
        await sessions.get(leader)!.does("write back 20");
      } finally {
        for (const session of sessions.values()) session.end();
      }
    }),
);
