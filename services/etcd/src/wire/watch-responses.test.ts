import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@quorate/kernel";
import fc from "fast-check";
import { type Event } from "../store/changes.ts";
import { binaryOf } from "./binary.ts";
import { type KeyValue } from "./kv.ts";
import { type KeyValueMessage } from "./kv-messages.ts";
import { writeIdentity } from "./kv-responses.ts";
import { watchResponse } from "./watch-messages.ts";
import { eventLength, writeWatchEvents } from "./watch-responses.ts";

const number = fc.oneof(fc.nat(300), fc.maxSafeInteger().map(Math.abs));
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => (n === 0n ? "" : n.toString(16)));
const keyValue: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.uint8Array({ maxLength: 40 }).map((bytes) => binaryOf(bytes)),
  createRevision: number,
  modRevision: number,
  version: number,
  value: fc.uint8Array({ maxLength: 300 }),
  lease: id,
});
const event: fc.Arbitrary<Event> = fc.record({
  type: fc.constantFrom("put" as const, "delete" as const),
  kv: keyValue,
  prevKv: fc.option(keyValue, { nil: undefined }),
});

function plain(kv: KeyValue | KeyValueMessage | undefined): object | undefined {
  if (kv === undefined) return undefined;
  const key = typeof kv.key === "string" ? kv.key : binaryOf(kv.key);
  return { ...kv, key, value: Array.from(kv.value) };
}

test("what is written by hand of events, the description reads", () => {
  const watchId = fc.integer({ min: -5, max: 1e9 });
  const batch = fc.record({ watchId, prevKv: fc.boolean(), events: fc.array(event) });
  fc.assert(
    fc.property(batch, fc.boolean(), number, id, (events, fragment, revision, member) => {
      const identity = new Writer();
      writeIdentity(identity, "abc", member);
      const writer = new Writer();
      const header = { identity: identity.finish(), revision, raftTerm: 7 };
      writeWatchEvents(writer, header, events, 0, events.events.length, fragment);
      const read = watchResponse.decode(writer.finish());
      assert.deepEqual(read.header, { clusterId: "abc", memberId: member, revision, raftTerm: 7 });
      assert.deepEqual(
        [read.watchId, read.fragment, read.created],
        [events.watchId, fragment, false],
      );
      assert.deepEqual(
        read.events.map(({ type, kv, prevKv }) => [type, plain(kv), plain(prevKv)]),
        events.events.map(({ type, kv, prevKv }) => [
          type === "put" ? 0 : 1,
          plain(kv),
          events.prevKv ? plain(prevKv) : undefined,
        ]),
      );
    }),
  );
});

test("the length of an event is what it takes", () => {
  fc.assert(
    fc.property(event, fc.boolean(), (one, prevKv) => {
      const lengths = [0, 1].map((count) => {
        const writer = new Writer();
        const header = { identity: new Uint8Array(0), revision: 1, raftTerm: 1 };
        writeWatchEvents(writer, header, { watchId: 1, prevKv, events: [one] }, 0, count, false);
        return writer.length;
      });
      const length = eventLength(one, prevKv);
      const prefix = length < 128 ? 2 : length < 16_384 ? 3 : 4;
      assert.equal(lengths[1]! - lengths[0]!, length + prefix);
    }),
  );
});
