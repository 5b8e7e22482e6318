/**
 * Clients that read and write while things break, and the history of what they
 * saw: gets, puts and compare-and-swaps on a few keys, every client on one node,
 * and one client that writes each key once, whose acknowledged writes must all
 * be there in the end.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { judge, Recorder, type Request } from "../../lab/dist/judge/index.js";
import type { Etcd3 } from "etcd3";

import { connect, outcomeOf } from "./client.ts";
import { type Cluster, NAMES } from "./cluster.ts";
import { eventually } from "./wait.ts";

const KEYS = ["a", "b", "c", "d", "e"] as const;
const CLIENTS_PER_NODE = 2;
/** Between two requests of a client: what is wanted is a history, not heat. */
const THINK_MS = 4;
/** After an error, so that a node that is gone does not fill the history with attempts. */
const RECOVER_MS = 60;

/** One clock for all clients, in microseconds. */
function now(): number {
  return Math.round(performance.now() * 1000);
}

type Answer = Parameters<Recorder["complete"]>[2];

export class Load {
  private readonly cluster: Cluster;
  private readonly recorder = new Recorder();
  private readonly clients: Etcd3[] = [];
  private readonly loops: Promise<void>[] = [];
  private stopping = false;
  /** Values are never written twice, so that every read tells whose write it saw. */
  private written = 0;
  /** Keys of the ledger that were acknowledged. */
  private readonly acknowledged: string[] = [];
  private unexpected: unknown;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  start(): void {
    for (const name of NAMES) {
      for (let index = 0; index < CLIENTS_PER_NODE; index++) {
        this.run(this.cluster.etcd(name), `${name}/${index}`);
      }
      this.keepLedger(this.cluster.etcd(name), name);
    }
  }

  /** How many writes were acknowledged so far. */
  get writes(): number {
    return this.acknowledged.length;
  }

  /** Waits until `count` more writes were acknowledged: the cluster works. */
  async moves(count: number): Promise<void> {
    const goal = this.writes + count;
    await eventually(`${count} more writes are acknowledged`, () => {
      if (this.unexpected !== undefined) throw this.unexpected as Error;
      return this.writes >= goal;
    });
  }

  /** Ends the load; resolves when every call has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.loops);
    for (const client of this.clients) client.close();
    assert.equal(this.unexpected, undefined, String(this.unexpected));
  }

  /** Asserts that nodes show every acknowledged write, and that the history is linearizable. */
  async check(endpoints: readonly string[] = this.cluster.endpoints()): Promise<string> {
    for (const endpoint of endpoints) {
      const client = connect(endpoint);
      try {
        const there = new Set(await client.getAll().prefix("ledger/").keys());
        const lost = this.acknowledged.filter((key) => !there.has(key));
        assert.deepEqual(lost, [], `${endpoint} shows every acknowledged write`);
        for (const key of KEYS) await this.get(client, "last", key);
      } finally {
        client.close();
      }
    }
    const history = this.recorder.history();
    fs.writeFileSync(path.join(this.cluster.directory, "history.jsonl"), this.recorder.text());
    const verdict = judge(history);
    const { orders: _, ...shown } = { orders: undefined, ...verdict };
    assert.equal(verdict.verdict, "linearizable", JSON.stringify(shown));
    const unknown = history.filter(({ status }) => status === "info").length;
    return `${history.length} operations, ${unknown} of unknown outcome, ${this.writes} in the ledger`;
  }

  private run(endpoint: string, name: string): void {
    const client = this.connected(endpoint);
    this.loop(async () => {
      const key = KEYS[Math.floor(Math.random() * KEYS.length)]!;
      const dice = Math.random();
      if (dice < 0.5) return this.get(client, name, key);
      if (dice < 0.75) return this.put(client, name, key);
      return this.swap(client, name, key);
    });
  }

  private keepLedger(endpoint: string, name: string): void {
    const client = this.connected(endpoint);
    let number = 0;
    this.loop(async () => {
      const key = `ledger/${name}/${number++}`;
      try {
        await client.put(key).value(key);
        this.acknowledged.push(key);
        return true;
      } catch (error) {
        if (outcomeOf(error) === undefined) throw error;
        return false;
      }
    });
  }

  private connected(endpoint: string): Etcd3 {
    const client = connect(endpoint);
    this.clients.push(client);
    return client;
  }

  private loop(step: () => Promise<boolean>): void {
    const loop = async (): Promise<void> => {
      while (!this.stopping) await pause((await step()) ? THINK_MS : RECOVER_MS);
    };
    this.loops.push(
      loop().catch((error: unknown) => {
        this.unexpected ??= error;
      }),
    );
  }

  private get(client: Etcd3, name: string, key: string): Promise<boolean> {
    return this.record(name, { type: "get", key }, async () => ({
      value: await client.get(key).string(),
    }));
  }

  private put(client: Etcd3, name: string, key: string): Promise<boolean> {
    const value = this.fresh();
    return this.record(name, { type: "put", key, value }, async () => {
      await client.put(key).value(value);
      return {};
    });
  }

  /** Reads, then writes if nobody else has meanwhile. */
  private async swap(client: Etcd3, name: string, key: string): Promise<boolean> {
    let from: string | null = null;
    const read = await this.record(name, { type: "get", key }, async () => {
      from = await client.get(key).string();
      return { value: from };
    });
    if (!read) return false;
    const to = this.fresh();
    return this.record(name, { type: "cas", key, from, to }, async () => {
      const compared =
        from === null ? client.if(key, "Create", "==", 0) : client.if(key, "Value", "==", from);
      const { succeeded } = await compared.then(client.put(key).value(to)).commit();
      return { result: succeeded };
    });
  }

  private fresh(): string {
    return `v${this.written++}`;
  }

  /** Makes a call and writes down what came of it; false if nothing did. */
  private async record(
    name: string,
    request: Request,
    call: () => Promise<Answer>,
  ): Promise<boolean> {
    const token = this.recorder.invoke(name, request, now());
    try {
      const answer = await call();
      this.recorder.complete(token, now(), answer);
      return true;
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === undefined) throw error;
      if (outcome === "never") this.recorder.fail(token, now());
      else this.recorder.info(token);
      return false;
    }
  }
}
