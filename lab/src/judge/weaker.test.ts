/** Sequential consistency and session guarantees. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import type { Operation } from "./history.ts";
import { judge, judgeSequential, judgeSessions } from "./index.ts";
import { legalHistory } from "./sample.ts";

/** Operations one after the other in time. */
function inTurn(...drafts: readonly object[]): Operation[] {
  return drafts.map(
    (draft, i) => Object.assign({ call: 2 * i, ret: 2 * i + 1 }, draft) as Operation,
  );
}

const put = (client: string, key: string, value: string) => ({ client, type: "put", key, value });
const get = (client: string, key: string, value: string | null) => ({
  client,
  type: "get",
  key,
  value,
});

test("a stale read is sequential and not linearizable", () => {
  const history = inTurn(put("a", "x", "1"), get("b", "x", null), get("b", "x", "1"));
  assert.equal(judge(history).verdict, "illegal");
  assert.deepEqual(judgeSequential(history), { verdict: "sequential", order: [1, 0, 2] });
});

test("two keys seen in opposite orders are not sequential, though each of them is", () => {
  const history = inTurn(
    put("a", "x", "1"),
    put("b", "y", "1"),
    get("c", "x", "1"),
    get("c", "y", null),
    get("d", "y", "1"),
    get("d", "x", null),
  );
  const verdict = judgeSequential(history);
  assert.equal(verdict.verdict, "illegal");
  for (const key of ["x", "y"]) {
    const one = history.filter((operation) => operation.key === key);
    assert.equal(judgeSequential(one).verdict, "sequential");
  }
});

test("whatever is linearizable is sequential", () => {
  const random = new Random(5);
  const mix = {
    operations: 14,
    clients: 3,
    keys: 2,
    unknown: 15,
    values: 3,
    weights: [4, 3, 1, 1, 2],
  } as const;
  for (let round = 0; round < 60; round++) {
    const history = legalHistory(random, mix);
    assert.equal(judgeSequential(history).verdict, "sequential", JSON.stringify(history));
  }
});

test("a search that is out of budget says so", () => {
  const history = inTurn(put("a", "x", "1"), put("b", "x", "2"), get("c", "x", "3"));
  assert.equal(judgeSequential(history, { budget: 1 }).verdict, "unknown");
});

test("each session guarantee is named when it is broken", () => {
  const broken = (...drafts: readonly object[]): unknown => {
    const verdict = judgeSessions(inTurn(...drafts));
    return verdict.verdict === "illegal" ? verdict.findings[0]!.guarantees : verdict.verdict;
  };
  assert.deepEqual(
    broken(put("a", "x", "1"), put("a", "x", "2"), get("b", "x", "2"), get("b", "x", "1")),
    ["monotonic-reads", "monotonic-writes"],
  );
  assert.deepEqual(broken(put("a", "x", "1"), get("b", "x", "1"), get("b", "x", null)), [
    "monotonic-reads",
  ]);
  assert.deepEqual(broken(put("a", "x", "1"), get("a", "x", null)), ["read-your-writes"]);
  const follow = [put("a", "x", "1"), get("b", "x", "1"), put("b", "x", "2")];
  const found = judgeSessions(inTurn(...follow, get("c", "x", "2"), get("c", "x", "1")));
  assert.equal(found.verdict, "illegal");
  assert.deepEqual(broken(...follow, get("c", "x", "1"), get("c", "x", "2")), "guaranteed");
});

test("session guarantees need values that differ", () => {
  const history = inTurn(put("a", "x", "1"), put("b", "x", "1"));
  assert.deepEqual(judgeSessions(history), { verdict: "unknown", key: "x" });
});
