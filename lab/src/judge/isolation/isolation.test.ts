import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { HistoryError } from "../errors.ts";
import { judgeIsolation } from "./isolation.ts";
import type { MicroOperation, Transaction } from "./transactions.ts";

/** Transactions that all overlap, so that only data tells their order. */
function together(...values: readonly (readonly MicroOperation[])[]): Transaction[] {
  return values.map((value) => ({ type: "txn", value, call: 0, ret: 1 }));
}

function anomalies(history: readonly Transaction[]): readonly string[] {
  return judgeIsolation(history).anomalies.map(({ type }) => type);
}

test("transactions one after the other are strictly serializable", () => {
  const history: Transaction[] = [
    { type: "txn", value: [["append", "x", 1]], call: 0, ret: 1 },
    {
      type: "txn",
      value: [
        ["r", "x", [1]],
        ["append", "y", 2],
      ],
      call: 2,
      ret: 3,
    },
    {
      type: "txn",
      value: [
        ["r", "x", [1]],
        ["r", "y", [2]],
        ["r", "z", null],
      ],
      call: 4,
      ret: 5,
    },
  ];
  const { verdict, rulesOut } = judgeIsolation(history);
  assert.deepEqual([verdict, rulesOut], ["strict-serializable", undefined]);
});

test("G0: two transactions that append to two lists in opposite orders", () => {
  const history = together(
    [
      ["append", "x", 1],
      ["append", "y", 1],
    ],
    [
      ["append", "x", 2],
      ["append", "y", 2],
    ],
    [
      ["r", "x", [1, 2]],
      ["r", "y", [2, 1]],
    ],
  );
  assert.equal(anomalies(history)[0], "G0");
  assert.equal(judgeIsolation(history).rulesOut, "read-uncommitted");
});

test("G1a: an element of an aborted transaction is read", () => {
  const history: Transaction[] = [
    { type: "txn", value: [["append", "x", 1]], call: 0, ret: 1, status: "fail" },
    { type: "txn", value: [["r", "x", [1]]], call: 2, ret: 3 },
  ];
  assert.deepEqual(anomalies(history), ["G1a"]);
});

test("G1b: a list is read in the middle of another transaction", () => {
  const history = together(
    [
      ["append", "x", 1],
      ["append", "x", 2],
    ],
    [["r", "x", [1]]],
  );
  assert.ok(anomalies(history).includes("G1b"));
  assert.equal(judgeIsolation(history).rulesOut, "read-committed");
});

test("G1c: each of two transactions reads what the other appended", () => {
  const history = together(
    [
      ["append", "x", 1],
      ["r", "y", [1]],
    ],
    [
      ["append", "y", 1],
      ["r", "x", [1]],
    ],
  );
  assert.deepEqual(anomalies(history), ["G1c"]);
});

test("G-single: a transaction sees one half of another", () => {
  const history = together(
    [
      ["append", "x", 1],
      ["append", "y", 1],
    ],
    [
      ["r", "x", [1]],
      ["r", "y", []],
    ],
    [["r", "y", [1]]],
  );
  const { anomalies: found, rulesOut } = judgeIsolation(history);
  assert.deepEqual(
    found.map(({ type }) => type),
    ["G-single"],
  );
  assert.equal(rulesOut, "snapshot-isolation");
  assert.equal(found[0]!.transactions.length, 2);
  assert.match(found[0]!.steps.join("\n"), /y: read without 1/);
});

test("G2: two transactions miss what the other did (write skew)", () => {
  const history = together(
    [
      ["r", "x", []],
      ["append", "y", 1],
    ],
    [
      ["r", "y", []],
      ["append", "x", 1],
    ],
    [
      ["r", "x", [1]],
      ["r", "y", [1]],
    ],
  );
  assert.deepEqual(anomalies(history), ["G2"]);
  assert.equal(judgeIsolation(history).rulesOut, "serializable");
});

test("a stale read is against real time only", () => {
  const history: Transaction[] = [
    { type: "txn", value: [["append", "x", 1]], call: 0, ret: 1 },
    { type: "txn", value: [["r", "x", []]], call: 2, ret: 3 },
    { type: "txn", value: [["r", "x", [1]]], call: 4, ret: 5 },
  ];
  assert.deepEqual(anomalies(history), ["G-single-realtime"]);
  assert.equal(judgeIsolation(history).rulesOut, "strict-serializable");
  assert.deepEqual(anomalies(together(...history.map(({ value }) => value))), []);
});

test("what single reads give away", () => {
  assert.deepEqual(anomalies(together([["r", "x", [1]]])), ["garbage"]);
  const own = together([
    ["append", "x", 1],
    ["r", "x", []],
  ]);
  assert.deepEqual(anomalies(own), ["internal"]);
  const twice = together([["append", "x", 1]], [["r", "x", [1, 1]]]);
  assert.deepEqual(anomalies(twice), ["duplicate"]);
  const split = together(
    [["append", "x", 1]],
    [["append", "x", 2]],
    [["r", "x", [1, 2]]],
    [["r", "x", [2]]],
  );
  assert.deepEqual(anomalies(split), ["incompatible-order"]);
});

test("a transaction whose outcome is unknown took place if somebody saw it", () => {
  const unseen: Transaction[] = [
    { type: "txn", value: [["append", "x", 1]], call: 0, status: "info" },
    { type: "txn", value: [["r", "x", []]], call: 2, ret: 3 },
  ];
  assert.deepEqual(anomalies(unseen), []);
  const seen: Transaction[] = [
    ...unseen,
    { type: "txn", value: [["r", "x", [1]]], call: 4, ret: 5 },
  ];
  assert.deepEqual(anomalies(seen), []);
});

test("lines that are no transactions are refused by line and field", () => {
  const text =
    '{"type":"txn","value":[["append","x",1]],"call":0,"ret":1}\n{"type":"txn","value":[["w","x",1]],"call":0,"ret":1}';
  assert.throws(
    () => judgeIsolation(text),
    (error) => {
      return (
        error instanceof HistoryError && /line 2: "value" must be a list of/.test(error.message)
      );
    },
  );
});

/** A store that runs transactions one by one is serializable, whatever they do; one wrong read is found. */
test("random serial histories are clean, and reads cut short in them are found", () => {
  const random = new Random(3);
  let spoilt = 0;
  for (let round = 0; round < 200; round++) {
    const lists = new Map<string, number[]>();
    const history: Transaction[] = [];
    for (let i = 0; i < 12; i++) {
      const value: MicroOperation[] = [];
      for (let step = 0; step < 1 + random.below(3); step++) {
        const key = "xyz"[random.below(3)]!;
        const list = lists.get(key) ?? [];
        lists.set(key, list);
        if (random.chance(1, 2)) {
          list.push(100 * i + step);
          value.push(["append", key, 100 * i + step]);
        } else value.push(["r", key, [...list]]);
      }
      history.push({ type: "txn", value, call: 2 * i, ret: 2 * i + 1 });
    }
    assert.deepEqual(judgeIsolation(history).anomalies, []);
    const at = history.findIndex(
      ({ value }) =>
        value.length === 1 && value[0]![0] === "r" && (value[0]![2] as number[]).length > 0,
    );
    if (at < 0) continue;
    const [, key, list] = history[at]!.value[0]! as ["r", string, number[]];
    history[at] = { ...history[at]!, value: [["r", key, list.slice(0, -1)]] };
    assert.notDeepEqual(judgeIsolation(history).anomalies, []);
    spoilt++;
  }
  assert.ok(spoilt > 50);
});
