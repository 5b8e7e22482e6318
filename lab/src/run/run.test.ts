import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { maximum } from "../example/maximum-subject.ts";
import type { Action } from "./action.ts";
import { type Intervention, readToken, token } from "./intervention.ts";
import { decodeRun, encodeRun, RunError, settingsOf, subjectOf } from "./run.ts";

/** Records as literals make them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const node = fc.constantFrom("n1", "n2", "n3");
const ms = fc.nat(1_000_000);
const plain = fc.constantFrom("crash", "start", "pause", "resume", "stall", "fill", "upgrade");

const action: fc.Arbitrary<Action> = fc.oneof(
  record({ type: plain, node }) as fc.Arbitrary<Action>,
  record({ type: fc.constantFrom("jump" as const, "clog" as const), node, ms }),
  record({ type: fc.constantFrom("sever" as const, "mend" as const), from: node, to: node }),
  record({
    type: fc.constant("partition" as const),
    way: fc.constantFrom("both" as const, "in" as const, "out" as const),
    side: fc.uniqueArray(node),
  }),
  fc.constant({ type: "heal" as const }),
  record({ type: fc.constant("ask" as const), node, op: ms }),
  record({
    type: fc.constant("calm" as const),
    outside: fc.constantFrom("down" as const, "deaf" as const),
    core: fc.uniqueArray(node),
  }),
);

const intervention: fc.Arbitrary<Intervention> = fc.oneof(
  record({ type: fc.constant("action" as const), at: ms, action }),
  record({
    type: fc.constant("fate" as const),
    kind: fc.constantFrom("write" as const, "kept" as const, "choice" as const),
    on: node,
    nth: fc.nat(1000),
    value: fc.nat(1000),
  }),
  record({
    type: fc.constant("fate" as const),
    kind: fc.constantFrom("message" as const, "copy" as const, "hint" as const),
    on: fc.tuple(node, node).map((pair) => pair.join(".")),
    nth: fc.nat(1000),
    value: fc.integer({ min: -1, max: 1000 }),
  }),
);

test("every intervention is read back as it was written", () => {
  fc.assert(
    fc.property(intervention, (one) => {
      assert.deepEqual(readToken(token(one)), one);
    }),
  );
});

test("a run is read back as it was written, and needs no escape in a URL", () => {
  fc.assert(
    fc.property(
      fc.array(intervention),
      fc.nat(),
      fc.option(ms, { nil: undefined }),
      fc.option(ms, { nil: undefined }),
      (interventions, seed, until, safetyMs) => {
        const settings = settingsOf(maximum, { nodes: 5 });
        const bug = "answers-before-durable";
        const run = {
          subject: "maximum",
          version: 1,
          settings,
          bug,
          seed,
          scenario: "swarm",
          interventions,
          until,
          safetyMs,
        };
        const text = encodeRun(run, maximum);
        assert.match(text, /^[\w.~@=,%-]+$/);
        assert.equal(subjectOf(text), "maximum");
        assert.deepEqual(decodeRun(text, maximum), run);
      },
    ),
  );
});

test("what cannot be understood is said in words", () => {
  const refused = (text: string): string => {
    try {
      subjectOf(text);
      decodeRun(text, maximum);
    } catch (error) {
      assert.ok(error instanceof RunError);
      return error.message;
    }
    return assert.fail(`${text} was accepted`);
  };
  assert.match(refused("maximum"), /begins with a protocol and its version/);
  assert.match(refused("maximum@1,nodes=1"), /nodes is 1, but must be a whole number from 2/);
  assert.match(refused("maximum@1,nodez=3"), /no parameter nodez; it has nodes/);
  assert.match(refused("maximum@1,seed=x"), /seed is "x"/);
  assert.match(refused("maximum@1,bug=none"), /no bug named none/);
  assert.match(refused("maximum@1,do=12.explode.n1"), /"12.explode.n1" is neither/);
  assert.match(refused("maximum@1,do=message.n1.3.4"), /is neither/);
});
