import assert from "node:assert/strict";
import { test } from "node:test";

import { uint } from "@quorate/kernel";

import { Turn } from "../turn.ts";
import type { Departure, Refusal } from "./handshake.ts";
import { type Address, Transport } from "./transport.ts";

const LOOPBACK: Address = { host: "127.0.0.1", port: 0 };
const GROUP = 1;

/** One node's end of the network, and what was seen at it. */
class End {
  departure: Departure = undefined;
  readonly received: number[] = [];
  private readonly refusals: Refusal[] = [];
  private ups = 0;
  private changed: () => void = () => undefined;
  readonly transport: Transport;

  constructor(node: string, peers: ReadonlyMap<string, Address>) {
    this.transport = new Transport({
      identity: { node, cluster: "c", directory: `directory of ${node}` },
      listen: LOOPBACK,
      peers,
      known: { meet: (_node, directory) => directory },
      departure: () => this.departure,
      turn: new Turn(),
      frameBytes: 1000,
      onPeer: (_peer, state) => {
        if (state === "up") this.ups++;
        this.changed();
      },
      onRefused: (_peer, { reason }) => {
        this.refusals.push(reason);
        this.changed();
      },
      onMisbehaviour: () => undefined,
    });
    this.transport.register(GROUP, {
      accept: (_from, reader) => {
        this.received.push(uint.read(reader));
        this.changed();
      },
    });
  }

  async isUp(): Promise<void> {
    await this.until(() => this.ups > 0);
  }

  async isRefused(): Promise<Refusal | undefined> {
    await this.until(() => this.refusals.length > 0);
    return this.refusals[0];
  }

  async has(count: number): Promise<readonly number[]> {
    await this.until(() => this.received.length >= count);
    return this.received;
  }

  private async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
  }
}

test("one that left is heard while its removal may be taken back, then hung up on and told", async () => {
  const member = new End("n1", new Map([["n2", { host: "127.0.0.1", port: 1 }]]));
  const leaver = new End("n2", new Map([["n1", await member.transport.listen()]]));
  try {
    leaver.transport.connect();
    await leaver.isUp();
    member.departure = "pending";
    member.transport.retain(new Map());
    leaver.transport.send("n1", GROUP, uint, 7);
    assert.deepEqual(await member.has(1), [7]);

    member.departure = "certain";
    member.transport.retain(new Map());
    assert.equal(await leaver.isRefused(), "removedNode");
  } finally {
    await Promise.all([leaver.transport.close(), member.transport.close()]);
  }
});
