import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { GrpcServer } from "../server/server.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { ConnectionError, flag, frameType, preface } from "./protocol.ts";
import {
  frameBytes,
  grpcHeaders,
  prefixed,
  RawClient,
  settings,
  uint32,
} from "./raw-client.test.ts";

const errors: unknown[] = [];
const server = new GrpcServer({ onError: (error) => errors.push(error) });
server.unary("/x.Y/Echo", (call, message) => call.respond(message));
let port = 0;

before(async () => {
  ({ port } = await server.listen(0, "127.0.0.1"));
});

after(async () => {
  await server.close(0);
  assert.deepEqual(errors, []);
});

/** A sound conversation, to be spoiled. */
const sound = Buffer.concat([
  preface,
  settings([4, 100_000]),
  frameBytes(frameType.headers, flag.endHeaders, 1, encodeHeaders(grpcHeaders)),
  frameBytes(frameType.data, flag.endStream, 1, prefixed(Buffer.alloc(40))),
  frameBytes(frameType.windowUpdate, 0, 0, uint32(1000)),
  frameBytes(frameType.headers, flag.endHeaders, 3, encodeHeaders(grpcHeaders)),
  frameBytes(frameType.ping, 0, 0, Buffer.alloc(8)),
  frameBytes(frameType.data, flag.endStream, 3, prefixed(Buffer.alloc(4))),
]);

const anyFrame = fc
  .record({
    type: fc.nat(10),
    flags: fc.constantFrom(0, 1, 4, 5, 8, 13, 32, 45, 255),
    id: fc.constantFrom(0, 1, 2, 3, 5, 7, 0x7fffffff),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(encodeHeaders(grpcHeaders)),
      fc.constant(prefixed(Buffer.alloc(3))),
    ),
  })
  .map(({ type, flags, id, payload }) => frameBytes(type, flags, id, payload));

async function survives(bytes: Buffer): Promise<void> {
  const client = new RawClient(port);
  client.socket.end(bytes);
  await client.closed;
}

async function stillServes(): Promise<void> {
  const client = await RawClient.open(port);
  client.call(1, Buffer.from("hello"));
  assert.equal((await client.response(1)).status, "0");
  client.destroy();
  assert.deepEqual(errors, []);
}

test("random frames end in an error or go on, and never hurt the server", async () => {
  const frames = fc.array(anyFrame, { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(frames, (list) => survives(Buffer.concat([preface, settings(), ...list]))),
    { numRuns: 300 },
  );
  await stillServes();
});

test("a conversation with bytes changed ends in an error or goes on, and never hurts the server", async () => {
  const changes = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const spoiled = Buffer.from(sound);
      for (const [at, byte] of list) spoiled[at] = byte;
      await survives(spoiled);
    }),
    { numRuns: 300 },
  );
  await stillServes();
});

test("a conversation cut anywhere leaves nothing open", async () => {
  for (let end = 0; end < sound.length; end += 3) await survives(sound.subarray(0, end));
  await stillServes();
});

class Recorder implements FrameSink {
  readonly reading = true;
  readonly frames: string[] = [];

  onFrame(
    type: number,
    flags: number,
    id: number,
    chunk: Buffer,
    start: number,
    end: number,
  ): void {
    this.frames.push(`${type} ${flags} ${id} ${chunk.toString("hex", start, end)}`);
  }
}

test("frames are the same however the bytes are cut, and at most one is held", () => {
  const frames = fc.array(anyFrame, { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(frames, cuts, (list, sizes) => {
      const bytes = Buffer.concat(list);
      const whole = new Recorder();
      new FrameReader(whole, 16_384).push(bytes, 0);
      const pieces = new Recorder();
      const reader = new FrameReader(pieces, 16_384);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        reader.push(bytes.subarray(at, at + size), 0);
        at += size;
        assert.ok(reader.heldBytes <= 16_393);
      }
      assert.deepEqual(pieces.frames, whole.frames);
      assert.equal(whole.frames.length, list.length);
    }),
  );
});

test("a length beyond the limit is refused before anything is kept for it", () => {
  const reader = new FrameReader(new Recorder(), 16_384);
  assert.throws(() => reader.push(Buffer.from("ffffff000000000001", "hex"), 0), ConnectionError);
  assert.equal(reader.heldBytes, 0);
});
