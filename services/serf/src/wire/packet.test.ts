import assert from "node:assert/strict";
import { test } from "node:test";

import type { Packet, Part } from "@quorate/gossip";
import fc from "fast-check";

import { Keyring } from "./keyring.ts";
import {
  compressedMessage,
  decodePacket,
  encodePacket,
  type Fault,
  layersBytes,
} from "./packet.ts";
import { decodePart, encodePart, partBytes } from "./parts.ts";
import { anyPacket, PARTS } from "./samples.test.ts";

const PLAIN = { keyring: undefined, compress: false };
const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

interface Opened {
  readonly parts: Part[];
  readonly faults: Fault[];
}

function open(datagram: Uint8Array, keyring?: Keyring): Opened {
  const opened: Opened = { parts: [], faults: [] };
  decodePacket(datagram, keyring, {
    part: (part) => opened.parts.push(part),
    fault: (fault) => opened.faults.push(fault),
  });
  return opened;
}

/** Datagrams of Serf 0.9.4, as they were on the wire, and whether they carry a checksum. */
const CAPTURED: readonly (readonly [what: string, checksum: boolean, hex: string])[] = [
  [
    "two alives",
    true,
    "0c341bb4bd0702004200420486a441646472a47f000001ab496e6361726e6174696f6e01a44d657461a6ff81a178a179a4" +
      "4e6f6465a466616b65a4506f7274cd55bba356736ea60105020205050486a441646472a47f000001ab496e6361726e61" +
      "74696f6e01a44d657461a6ff81a161a131a44e6f6465a47265616ca4506f7274cd55baa356736ea6010502020505",
  ],
  [
    "a user event",
    true,
    "0c0b63d38d080384a24343c3a54c54696d6501a44e616d65a568656c6c6fa75061796c6f6164a5776f726c64",
  ],
  [
    "a ping and a user event",
    false,
    "0702004100270085a44e6f6465a466616b65a55365714e6f01aa536f7572636541646472a47f000001aa536f75726365" +
      "4e6f6465a47265616caa536f75726365506f7274cd55ba080384a24343c3a54c54696d6501a44e616d65a568656c6c6f" +
      "a75061796c6f6164a5776f726c64",
  ],
  [
    "a query with a filter",
    true,
    "0cd4344d2108048ba441646472a47f000001a746696c7465727391af0182a445787072a179a3546167a178a5466c6167" +
      "7301a24944ce2a841d13a54c54696d6501a44e616d65a171a75061796c6f6164a170a4506f7274cd55baab52656c6179" +
      "466163746f7200aa536f757263654e6f6465a47265616ca754696d656f7574ce3b9aca00",
  ],
];

for (const [what, checksum, hex] of CAPTURED) {
  test(`${what} of a real agent is read, and written to the same bytes`, () => {
    const datagram = new Uint8Array(Buffer.from(hex, "hex"));
    const { parts, faults } = open(datagram);
    assert.deepEqual(faults, []);
    // Written anew, not from the cache of what was read.
    const copies = structuredClone(parts);
    const written = encodePacket({ type: "packet", parts: copies, checksum }, PLAIN);
    assert.equal(Buffer.from(written).toString("hex"), hex);
  });
}

test("every kind of part survives the way there, and takes the bytes it says", () => {
  for (const part of PARTS) {
    assert.deepEqual(decodePart(encodePart(part)), part);
    assert.equal(partBytes(part), encodePart(part).length);
  }
});

test("packets survive every combination of layers", () => {
  fc.assert(
    fc.property(anyPacket, fc.boolean(), fc.boolean(), (packet, compress, sealed) => {
      const keyring = sealed ? new Keyring([key(1)]) : undefined;
      const opened = open(encodePacket(packet, { keyring, compress }), keyring);
      assert.deepEqual(opened, { parts: packet.parts, faults: [] });
    }),
  );
});

test("layers add no more than they say", () => {
  const packet: Packet = { type: "packet", parts: PARTS, checksum: true };
  const bare = encodePacket({ ...packet, checksum: false }, PLAIN).length;
  for (const keyring of [undefined, new Keyring([key(1)])]) {
    const layers = { keyring, compress: false };
    assert.equal(encodePacket(packet, layers).length, bare + layersBytes(layers));
  }
});

test("with a key, what is not sealed with one of the ring is not let in", () => {
  const ring = new Keyring([key(1)]);
  const packet: Packet = { type: "packet", parts: PARTS, checksum: false };
  assert.deepEqual(open(encodePacket(packet, PLAIN), ring), { parts: [], faults: ["sealed"] });
  const other = encodePacket(packet, { keyring: new Keyring([key(2)]), compress: false });
  assert.deepEqual(open(other, ring), { parts: [], faults: ["sealed"] });
  assert.equal(open(other).parts.length, 0, "and without a key, sealed packets mean nothing");
});

test("a changed bit under a checksum is noticed", () => {
  const datagram = encodePacket({ type: "packet", parts: PARTS, checksum: true }, PLAIN);
  for (let at = 1; at < datagram.length; at += 7) {
    const changed = datagram.slice();
    changed[at]! ^= 4;
    assert.deepEqual(open(changed), { parts: [], faults: ["checksum"] });
  }
});

test("whole parts of a packet that was cut off count", () => {
  const datagram = encodePacket({ type: "packet", parts: PARTS, checksum: false }, PLAIN);
  const { parts, faults } = open(datagram.subarray(0, datagram.length - 3));
  assert.deepEqual(parts, PARTS.slice(0, -1));
  assert.deepEqual(faults, ["compound"]);
});

test("a damaged part does not take the others with it", () => {
  const [first, second] = PARTS;
  const damaged = Uint8Array.from([3, 0x81, 0xa4, 0x4e]);
  const parts = [encodePart(first!), damaged, encodePart(second!)];
  const heads = parts.flatMap((part) => [part.length >>> 8, part.length & 0xff]);
  const datagram = new Uint8Array(Buffer.concat([Uint8Array.from([7, 3, ...heads]), ...parts]));
  assert.deepEqual(open(datagram), { parts: [first, second], faults: ["message"] });
});

test("labels and messages of streams are refused in packets", () => {
  assert.deepEqual(open(Uint8Array.from([244, 1, 0x61, 0])).faults, ["label"]);
  for (const type of [6, 10, 13, 14, 200])
    assert.deepEqual(open(Uint8Array.from([type])).faults, ["unknown"]);
  assert.deepEqual(open(new Uint8Array(0)).faults, ["empty"]);
});

test("a packet of packets of packets ends somewhere", () => {
  let nested = encodePart(PARTS[0]!);
  for (let i = 0; i < 10; i++) {
    nested = Uint8Array.from([7, 1, nested.length >>> 8, nested.length & 0xff, ...nested]);
  }
  assert.deepEqual(open(nested), { parts: [], faults: ["compound"] });
});

test("one datagram expands to 64 KiB at most, however it is packed", () => {
  const bomb = compressedMessage(new Uint8Array(60_000).fill(8));
  const copies = 100;
  const heads = Array.from({ length: copies }, () => [
    bomb.length >>> 8,
    bomb.length & 0xff,
  ]).flat();
  const bombs = Array.from({ length: copies }, () => [...bomb]).flat();
  const { faults } = open(Uint8Array.from([7, copies, ...heads, ...bombs]));
  assert.equal(faults.filter((fault) => fault === "compression").length, copies - 1);
});

test("any bytes, and any change to a packet, give parts and faults and nothing else", () => {
  const ring = new Keyring([key(1)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const keyring of [undefined, ring]) open(bytes, keyring);
    }),
  );
  fc.assert(
    fc.property(
      anyPacket,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
      fc.nat(),
      (packet, changes, cut) => {
        const datagram = encodePacket(packet, { keyring: undefined, compress: cut % 2 === 0 });
        for (const [at, byte] of changes) datagram[at % datagram.length] = byte;
        open(datagram.subarray(0, datagram.length - (cut % 3)));
      },
    ),
  );
});
