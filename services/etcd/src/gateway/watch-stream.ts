/**
 * One stream of the Watch service: it carries many watchers, created and
 * cancelled by the client. Events of one revision stay together.
 *
 * A client that does not read is not sent to: its watchers wait, and go on from
 * where they were when it reads again. Nor is it listened to any further.
 */

import { type ServerCall, Status } from "@quorate/grpc";
import { Writer } from "@quorate/kernel";

import { type Event } from "../store/changes.ts";
import { type EtcdStore } from "../store/store.ts";
import { binaryOf, NO_END } from "../wire/binary.ts";
import {
  type WatchCreateRequest,
  watchRequest,
  type WatchResponse,
  watchResponse,
} from "../wire/watch-messages.ts";
import { eventLength, type WatchBatch, writeWatchEvents } from "../wire/watch-responses.ts";
import { type Headers } from "./headers.ts";
import { type StreamHandler } from "./leader-gate.ts";
import { type Watcher, type WatchHub, type WatchTarget } from "./watch-hub.ts";

export interface WatchStreamOptions {
  readonly store: EtcdStore;
  readonly hub: WatchHub;
  readonly headers: Headers;
  /** Responses of this many bytes are split, for clients that asked for it. */
  readonly fragmentBytes: number;
  /** Watchers that one stream may have. */
  readonly watchersPerStream: number;
}

/** What a stream tells the service it belongs to. */
export interface StreamOwner {
  /** It wants to answer a request for progress, as soon as all its watchers have seen everything. */
  onProgressWanted(stream: WatchStream): void;
  onClosed(stream: WatchStream): void;
}

/** A stream with more than this unsent gets nothing new until it drains. */
const UNSENT_BYTES = 1 << 20;
const FILTER_NO_PUT = 0;
const FILTER_NO_DELETE = 1;

const DUPLICATE_ID = "mvcc: duplicate watch ID provided on the WatchStream";
const EMPTY_RANGE = "mvcc: watcher range is empty";
/** etcd has no such limit, and no words for it. */
const TOO_MANY = "etcdserver: too many watchers on one stream";

/** A watcher and the stream it belongs to. */
class StreamWatcher implements Watcher {
  readonly id: number;
  readonly target: WatchTarget;
  readonly fragment: boolean;
  readonly progressNotify: boolean;
  next: number;
  /** Whether it was told nothing since the last round of progress notifications. */
  quiet = true;
  private readonly stream: WatchStream;

  constructor(stream: WatchStream, id: number, request: WatchCreateRequest, next: number) {
    this.stream = stream;
    this.id = id;
    this.fragment = request.fragment;
    this.progressNotify = request.progressNotify;
    this.next = next;
    this.target = {
      key: keyOf(request),
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

export class WatchStream implements StreamHandler {
  private readonly call: ServerCall;
  private readonly options: WatchStreamOptions;
  private readonly owner: StreamOwner;
  private readonly watchers = new Map<number, StreamWatcher>();
  /** Ids below have been given, or taken by the client. */
  private nextId = 0;
  private closed = false;

  constructor(call: ServerCall, options: WatchStreamOptions, owner: StreamOwner) {
    this.call = call;
    this.options = options;
    this.owner = owner;
    call.onCancel = () => this.close();
    call.onDrain = () => this.resume();
    call.sendHeaders();
  }

  get hasRoom(): boolean {
    return this.call.writableBytes() < UNSENT_BYTES;
  }

  onMessage(message: Buffer): void {
    try {
      this.onRequest(message);
    } catch (error) {
      // The call is about to be ended on account of it.
      this.close();
      throw error;
    }
    if (!this.hasRoom) this.call.hold();
  }

  /** A client that has no more to ask goes on listening. */
  onEnd(): void {}

  end(message: string): void {
    this.call.finish(Status.unavailable, message);
    this.close();
  }

  private onRequest(message: Buffer): void {
    const { requestUnion: request } = watchRequest.decode(message);
    switch (request?.type) {
      case "createRequest":
        return this.create(request.value);
      case "cancelRequest":
        return this.cancel(request.value.watchId);
      case "progressRequest":
        if (!this.answerProgress()) this.owner.onProgressWanted(this);
        return;
      case undefined:
    }
  }

  private create(request: WatchCreateRequest): void {
    const { store, hub, watchersPerStream } = this.options;
    const end = binaryOf(request.rangeEnd);
    if (end !== "" && end !== NO_END && keyOf(request) >= end) return this.refuse(EMPTY_RANGE);
    if (this.watchers.has(request.watchId) && request.watchId !== 0) {
      return this.refuse(DUPLICATE_ID);
    }
    if (this.watchers.size >= watchersPerStream) return this.refuse(TOO_MANY);
    const id = request.watchId === 0 ? this.freeId() : request.watchId;
    const watcher = new StreamWatcher(this, id, request, startOf(request, store));
    this.watchers.set(id, watcher);
    this.send({ watchId: id, created: true });
    hub.add(watcher);
  }

  private refuse(cancelReason: string): void {
    this.send({ watchId: -1, created: true, canceled: true, cancelReason });
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
    if (!this.watchers.delete(watcher.id)) return;
    this.send({ watchId: watcher.id, canceled: true, compactRevision });
  }

  deliver(
    { id, target, fragment }: StreamWatcher,
    events: readonly Event[],
    revision: number,
  ): void {
    if (this.closed) return;
    const batch = { watchId: id, events, prevKv: target.prevKv };
    let start = 0;
    if (fragment) {
      for (;;) {
        const end = pieceEnd(batch, start, this.options.fragmentBytes);
        if (end === events.length) break;
        this.sendEvents(batch, start, end, revision);
        start = end;
      }
    }
    this.sendEvents(batch, start, events.length, revision);
  }

  /**
   * Says how far the stream's watchers have seen, if that is all there is (etcd's issue 15220).
   * Returns false if it is not yet.
   */
  answerProgress(): boolean {
    for (const watcher of this.watchers.values()) {
      if (!this.options.hub.hasSeenAll(watcher)) return false;
    }
    this.send({ watchId: -1 });
    return true;
  }

  /** Tells idle watchers that asked for it how far they have seen. */
  notifyProgress(): void {
    for (const watcher of this.watchers.values()) {
      if (!watcher.progressNotify) continue;
      const { quiet } = watcher;
      watcher.quiet = true;
      if (quiet && this.hasRoom && this.options.hub.hasSeenAll(watcher)) {
        this.send({ watchId: watcher.id });
      }
    }
  }

  private resume(): void {
    this.call.release();
    for (const watcher of this.watchers.values()) this.options.hub.resume(watcher);
  }

  private send(response: Partial<WatchResponse>): void {
    const { headers, store } = this.options;
    const header = headers.at(store.revision);
    this.call.send(watchResponse.toBytes(watchResponse.create({ header, ...response })));
  }

  private sendEvents(batch: WatchBatch, start: number, end: number, revision: number): void {
    const writer = new Writer();
    const header = this.options.headers.encodedAt(revision);
    writeWatchEvents(writer, header, batch, start, end, end < batch.events.length);
    this.call.send(writer.bytes, 0, writer.length);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const watcher of this.watchers.values()) this.options.hub.remove(watcher);
    this.watchers.clear();
    this.owner.onClosed(this);
  }
}

/** No key stands for the least there is. */
function keyOf({ key }: WatchCreateRequest): string {
  return key.length === 0 ? "\0" : binaryOf(key);
}

/** The first revision of interest. etcd takes a negative one for 0 as long as nothing was compacted. */
function startOf({ startRevision }: WatchCreateRequest, store: EtcdStore): number {
  const isNext =
    startRevision <= 0 && (startRevision === 0 || startRevision >= store.compactRevision);
  return isNext ? store.revision + 1 : startRevision;
}

/** Where a piece of at most about `limit` bytes, but of at least one event, ends. */
function pieceEnd({ events, prevKv }: WatchBatch, start: number, limit: number): number {
  let bytes = 0;
  for (let at = start; at < events.length; at++) {
    bytes += eventLength(events[at]!, prevKv);
    if (bytes >= limit && at > start) return at;
  }
  return events.length;
}
