/** A cluster of three members in this process, and a client that is not ours. No tests in here. */

import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { type MessageCodec } from "@quorate/grpc";
import { type Address, type Group, Node } from "@quorate/host";

import { type EtcdResult } from "../store/results.ts";
import { EtcdStore } from "../store/store.ts";
import { bytesOf } from "../wire/binary.ts";
import {
  compactionRequestMessage,
  compactionResponseMessage,
  deleteRangeRequestMessage,
  deleteRangeResponseMessage,
  leaseGrantRequest,
  leaseGrantResponse,
  leaseKeepAliveRequest,
  leaseKeepAliveResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
  type PutRequestMessage,
  putRequestMessage,
  putResponseMessage,
  type RangeRequestMessage,
  rangeRequestMessage,
  rangeResponseMessage,
  type WatchCreateRequest,
  watchCreateRequest,
  type WatchRequest,
  watchRequest,
  type WatchResponse,
  watchResponse,
} from "../wire/index.ts";
import { EtcdServer, type EtcdServerOptions } from "./server.ts";

export interface Member {
  readonly name: string;
  readonly node: Node;
  readonly group: Group<EtcdResult>;
  readonly store: EtcdStore;
  readonly server: EtcdServer;
  /** Where clients are served. */
  readonly address: Address;
}

type ServerOptions = Omit<EtcdServerOptions, "node" | "group" | "store" | "members">;

export class TestCluster {
  readonly members = new Map<string, Member>();
  private readonly directory: string;
  private readonly addresses: ReadonlyMap<string, Address>;
  private readonly options: ServerOptions;
  private readonly clients: EtcdClient[] = [];

  private constructor(
    directory: string,
    addresses: ReadonlyMap<string, Address>,
    options: ServerOptions,
  ) {
    this.directory = directory;
    this.addresses = addresses;
    this.options = options;
  }

  static async start(names: readonly string[], options: ServerOptions = {}): Promise<TestCluster> {
    const directory = await mkdtemp(path.join(tmpdir(), "quorate-etcd-"));
    const addresses = new Map<string, Address>();
    for (const name of names) addresses.set(name, { host: "127.0.0.1", port: await freePort() });
    const cluster = new TestCluster(directory, addresses, options);
    await Promise.all(names.map((name) => cluster.startMember(name)));
    await cluster.leader();
    return cluster;
  }

  async startMember(name: string): Promise<Member> {
    const { addresses, directory } = this;
    const node = new Node({
      name,
      members: addresses,
      dataDir: path.join(directory, name),
      onFatal: (error) => {
        throw error;
      },
    });
    const store = new EtcdStore();
    const group = node.replicate({
      id: 1,
      name: "etcd",
      machine: store,
      // Patient: on a busy machine a leader that is not scheduled for a while is not dead.
      log: { electionMs: 1000, heartbeatMs: 100 },
    });
    const members = new Map(
      [...addresses].map(([each, { host, port }]) => [
        each,
        { peerUrls: [`http://${host}:${port}`], clientUrls: [`http://${each}:2379`] },
      ]),
    );
    const server = new EtcdServer({ node, group, store, members, ...this.options });
    await node.start();
    const address = await server.listen({ host: "127.0.0.1", port: 0 });
    const member = { name, node, group, store, server, address };
    this.members.set(name, member);
    return member;
  }

  member(name: string): Member {
    const member = this.members.get(name);
    if (member === undefined) throw new RangeError(`${name} does not run`);
    return member;
  }

  /** The member that all running ones take for the leader. */
  async leader(): Promise<Member> {
    for (;;) {
      const running = [...this.members.values()];
      const leader = running.find(({ group }) => group.isLeader);
      const agreed = running.every(({ group }) => group.log.leader === leader?.name);
      if (leader !== undefined && agreed) return leader;
      await delay(10);
    }
  }

  async follower(): Promise<Member> {
    const leader = await this.leader();
    return [...this.members.values()].find((member) => member !== leader)!;
  }

  client(member: Member): EtcdClient {
    const client = new EtcdClient(member.address);
    this.clients.push(client);
    return client;
  }

  /** Stops a member; `graceMs` 1 is as good as pulling the plug. */
  async stop({ name, node, server }: Member, graceMs = 1): Promise<void> {
    this.members.delete(name);
    await node.stop({ graceMs });
    await server.close(0);
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await Promise.all([...this.members.values()].map((member) => this.stop(member)));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** What a stream has received and nobody has looked at yet. */
export class Stream<Request, Response> {
  private readonly call: ClientDuplexStream<Request, Response>;
  private readonly received: Response[] = [];
  private wake: (() => void) | undefined;
  private failure: ServiceError | undefined;
  private ended = false;

  constructor(call: ClientDuplexStream<Request, Response>) {
    this.call = call;
    const changed = (change: () => void): void => {
      change();
      this.wake?.();
    };
    call.on("data", (response: Response) => changed(() => this.received.push(response)));
    call.on("error", (error: ServiceError) => changed(() => (this.failure = error)));
    call.on("end", () => changed(() => (this.ended = true)));
  }

  write(request: Request): void {
    this.call.write(request);
  }

  /** Says that there is nothing more to ask. */
  finish(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.on("error", () => {});
    this.call.cancel();
  }

  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  /** The next response; `undefined` at the end. */
  async next(): Promise<Response | undefined> {
    for (;;) {
      if (this.received.length > 0) return this.received.shift();
      if (this.failure !== undefined) throw this.failure;
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Whether something has been received and not been looked at. */
  get hasNext(): boolean {
    return this.received.length > 0;
  }
}

export class WatchClient extends Stream<WatchRequest, WatchResponse> {
  /** Asks for a watcher, by its key as a string. */
  create(key: string, request: Partial<WatchCreateRequest> = {}): void {
    const value = watchCreateRequest.create({ key: bytesOf(key), ...request });
    this.write({ requestUnion: { type: "createRequest", value } });
  }

  cancelWatch(watchId: number): void {
    this.write({ requestUnion: { type: "cancelRequest", value: { watchId } } });
  }

  requestProgress(): void {
    this.write({ requestUnion: { type: "progressRequest", value: {} } });
  }

  async response(): Promise<WatchResponse> {
    const response = await this.next();
    if (response === undefined) throw new Error("the stream has ended");
    return response;
  }

  /** The next `count` events of any watcher, as `id put key@revision`. */
  async events(count: number): Promise<string[]> {
    const events: string[] = [];
    while (events.length < count) {
      const { watchId, events: some } = await this.response();
      for (const { type, kv } of some) {
        const key = Buffer.from(kv!.key).toString("latin1");
        events.push(`${watchId} ${type === 0 ? "put" : "delete"} ${key}@${kv!.modRevision}`);
      }
    }
    return events;
  }
}

export class EtcdClient {
  private readonly client: Client;

  constructor({ host, port }: Address) {
    this.client = new Client(`${host}:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
  }

  call<Request, Response>(
    method: string,
    requests: MessageCodec<Request>,
    responses: MessageCodec<Response>,
    request: Partial<Request>,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        `/etcdserverpb.${method}`,
        (value: Request) => Buffer.from(requests.toBytes(value)),
        (bytes) => responses.decode(bytes),
        requests.create(request),
        metadataOf(metadata),
        (error, response) => {
          if (error === null) resolve(response!);
          else reject(error);
        },
      );
    });
  }

  open<Request, Response>(
    method: string,
    requests: MessageCodec<Request>,
    responses: MessageCodec<Response>,
    metadata: Readonly<Record<string, string>> = {},
  ): ClientDuplexStream<Request, Response> {
    return this.client.makeBidiStreamRequest(
      `/etcdserverpb.${method}`,
      (value: Request) => Buffer.from(requests.toBytes(value)),
      (bytes) => responses.decode(bytes),
      metadataOf(metadata),
    );
  }

  put(key: string, value: string | Uint8Array, more: Partial<PutRequestMessage> = {}) {
    const request = { key: bytesOf(key), value: Buffer.from(value), ...more };
    return this.call("KV/Put", putRequestMessage, putResponseMessage, request);
  }

  range(key: string, more: Partial<RangeRequestMessage> = {}, metadata = {}) {
    const request = { key: bytesOf(key), ...more };
    return this.call("KV/Range", rangeRequestMessage, rangeResponseMessage, request, metadata);
  }

  delete(key: string, rangeEnd = "") {
    const request = { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd) };
    return this.call(
      "KV/DeleteRange",
      deleteRangeRequestMessage,
      deleteRangeResponseMessage,
      request,
    );
  }

  compact(revision: number, physical = false) {
    const request = { revision, physical };
    return this.call("KV/Compact", compactionRequestMessage, compactionResponseMessage, request);
  }

  grant(ttl: number, id = "") {
    return this.call("Lease/LeaseGrant", leaseGrantRequest, leaseGrantResponse, { ttl, id });
  }

  timeToLive(id: string, keys = false) {
    const request = { id, keys };
    return this.call(
      "Lease/LeaseTimeToLive",
      leaseTimeToLiveRequest,
      leaseTimeToLiveResponse,
      request,
    );
  }

  watch(metadata = {}): WatchClient {
    return new WatchClient(this.open("Watch/Watch", watchRequest, watchResponse, metadata));
  }

  keepAlive(metadata = {}) {
    const method = "Lease/LeaseKeepAlive";
    return new Stream(this.open(method, leaseKeepAliveRequest, leaseKeepAliveResponse, metadata));
  }

  close(): void {
    this.client.close();
  }
}

function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
