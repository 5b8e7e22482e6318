import assert from "node:assert/strict";
import { test } from "node:test";

import {
  judge,
  judgeIsolation,
  type MicroOperation,
  type Operation,
  Recorder,
  type Transaction,
  type Value,
} from "@quorate/lab/judge";

import { Bench, type Trouble } from "./bench.test.ts";
import type { Body } from "./messages.ts";

const TROUBLE: Trouble = { lossPermille: 50, delayMs: 10 };

async function withBench(
  workload: string,
  count: number,
  trouble: Trouble,
  play: (bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = new Bench(workload, count, trouble);
  try {
    await bench.init();
    await play(bench);
  } finally {
    assert.deepEqual(
      await bench.close(),
      bench.nodes.map(() => 0),
    );
  }
}

/** Asks until every node answers as wanted. */
async function untilAll(bench: Bench, body: Body, holds: (answer: Body) => boolean): Promise<void> {
  for (const node of bench.nodes) {
    while (!holds(await bench.ask(node, body))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test("echo answers, and unknown or malformed requests get the errors that Maelstrom names", async () => {
  await withBench("echo", 1, TROUBLE, async (bench) => {
    assert.deepEqual((await bench.ask("n0", { type: "echo", echo: [1, "a"] }))["echo"], [1, "a"]);
    const again = await bench.ask("n0", { type: "init", node_id: "n0", node_ids: ["n0"] });
    assert.deepEqual([again.type, again["code"]], ["error", 12]);
  });
  await withBench("g-set", 1, TROUBLE, async (bench) => {
    assert.equal((await bench.ask("n0", { type: "frobnicate" }))["code"], 10);
  });
});

test("unique ids differ", async () => {
  await withBench("unique-ids", 3, TROUBLE, async (bench) => {
    const asked = bench.nodes.flatMap((node) =>
      Array.from({ length: 20 }, () => bench.ask(node, { type: "generate" })),
    );
    assert.equal(new Set((await Promise.all(asked)).map(({ id }) => id)).size, 60);
  });
});

test("what is broadcast reaches every node, whatever is lost and delayed", async () => {
  await withBench("broadcast", 4, TROUBLE, async (bench) => {
    await bench.ask("n0", { type: "topology", topology: {} });
    bench.partition(["n0", "n1"]);
    for (let i = 0; i < 40; i++) {
      const { type } = await bench.ask(bench.nodes[i % 4]!, { type: "broadcast", message: i });
      assert.equal(type, "broadcast_ok");
    }
    bench.heal();
    await untilAll(
      bench,
      { type: "read" },
      ({ messages }) => (messages as unknown[]).length === 40,
    );
  });
});

test("a grow-only set and a counter converge", async () => {
  await withBench("g-set", 3, TROUBLE, async (bench) => {
    for (let i = 0; i < 15; i++)
      await bench.ask(bench.nodes[i % 3]!, { type: "add", element: `e${i}` });
    await untilAll(bench, { type: "read" }, ({ value }) => (value as unknown[]).length === 15);
  });
  await withBench("pn-counter", 3, TROUBLE, async (bench) => {
    for (let i = 1; i <= 15; i++) {
      await bench.ask(bench.nodes[i % 3]!, { type: "add", delta: i % 2 === 0 ? -i : i });
    }
    await untilAll(bench, { type: "read" }, ({ value }) => value === 8);
  });
});

test("lin-kv on Raft is linearizable through loss and a partition", async () => {
  await withBench("lin-kv", 3, TROUBLE, async (bench) => {
    const recorder = new Recorder();
    let clock = 0;
    const client = async (name: string, node: string, seed: number): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        const key = `k${(i + seed) % 2}`;
        const value = `${name}.${i}`;
        const kind = (i + seed) % 3;
        const body: Body =
          kind === 0
            ? { type: "read", key }
            : kind === 1
              ? { type: "write", key, value }
              : { type: "cas", key, from: `${name}.${i - 1}`, to: value };
        const token = recorder.invoke(
          name,
          kind === 0
            ? { type: "get", key }
            : kind === 1
              ? { type: "put", key, value }
              : { type: "cas", key, from: `${name}.${i - 1}`, to: value },
          clock++,
        );
        const answer = await bench.ask(node, body, name);
        const { type, code } = answer;
        if (type === "read_ok")
          recorder.complete(token, clock++, { value: answer["value"] as Value });
        else if (type === "write_ok") recorder.complete(token, clock++);
        else if (type === "cas_ok") recorder.complete(token, clock++, { result: true });
        else if (code === 20 && kind === 0) recorder.complete(token, clock++, { value: null });
        else if (code === 20 || code === 22) recorder.complete(token, clock++, { result: false });
        else if (code === 11) recorder.fail(token, clock++);
        else recorder.info(token);
      }
    };
    const clients = ["n0", "n1", "n2", "n0"].map((node, i) => client(`c${i}`, node, i));
    bench.partition(["n0"]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    bench.heal();
    await Promise.all(clients);
    const history: readonly Operation[] = recorder.history();
    assert.ok(history.filter(({ status }) => status === "ok").length > 50);
    assert.equal(judge(history).verdict, "linearizable", recorder.text());
  });
});

test("txn-list-append on Raft is strictly serializable", async () => {
  await withBench("txn-list-append", 3, TROUBLE, async (bench) => {
    const history: Transaction[] = [];
    let clock = 0;
    const client = async (node: string, seed: number): Promise<void> => {
      for (let i = 0; i < 15; i++) {
        const txn: MicroOperation[] = [
          ["r", (i + seed) % 3, null],
          ["append", (i + 1) % 3, 100 * seed + i],
          ["r", (i + 1) % 3, null],
        ];
        const call = clock++;
        const answer = await bench.insist(node, { type: "txn", txn });
        assert.equal(answer.type, "txn_ok");
        history.push({ type: "txn", value: answer["txn"] as MicroOperation[], call, ret: clock++ });
      }
    };
    await Promise.all(bench.nodes.map((node, i) => client(node, i)));
    assert.deepEqual(judgeIsolation(history).anomalies, []);
  });
});
