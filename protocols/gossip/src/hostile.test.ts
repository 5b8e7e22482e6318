/** Whatever well-formed lies strangers tell: no exception, no state without bounds. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { ORIGIN } from "./coordinates/vivaldi.ts";
import { VERSIONS } from "./member.ts";
import type { Message, Part } from "./messages.ts";
import { NOTHING, serfRig } from "./rig.test.ts";
import type { SerfMessage } from "./serf/messages.ts";

const MEMBERS_MAX = 12;

const name = fc.constantFrom("a", "b", "c", "", ...Array.from({ length: 30 }, (_, i) => `x${i}`));
const count = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.constantFrom(0xffff_ffff, 0xffff_fff0, 2 ** 52, Number.MAX_SAFE_INTEGER),
);
const bytes = fc.uint8Array({ maxLength: 40 });
const address = name;
const versions = fc.constantFrom(
  VERSIONS,
  [0, 0, 0, 0, 0, 0] as const,
  [9, 9, 9, 9, 9, 9] as const,
);
const source = fc.option(fc.record({ name, address }, { noNullPrototype: true }), {
  nil: undefined,
});
const state = fc.constantFrom("alive", "suspect", "dead", "left" as const);
const filters = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant("nodes" as const), names: fc.array(name) }),
    fc.record({ type: fc.constant("tag" as const), tag: name, expression: fc.string() }),
  ),
  { maxLength: 3 },
);

const plainBody: fc.Arbitrary<SerfMessage> = fc.oneof(
  fc.record({ type: fc.constant("leave" as const), ltime: count, node: name, prune: fc.boolean() }),
  fc.record({ type: fc.constant("join" as const), ltime: count, node: name }),
  fc.record({
    type: fc.constant("userEvent" as const),
    ltime: count,
    name,
    payload: bytes,
    coalesce: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("query" as const),
    ltime: count,
    id: count,
    source: address,
    sourceNode: name,
    filters,
    ack: fc.boolean(),
    noBroadcast: fc.boolean(),
    relayFactor: fc.integer({ min: 0, max: 255 }),
    timeoutMs: fc.constantFrom(0, 100, 2 ** 40),
    name: fc.constantFrom("x", "_serf_ping", "_serf_conflict", "_serf_list-keys", "_serf_?"),
    payload: bytes,
  }),
  fc.record({
    type: fc.constant("queryResponse" as const),
    ltime: count,
    id: count,
    from: name,
    ack: fc.boolean(),
    payload: bytes,
  }),
);

const body: fc.Arbitrary<SerfMessage> = fc.oneof(
  plainBody,
  fc.record({
    type: fc.constant("relay" as const),
    destination: address,
    destinationName: name,
    body: plainBody,
  }),
);

const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ type: fc.constant("ping" as const), seq: count, node: name, source }),
  fc.record({
    type: fc.constant("indirectPing" as const),
    seq: count,
    node: name,
    target: address,
    nack: fc.boolean(),
    source,
  }),
  fc.record({ type: fc.constant("ack" as const), seq: count, coordinate: fc.constant(ORIGIN) }),
  fc.record({ type: fc.constant("nack" as const), seq: count }),
  fc.record({ type: fc.constant("suspect" as const), node: name, incarnation: count, from: name }),
  fc.record({ type: fc.constant("dead" as const), node: name, incarnation: count, from: name }),
  fc.record({
    type: fc.constant("alive" as const),
    node: name,
    address,
    incarnation: count,
    meta: bytes,
    versions,
  }),
  fc.record({ type: fc.constant("user" as const), body }),
);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    type: fc.constant("packet" as const),
    parts: fc.array(part, { minLength: 1, maxLength: 6 }),
    checksum: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("pushPull" as const),
    exchange: fc.integer({ min: 0, max: 3 }),
    reply: fc.boolean(),
    join: fc.boolean(),
    members: fc.array(
      fc.record({ name, address, incarnation: count, meta: bytes, versions, state }),
      { maxLength: 8 },
    ),
    state: fc.option(
      fc.record({
        ltime: count,
        statusLTimes: fc.array(fc.tuple(name, count)),
        left: fc.array(name),
        eventLTime: count,
        events: fc.array(
          fc.record({ ltime: count, events: fc.array(fc.record({ name, payload: bytes })) }),
          { maxLength: 4 },
        ),
        queryLTime: count,
      }),
      { nil: undefined },
    ),
  }),
  fc.record({
    type: fc.constant("streamPing" as const),
    exchange: count,
    seq: count,
    node: name,
    source: fc.record({ name, address }),
  }),
  fc.record({ type: fc.constant("streamAck" as const), exchange: count, seq: count }),
  fc.record({ type: fc.constant("streamError" as const), exchange: count, text: fc.string() }),
);

test("well-formed lies neither stop a node nor grow it without bounds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, fc.integer({ min: 0, max: 3000 })), { maxLength: 60 }),
      (said) => {
        const rig = serfRig(["b", "c"], {
          membersMax: MEMBERS_MAX,
          intentsMax: 5,
          queriesMax: 5,
          broadcastsMax: 20,
          eventBuffer: 8,
          queryBuffer: 8,
          snapshot: true,
        });
        rig.ask({ type: "userEvent", name: "own", payload: NOTHING, coalesce: false });
        for (const [lie, pauseMs] of said) {
          rig.hearStream("stranger", lie);
          rig.pass(pauseMs);
          rig.take();
          const { node } = rig;
          assert.ok(node.members.known <= MEMBERS_MAX);
          assert.ok(node.memberList().length <= MEMBERS_MAX);
          assert.equal(node.me.state, "alive", "nobody else decides that this node is gone");
          assert.equal(node.me.address, "a");
          assert.ok(node.health >= 0 && node.health <= 7);
          assert.ok(node.rumours.size <= 20);
          assert.ok(Number.isSafeInteger(node.me.incarnation));
          assert.ok(node.clock.time < 2 ** 53 && node.eventClock.time < 2 ** 53);
        }
        assert.ok(rig.timers.size < 200, `${rig.timers.size} timers`);
      },
    ),
    { numRuns: Number(process.env["QUORATE_SEEDS"] ?? 60) },
  );
});
