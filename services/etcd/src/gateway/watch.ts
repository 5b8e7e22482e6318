/**
 * The Watch service: one stream carries many watchers, created and cancelled by
 * the client; events of one revision stay together.
 */

import { type CallHandler, type ServerCall, Status } from "@quorate/grpc";

import { type Event } from "../store/changes.ts";
import { type EtcdStore } from "../store/store.ts";
import { binaryOf, bytesOf } from "../wire/binary.ts";
import { type KeyValue } from "../wire/kv.ts";
import { type KeyValueMessage } from "../wire/kv-messages.ts";
import {
  type EventMessage,
  type WatchCreateRequest,
  type WatchResponse,
  watchRequest,
  watchResponse,
} from "../wire/watch-messages.ts";
import { type Headers } from "./headers.ts";
import { type Watcher, type WatchHub, type WatchTarget } from "./watch-hub.ts";

export interface WatchOptions {
  readonly store: EtcdStore;
  readonly hub: WatchHub;
  readonly headers: Headers;
  /** Responses beyond this are split, for clients that asked for it. Bytes. */
  readonly fragmentBytes: number;
  /** How often idle watchers that asked for it hear of the present revision. */
  readonly progressMs: number;
}

/** A stream with more than this unsent gets nothing new until it drains. */
const UNSENT_BYTES = 1 << 20;
const FILTER_NO_PUT = 0;
const FILTER_NO_DELETE = 1;

/** A watcher and the stream it belongs to. */
class StreamWatcher implements Watcher {
  readonly id: number;
  readonly target: WatchTarget;
  readonly fragment: boolean;
  readonly progressNotify: boolean;
  next: number;
  /** Whether it was told anything since the last round of progress notifications. */
  quiet = false;
  private readonly stream: WatchStream;

  constructor(stream: WatchStream, id: number, request: WatchCreateRequest, next: number) {
    this.stream = stream;
    this.id = id;
    this.fragment = request.fragment;
    this.progressNotify = request.progressNotify;
    this.next = next;
    this.target = {
      key: request.key.length === 0 ? "\0" : binaryOf(request.key),
      rangeEnd: binaryOf(request.rangeEnd),
      prevKv: request.prevKv,
      hidePuts: request.filters.includes(FILTER_NO_PUT),
      hideDeletes: request.filters.includes(FILTER_NO_DELETE),
    };
  }

  get ready(): boolean {
    return this.stream.hasRoom;
  }

  deliver(events: readonly Event[], revision: number): void {
    this.quiet = false;
    this.stream.deliver(this, events, revision);
  }

  lost(compactRevision: number): void {
    this.stream.lost(this, compactRevision);
  }
}

export class WatchStream implements CallHandler {
  private readonly call: ServerCall;
  private readonly options: WatchOptions;
  private readonly watchers = new Map<number, StreamWatcher>();
  private nextId = 0;
  private progressWanted = false;
  private readonly onClose: (stream: WatchStream) => void;

  constructor(call: ServerCall, options: WatchOptions, onClose: (stream: WatchStream) => void) {
    this.call = call;
    this.options = options;
    this.onClose = onClose;
    call.onCancel = () => this.close();
    call.onDrain = () => this.resume();
    call.sendHeaders();
  }

  get hasRoom(): boolean {
    return this.call.writableBytes() < UNSENT_BYTES;
  }

  onMessage(message: Buffer): void {
    const { requestUnion: request } = watchRequest.decode(message);
    switch (request?.type) {
      case "createRequest":
        return this.create(request.value);
      case "cancelRequest":
        return this.cancel(request.value.watchId);
      case "progressRequest":
        this.progressWanted = true;
        return this.answerProgress();
      case undefined:
    }
  }

  onEnd(): void {
    this.call.finish(Status.ok);
    this.close();
  }

  /** Ends the stream because the server stops. */
  end(): void {
    this.call.finish(Status.unavailable, "etcdserver: server stopped");
    this.close();
  }

  private create(request: WatchCreateRequest): void {
    const { store, hub } = this.options;
    const id = request.watchId === 0 ? this.freeId() : request.watchId;
    if (this.watchers.has(id)) {
      const cancelReason = "mvcc: duplicate watch ID provided on the WatchStream";
      return this.send({ watchId: -1, created: true, canceled: true, cancelReason });
    }
    // An end below the key is an empty range, and an error to etcd; one equal to it likewise.
    const end = binaryOf(request.rangeEnd);
    if (end !== "" && end !== "\0" && binaryOf(request.key) >= end) {
      return this.send({ watchId: -1, created: true, canceled: true });
    }
    const start = request.startRevision > 0 ? request.startRevision : store.revision + 1;
    const watcher = new StreamWatcher(this, id, request, start);
    this.watchers.set(id, watcher);
    this.send({ watchId: id, created: true });
    hub.add(watcher);
  }

  private freeId(): number {
    while (this.watchers.has(this.nextId)) this.nextId++;
    return this.nextId++;
  }

  private cancel(id: number): void {
    const watcher = this.watchers.get(id);
    if (watcher === undefined) return;
    this.watchers.delete(id);
    this.options.hub.remove(watcher);
    this.send({ watchId: id, canceled: true });
  }

  lost(watcher: StreamWatcher, compactRevision: number): void {
    this.watchers.delete(watcher.id);
    this.send({ watchId: watcher.id, canceled: true, compactRevision });
  }

  deliver(watcher: StreamWatcher, events: readonly Event[], revision: number): void {
    const watchId = watcher.id;
    const messages = events.map(eventMessageOf);
    if (watcher.fragment) {
      const pieces = split(messages, this.options.fragmentBytes);
      for (const [i, piece] of pieces.entries()) {
        this.send({ watchId, events: piece, fragment: i < pieces.length - 1 }, revision);
      }
    } else {
      this.send({ watchId, events: messages }, revision);
    }
    if (this.progressWanted) this.answerProgress();
  }

  /** All watchers of the stream have seen everything before the answer (etcd issue 15220). */
  answerProgress(): void {
    if (!this.progressWanted) return;
    for (const watcher of this.watchers.values()) {
      if (!this.options.hub.isSynced(watcher)) return;
    }
    this.progressWanted = false;
    this.send({ watchId: -1 });
  }

  /** Tells idle watchers that asked for it how far they have seen. */
  notifyProgress(): void {
    for (const watcher of this.watchers.values()) {
      if (watcher.progressNotify && watcher.quiet && this.options.hub.isSynced(watcher)) {
        this.send({ watchId: watcher.id });
      }
      watcher.quiet = true;
    }
  }

  private resume(): void {
    for (const watcher of this.watchers.values()) this.options.hub.resume(watcher);
  }

  private send(response: Partial<WatchResponse>, revision?: number): void {
    const header = this.options.headers.at(revision ?? this.options.store.revision);
    this.call.send(watchResponse.toBytes(watchResponse.create({ header, ...response })));
  }

  private close(): void {
    for (const watcher of this.watchers.values()) this.options.hub.remove(watcher);
    this.watchers.clear();
    this.onClose(this);
  }
}

/** All watch streams of a server. */
export class WatchService {
  private readonly options: WatchOptions;
  private readonly streams = new Set<WatchStream>();
  private readonly progress: NodeJS.Timeout;

  constructor(options: WatchOptions) {
    this.options = options;
    this.progress = setInterval(() => {
      for (const stream of this.streams) stream.notifyProgress();
    }, options.progressMs);
    this.progress.unref();
  }

  get size(): number {
    return this.streams.size;
  }

  open(call: ServerCall): CallHandler {
    const stream = new WatchStream(call, this.options, (closed) => this.streams.delete(closed));
    this.streams.add(stream);
    return stream;
  }

  /** Everything applied has been handed out: progress that was asked for can be told. */
  afterAdvance(): void {
    for (const stream of this.streams) stream.answerProgress();
  }

  close(): void {
    clearInterval(this.progress);
    for (const stream of this.streams) stream.end();
  }
}

function eventMessageOf({ type, kv, prevKv }: Event): EventMessage {
  return {
    type: type === "put" ? 0 : 1,
    kv: keyValueMessageOf(kv),
    prevKv: prevKv === undefined ? undefined : keyValueMessageOf(prevKv),
  };
}

export function keyValueMessageOf(kv: KeyValue): KeyValueMessage {
  return { ...kv, key: bytesOf(kv.key) };
}

/** Cuts events into pieces of about `limit` bytes, each of at least one event. */
function split(
  events: readonly EventMessage[],
  limit: number,
): readonly (readonly EventMessage[])[] {
  const pieces: EventMessage[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    const size = sizeOf(event.kv) + sizeOf(event.prevKv);
    if (bytes + size > limit && pieces.at(-1)!.length > 0) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)!.push(event);
    bytes += size;
  }
  return pieces;
}

function sizeOf(kv: KeyValueMessage | undefined): number {
  return kv === undefined ? 0 : kv.key.length + kv.value.length + 48;
}
