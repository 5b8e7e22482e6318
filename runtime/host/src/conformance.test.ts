/**
 * The kernel's conformance suite on the production drivers: real connections,
 * a real log on a real disk, wall time. A crash drops the driver and the log
 * without closing them, and starts anew from a copy of the bytes that were
 * reported durable.
 */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { suite, test } from "node:test";

import { type NodeId, type Process, type RequestId } from "@quorate/kernel";
import {
  conformance,
  letterCodec,
  lineCodec,
  type Driver as ConformanceDriver,
  type ScriptWords,
  type Seen,
  type World,
} from "@quorate/kernel/conformance";
import { decode } from "@quorate/kernel";
import { Wal } from "@quorate/storage";

import { Driver } from "./driver.ts";
import { type Address, Transport } from "./transport/transport.ts";
import { Turn } from "./turn.ts";

const PATIENCE_MS = 20_000;
const GROUP = 1;

type Create = (node: NodeId) => Process<ScriptWords>;

/** One life of a node: everything a crash takes away. */
interface Life {
  readonly driver: Driver<ScriptWords>;
  readonly wal: Wal;
  readonly transport: Transport;
  over: boolean;
}

class RealNode {
  readonly seen: Seen[] = [];
  life: Life | undefined;
  held = false;
  /** Durable places that the driver is not told of while the disk is held. */
  private readonly unheard: (() => void)[] = [];
  private readonly world: RealWorld;
  private readonly id: NodeId;
  private lives = 0;
  private address: Address | undefined;

  constructor(world: RealWorld, id: NodeId) {
    this.world = world;
    this.id = id;
  }

  private get directory(): string {
    return path.join(this.world.directory, `${this.id}-${this.lives}`);
  }

  /** Takes an address, before anyone needs it. */
  async settle(): Promise<Address> {
    const transport = this.transport(new Turn(), { host: "127.0.0.1", port: 0 }, new Map());
    this.address = await transport.listen();
    await transport.close();
    return this.address;
  }

  async start(): Promise<void> {
    const turn = new Turn();
    const recovered: Uint8Array[] = [];
    const life = { over: false } as { -readonly [K in keyof Life]: Life[K] };
    life.wal = await Wal.open(
      {
        directory: this.directory,
        segmentBytes: 64 << 10,
        onDurable: (place) =>
          this.tell(() => {
            if (!life.over) life.driver.onDurable(place);
          }),
        onFailure: (error) => this.world.fail(error),
      },
      (_group, record) => recovered.push(record.slice()),
    );
    const peers = new Map([...this.world.addresses].filter(([id]) => id !== this.id));
    life.transport = this.transport(turn, this.address!, peers);
    life.driver = new Driver<ScriptWords>({
      self: this.id,
      group: GROUP,
      process: this.world.create(this.id),
      messages: letterCodec,
      records: lineCodec,
      log: {
        append: (group, record) => life.wal.append(group, record),
        flush: () => {
          if (!this.held) life.wal.flush();
        },
        checkpoint: (group, records) => life.wal.checkpoint(group, records),
      },
      transport: life.transport,
      turn,
      onOutput: (output) => this.seen.push({ type: "output", output }),
      onNote: (note) => this.seen.push({ type: "note", note }),
      onFatal: (error) => this.world.fail(error),
      stopped: undefined as never,
    });
    life.transport.register(GROUP, {
      accept: (from, reader) => life.driver.receive(from, letterCodec.read(reader)),
    });
    await life.transport.listen();
    for (const record of recovered) life.driver.recover(decode(lineCodec, record));
    this.life = life;
    life.transport.connect();
    life.driver.start();
  }

  /** What is not durable yet is lost: the next life gets a copy of the files as they are now. */
  async crash(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    this.life = undefined;
    life.over = true;
    life.driver.abandon();
    const from = this.directory;
    this.lives++;
    cpSync(from, this.directory, { recursive: true });
    await life.transport.close();
    this.world.leftBehind.push(life.wal);
  }

  release(): void {
    this.held = false;
    for (const tell of this.unheard.splice(0)) tell();
    this.life?.wal.flush();
  }

  private tell(durable: () => void): void {
    if (this.held) this.unheard.push(durable);
    else durable();
  }

  private transport(turn: Turn, listen: Address, peers: ReadonlyMap<NodeId, Address>): Transport {
    return new Transport({
      identity: { node: this.id, cluster: "conformance", directory: this.id },
      listen,
      peers,
      known: { meet: (_node, directory) => directory },
      departure: () => undefined,
      turn,
      frameBytes: 64 << 20,
      onPeer: (peer, state) => {
        if (state === "unreachable") this.life?.driver.unreachable(peer);
      },
      onRefused: () => {},
      onMisbehaviour: () => {},
    });
  }
}

class RealWorld implements World {
  readonly directory = mkdtempSync(path.join(tmpdir(), "quorate-conformance-"));
  readonly addresses = new Map<NodeId, Address>();
  readonly create: Create;
  /** Logs of lives that are over: closed with the world, lest their files be written meanwhile. */
  readonly leftBehind: Wal[] = [];
  private readonly nodes = new Map<NodeId, RealNode>();
  private requests: RequestId = 0;
  private failure: Error | undefined;

  static async open(ids: readonly NodeId[], create: Create): Promise<RealWorld> {
    const world = new RealWorld(create);
    for (const id of ids) world.nodes.set(id, new RealNode(world, id));
    for (const [id, node] of world.nodes) world.addresses.set(id, await node.settle());
    for (const node of world.nodes.values()) await node.start();
    return world;
  }

  private constructor(create: Create) {
    this.create = create;
  }

  fail(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  request(id: NodeId, program: ScriptWords["Request"], onReply?: () => void): RequestId {
    const node = this.node(id);
    const request = ++this.requests;
    node.life?.driver.request(program, (response) => {
      node.seen.push({ type: "reply", request, response });
      onReply?.();
    });
    return request;
  }

  crash(id: NodeId): Promise<void> {
    return this.node(id).crash();
  }

  start(id: NodeId): Promise<void> {
    return this.node(id).start();
  }

  holdDisk(id: NodeId): void {
    this.node(id).held = true;
  }

  releaseDisk(id: NodeId): void {
    this.node(id).release();
  }

  async until(holds: () => boolean): Promise<boolean> {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      if (this.failure !== undefined) throw this.failure;
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }

  seen(id: NodeId): readonly Seen[] {
    return this.node(id).seen;
  }

  async close(): Promise<void> {
    for (const { life } of this.nodes.values()) {
      if (life === undefined) continue;
      life.over = true;
      life.driver.abandon();
      await life.transport.close();
      await life.wal.close();
    }
    for (const wal of this.leftBehind) await wal.close();
    rmSync(this.directory, { recursive: true });
  }

  private node(id: NodeId): RealNode {
    return this.nodes.get(id)!;
  }
}

const production: ConformanceDriver = {
  holdsDisk: true,
  open: (nodes, create) => RealWorld.open(nodes, create),
};

suite("the production driver keeps the contract", () => {
  for (const one of conformance) {
    test(`${one.duty}: ${one.title}`, () => one.run(production));
  }
});
