import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHuffman } from "./huffman.ts";
import { ConnectionError } from "./protocol.ts";

function decode(hex: string): string {
  const source = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const target = Buffer.alloc(source.length * 2);
  return target.toString("latin1", 0, decodeHuffman(source, 0, source.length, target));
}

const vectors: readonly (readonly [hex: string, text: string])[] = [
  ["f1e3 c2e5 f23a 6ba0 ab90 f4ff", "www.example.com"],
  ["a8eb 1064 9cbf", "no-cache"],
  ["25a8 49e9 5ba9 7d7f", "custom-key"],
  ["25a8 49e9 5bb8 e8b4 bf", "custom-value"],
  ["6402", "302"],
  ["640e ff", "307"],
  ["aec3 771a 4b", "private"],
  ["d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ["d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ["9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3", "https://www.example.com"],
  ["9bd9 ab", "gzip"],
  [
    "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
  ],
];

test("RFC 7541 C.4 and C.6: the strings of the examples are decoded", () => {
  for (const [hex, text] of vectors) assert.equal(decode(hex), text);
});

test("RFC 7541 B: words of every length are decoded", () => {
  // '!' |11111110|00, '\n' 30 bits, NUL 13 bits, 0xff 26 bits, each padded with ones.
  assert.equal(decode("fe3f"), "!");
  assert.equal(decode("fffffff3"), "\n");
  assert.equal(decode("ffc7"), "\0");
  assert.equal(decode("fffffbbf"), "\xff");
});

test("RFC 7541 5.2: EOS, padding of eight bits and padding with zeros are refused", () => {
  assert.throws(() => decode("ffffffff"), ConnectionError);
  assert.throws(() => decode("6402ff"), ConnectionError);
  assert.throws(() => decode("00"), ConnectionError);
});
