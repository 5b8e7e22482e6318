import assert from "node:assert/strict";
import { test } from "node:test";

import { Writer } from "@quorate/kernel";
import fc from "fast-check";

import { beginFrame, endFrame, FrameReader } from "./frames.ts";

function framed(bodies: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  for (const body of bodies) {
    const start = beginFrame(writer);
    writer.raw(body);
    endFrame(writer, start);
  }
  return writer.finish();
}

test("frames come out whole and in order, however the stream was cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
      fc.array(fc.nat(600), { maxLength: 10 }),
      (bodies, cuts) => {
        const stream = framed(bodies);
        const reader = new FrameReader(1000);
        const seen: Uint8Array[] = [];
        let at = 0;
        for (const end of [...cuts.toSorted((a, b) => a - b), stream.length]) {
          const to = Math.max(at, Math.min(end, stream.length));
          assert.equal(
            reader.push(stream.slice(at, to), (body) => seen.push(body.slice())),
            0,
          );
          at = to;
        }
        assert.deepEqual(
          seen,
          bodies.map((body) => Uint8Array.from(body)),
        );
      },
    ),
  );
});

test("a frame beyond the limit is refused before any of it is kept", () => {
  const reader = new FrameReader(10);
  const long = framed([new Uint8Array(5), new Uint8Array(11)]);
  const seen: number[] = [];
  assert.equal(
    reader.push(long, (body) => seen.push(body.length)),
    11,
  );
  assert.deepEqual(seen, [5]);
});
