import assert from "node:assert/strict";
import dgram from "node:dgram";
import net from "node:net";
import { type TestContext, test } from "node:test";

import type { Part } from "@quorate/gossip";
import { Random } from "@quorate/kernel";

import { eventually, run, type Running } from "../service-harness.test.ts";
import { Keyring } from "../wire/keyring.ts";
import { encodePacket } from "../wire/packet.ts";
import { PARTS } from "../wire/samples.test.ts";

/** Two agents that know each other, and a socket that they do not. */
async function pair(
  t: TestContext,
  keyring?: () => Keyring,
): Promise<{ a: Running; b: Running; stranger: dgram.Socket }> {
  const a = await run(t, "a", { keyring: keyring?.() });
  const b = await run(t, "b", { keyring: keyring?.() });
  await b.service.agent.join([a.address], false);
  const stranger = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => stranger.bind(0, "127.0.0.1", resolve));
  t.after(() => stranger.close());
  return { a, b, stranger };
}

function send(socket: dgram.Socket, to: Running, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) =>
    socket.send(bytes, to.addresses.gossip.port, "127.0.0.1", () => resolve()),
  );
}

const statuses = ({ service }: Running): string =>
  service.agent
    .members()
    .map(({ name, status }) => `${name} ${status}`)
    .toSorted()
    .join(", ");

test("thousands of damaged packets are counted, logged a few times, and change nothing", async (t) => {
  const { a, b, stranger } = await pair(t);
  const random = new Random(7);
  const whole = encodePacket(
    { type: "packet", parts: PARTS.slice(0, 6), checksum: false },
    { keyring: undefined, compress: false },
  );
  for (let i = 0; i < 3000; i++) {
    const bytes = whole.slice(0, 1 + random.below(whole.length));
    // Never a message that is whole: what comes first is cut or means nothing.
    bytes[0] = [200, 9, 7, 3, 244][i % 5]!;
    for (let change = 0; change < 4; change++)
      bytes[1 + random.below(Math.max(1, bytes.length - 1))] = 0xc1;
    await send(stranger, a, bytes.subarray(0, 1400));
  }
  const faults = (): number =>
    Object.values(a.service.agent.counters.packetFaults).reduce((sum, count) => sum + count, 0);
  await eventually("they arrived", () => faults() > 1000);
  const lines = a.log.filter((line) => line.includes("damaged packet"));
  assert.ok(lines.length >= 1 && lines.length < 60, `${lines.length} lines`);
  await eventually(
    "both are well",
    () => statuses(a) === "a alive, b alive" && statuses(b) === "a alive, b alive",
  );
});

test("packets that were recorded and sent again change nothing", async (t) => {
  const { a, b, stranger } = await pair(t);
  await eventually("both know", () => statuses(a) === "a alive, b alive");
  const old = encodePacket(
    {
      type: "packet",
      checksum: false,
      parts: [
        {
          type: "alive",
          node: "b",
          address: "127.0.0.1:1",
          incarnation: 0,
          meta: new Uint8Array(0),
          versions: [1, 5, 2, 2, 5, 5],
        },
        { type: "dead", node: "b", incarnation: 0, from: "x" },
        { type: "suspect", node: "b", incarnation: 0, from: "x" },
      ],
    },
    { keyring: undefined, compress: false },
  );
  for (let i = 0; i < 50; i++) await send(stranger, a, old);
  await b.service.agent.userEvent("later", new Uint8Array(0), false);
  assert.equal(statuses(a), "a alive, b alive");
  assert.equal(a.service.agent.members().find(({ name }) => name === "b")?.address, b.address);
});

test("with encryption on, plain packets and streams are refused, whatever they say", async (t) => {
  const key = new Uint8Array(32).fill(5);
  const { a, stranger } = await pair(t, () => new Keyring([key]));
  const plain = encodePacket(
    { type: "packet", parts: PARTS, checksum: false },
    { keyring: undefined, compress: false },
  );
  const other = encodePacket(
    { type: "packet", parts: PARTS, checksum: false },
    { keyring: new Keyring([new Uint8Array(32)]), compress: false },
  );
  await send(stranger, a, plain);
  await send(stranger, a, other);
  await eventually("both were refused", () => a.service.agent.counters.packetFaults.sealed === 2);
  const c = await run(t, "c");
  await assert.rejects(
    c.service.agent.join([a.address], false),
    /Encryption is configured|encryption is not configured|no address/,
  );
  await eventually(
    "the stream was counted",
    () => a.service.agent.counters.streamFaults.message > 0,
  );
  assert.equal(statuses(a), "a alive, b alive");
  assert.equal(statuses(c), "c alive");
});

test("streams that say nothing, too little, or nonsense are closed, and more than 128 are not served", async (t) => {
  const { a, b } = await pair(t);
  const { counters } = a.service.agent;
  const dial = (bytes: Uint8Array): Promise<net.Socket> =>
    new Promise((resolve) => {
      const socket = net.connect(a.addresses.gossip.port, "127.0.0.1", () => {
        socket.write(bytes);
        resolve(socket);
      });
      socket.on("error", () => {});
      t.after(() => socket.destroy());
    });
  const nonsense = await dial(Uint8Array.from([77, 1, 2, 3]));
  const answer = await new Promise<Buffer>((resolve) => nonsense.once("data", resolve));
  // An error message of memberlist's, compressed or not.
  assert.ok(answer[0] === 13 || answer[0] === 9);
  for (let i = 0; i < 140; i++) await dial(Uint8Array.from([6, 0x83]));
  await eventually("those beyond were turned away", () => counters.streamFaults.busy >= 12);
  // The profile's second later they are gone, and others are served again.
  await eventually(
    "the silent ones are gone",
    () => counters.streamFaults.timeout + counters.streamFaults.broken >= 100,
  );
  assert.equal(await b.service.agent.join([a.address], false), 1);
});

test("addresses where nothing can be sent cost a packet, not the agent", async (t) => {
  const { a, stranger } = await pair(t);
  const versions = [1, 5, 2, 2, 5, 5] as const;
  const nowhere = ["127.0.0.1:0", "0.0.0.0:0", "255.255.255.255:9", "[::1]:7946", "[ff02::1]:0"];
  const parts = nowhere.flatMap((address, i): Part[] => [
    {
      type: "alive",
      node: `ghost${i}`,
      address,
      incarnation: 1,
      meta: new Uint8Array(0),
      versions,
    },
    { type: "ping", seq: i, node: "a", source: { name: "x", address } },
    {
      type: "indirectPing",
      seq: i,
      node: "x",
      target: address,
      nack: true,
      source: { name: "x", address },
    },
    {
      type: "user",
      body: {
        type: "query",
        ltime: 1 + i,
        id: i,
        source: address,
        sourceNode: "x",
        filters: [],
        ack: true,
        noBroadcast: false,
        relayFactor: 2,
        timeoutMs: 1000,
        name: "x",
        payload: new Uint8Array(0),
      },
    },
  ]);
  const layers = { keyring: undefined, compress: false };
  for (const part of parts) {
    await send(
      stranger,
      a,
      encodePacket({ type: "packet", parts: [part], checksum: false }, layers),
    );
  }
  await eventually(
    "it has heard of them all",
    () => a.service.agent.members().length === 2 + nowhere.length,
  );
  await eventually("it has tried", () => a.service.agent.counters.packetsDropped > 0);
  await a.service.agent.userEvent("still there", new Uint8Array(0), false);
});
