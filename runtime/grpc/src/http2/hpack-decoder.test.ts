import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HeaderBlock } from "./header-block.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { ConnectionError, Http2Code } from "./protocol.ts";

function decode(decoder: HpackDecoder, hex: string): HeaderBlock {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return decoder.decode(bytes, 0, bytes.length);
}

function summary(block: HeaderBlock): string[] {
  const { method, scheme, path, authority } = block;
  const fields = block.fields.map(({ name, value }) => `${name}: ${value}`);
  return [method, scheme, path, authority, ...fields];
}

const requests: readonly (readonly string[])[] = [
  ["GET", "http", "/", "www.example.com"],
  ["GET", "http", "/", "www.example.com", "cache-control: no-cache"],
  ["GET", "https", "/index.html", "www.example.com", "custom-key: custom-value"],
];

test("RFC 7541 C.3: requests without Huffman coding build up the dynamic table", () => {
  const decoder = new HpackDecoder(4096, 65_536);
  const blocks = [
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ];
  blocks.forEach((hex, i) => assert.deepEqual(summary(decode(decoder, hex)), requests[i]));
});

test("RFC 7541 C.4: requests with Huffman coding build up the dynamic table", () => {
  const decoder = new HpackDecoder(4096, 65_536);
  const blocks = [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ];
  blocks.forEach((hex, i) => assert.deepEqual(summary(decode(decoder, hex)), requests[i]));
});

test("RFC 7541 4.4: the oldest fields are evicted when a new one needs room", () => {
  const decoder = new HpackDecoder(4096, 65_536);
  // The table is cut to 64 bytes, then a: 1 and b: 2, of 34 bytes each, are inserted.
  decode(decoder, "3f21 4001 61 01 31 4001 62 01 32");
  assert.deepEqual(summary(decode(decoder, "be")).slice(4), ["b: 2"]);
  assert.throws(() => decode(decoder, "bf"), ConnectionError);
});

test("RFC 7541 4.4: a field larger than the table empties it", () => {
  const decoder = new HpackDecoder(4096, 65_536);
  decode(decoder, "3f21 4001 61 01 31");
  const value = "78".repeat(40);
  decode(decoder, `4001 62 28 ${value}`);
  assert.throws(() => decode(decoder, "be"), ConnectionError);
});

test("RFC 7541 4.2: a size update is refused within a block or beyond our limit", () => {
  assert.throws(() => decode(new HpackDecoder(4096, 65_536), "82 20"), ConnectionError);
  assert.throws(() => decode(new HpackDecoder(4096, 65_536), "3f e2 1f"), ConnectionError);
  decode(new HpackDecoder(4096, 65_536), "20 3f e1 1f 82");
});

test("RFC 7541 5.1 and 6.1: what does not exist or does not end is a COMPRESSION_ERROR", () => {
  for (const hex of ["80", "be", "ff ff ff ff ff ff 0f", "ff", "40", "00 05 61", "40 01 61 7f"]) {
    assert.throws(
      () => decode(new HpackDecoder(4096, 65_536), hex),
      (error) => error instanceof ConnectionError && error.code === Http2Code.compressionError,
      hex,
    );
  }
});

test("the same block is decoded once, until the dynamic table changes", () => {
  const decoder = new HpackDecoder(4096, 65_536);
  decode(decoder, "40 01 61 01 31");
  const first = decode(decoder, "82 be");
  assert.equal(decode(decoder, "82 be"), first);
  decode(decoder, "40 01 62 01 32");
  assert.deepEqual(summary(decode(decoder, "82 be")).slice(4), ["b: 2"]);
});

test("a list larger than the limit is not kept", () => {
  const decoder = new HpackDecoder(4096, 200);
  const block = decode(decoder, `40 01 61 64 ${"78".repeat(100)}${"be".repeat(1000)}`);
  assert.equal(block.tooLarge, true);
  assert.ok(block.fields.length <= 1);
});

test("RFC 9113 8.2 and 8.3: malformed blocks are told apart", () => {
  const pseudo = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
  ] as const;
  const cases: readonly (readonly [readonly (readonly [string, string])[], boolean])[] = [
    [pseudo, true],
    [[...pseudo, ["x-a", "1"]], true],
    [[...pseudo, ["te", "trailers"]], true],
    [[["x-a", "1"], ...pseudo], false],
    [[...pseudo, [":path", "/"]], false],
    [[...pseudo, [":status", "200"]], false],
    [[...pseudo, ["X-A", "1"]], false],
    [[...pseudo, ["x a", "1"]], false],
    [[...pseudo, ["x-a", "1\n2"]], false],
    [[...pseudo, ["connection", "close"]], false],
    [[...pseudo, ["te", "gzip"]], false],
    [[...pseudo, ["content-length", "x"]], false],
    [pseudo.slice(0, 2), false],
  ];
  for (const [headers, good] of cases) {
    const bytes = encodeHeaders(headers);
    const block = new HpackDecoder(4096, 65_536).decode(bytes, 0, bytes.length);
    assert.equal(block.isRequest(), good, JSON.stringify(headers));
  }
});

test("what the encoder writes, the decoder reads", () => {
  const text = fc.stringMatching(/^[ -~]{0,300}$/);
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/).map((name) => `x-${name}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, text), { maxLength: 8 }), (headers) => {
      const bytes = encodeHeaders(headers);
      const block = new HpackDecoder(4096, 1 << 20).decode(bytes, 0, bytes.length);
      assert.deepEqual(
        block.fields.map((field) => [field.name, field.value]),
        headers,
      );
    }),
  );
});

test("random and mutated blocks are decoded or refused, and nothing else", () => {
  const good = Buffer.from("828684418cf1e3c2e5f23a6ba0ab90f4ff5886a8eb10649cbf", "hex");
  const mutated = fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => Buffer.concat([good.subarray(0, at), Buffer.of(byte), good.subarray(at)]));
  const random = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(fc.oneof(mutated, random), { maxLength: 6 }), (blocks) => {
      const decoder = new HpackDecoder(256, 4096);
      try {
        for (const block of blocks) decoder.decode(block, 0, block.length);
      } catch (error) {
        assert.ok(error instanceof ConnectionError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
