import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { CausalBroadcast, type Stamped } from "./causal-broadcast.ts";
import { counter, mapOf, Replica } from "./index.ts";

const NAMES = ["a", "b", "c"] as const;

/** A network: everything may arrive late, twice, or be asked for again. */
const script = fc.array(fc.record({ sends: fc.boolean(), at: fc.nat(2), pick: fc.nat() }), {
  maxLength: 60,
});

test("every message is delivered once, and after all that its sender had seen", () => {
  fc.assert(
    fc.property(script, (steps) => {
      const members = NAMES.map((name) => new CausalBroadcast<number>(name));
      const sent: Stamped<number>[] = [];
      const delivered: number[][] = NAMES.map(() => []);
      const past = new Map<number, readonly number[]>();
      const receive = (at: number, stamped: Stamped<number>): void => {
        if (stamped.dot.actor === NAMES[at]) return;
        delivered[at]!.push(...members[at]!.receive(stamped));
      };
      for (const { sends, at, pick } of steps) {
        if (sends) {
          past.set(sent.length, [...delivered[at]!]);
          delivered[at]!.push(sent.length);
          sent.push(members[at]!.send(sent.length));
        } else if (sent.length > 0) receive(at, sent[pick % sent.length]!);
      }
      for (const at of NAMES.keys()) for (const one of sent.toReversed()) receive(at, one);
      for (const order of delivered) {
        assert.equal(new Set(order).size, sent.length, "each once, none lost");
        for (const [i, message] of order.entries()) {
          const before = new Set(order.slice(0, i));
          assert.ok(past.get(message)!.every((earlier) => before.has(earlier)));
        }
      }
      for (const member of members) assert.deepEqual(member.missing, []);
    }),
  );
});

test("what is missing is told, and a duplicate is not delivered (D05)", () => {
  const a = new CausalBroadcast<string>("a");
  const b = new CausalBroadcast<string>("b");
  const [one, two, three] = [a.send("1"), a.send("2"), a.send("3")];
  assert.deepEqual(b.receive(three), []);
  assert.deepEqual(b.missing, [{ actor: "a", from: 1, to: 2 }]);
  assert.deepEqual(b.receive(two), []);
  assert.deepEqual(b.receive(one), ["1", "2", "3"]);
  assert.deepEqual(b.receive(two), []);
});

test("early messages are bounded, and one that is due is never refused", () => {
  const a = new CausalBroadcast<number>("a");
  const b = new CausalBroadcast<number>("b", 2);
  const sent = [1, 2, 3, 4].map((n) => a.send(n));
  b.receive(sent[1]!);
  b.receive(sent[2]!);
  assert.throws(() => b.receive(sent[3]!), { code: "gap" });
  assert.deepEqual(b.receive(sent[0]!), [1, 2, 3]);
  assert.deepEqual(b.receive(sent[3]!), [4]);
});

test("messages under one's own name from elsewhere are refused", () => {
  const a = new CausalBroadcast<number>("a");
  const twin = new CausalBroadcast<number>("a");
  assert.throws(() => a.receive(twin.send(1)), { code: "duplicateActor" });
});

test("deltas as operations: a type over causal broadcast alone", () => {
  const type = mapOf(counter);
  const replicas = NAMES.map((name) => new Replica(type, name));
  const members = NAMES.map((name) => new CausalBroadcast<Uint8Array>(name));
  const sent = NAMES.flatMap((_, at) =>
    ["x", "y"].map((key) => {
      replicas[at]!.mutate((handle) => handle.at(key).increment(at + 1));
      return members[at]!.send(replicas[at]!.delta()!);
    }),
  );
  for (const at of NAMES.keys()) {
    for (const stamped of sent.toReversed()) {
      if (stamped.dot.actor === NAMES[at]) continue;
      for (const operation of members[at]!.receive(stamped)) replicas[at]!.merge(operation);
    }
    assert.deepEqual(replicas[at]!.value, { x: 6, y: 6 });
  }
});
