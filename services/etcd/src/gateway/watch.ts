/** The Watch service: all watch streams of a server. */

import { type ServerCall } from "@quorate/grpc";

import { type EtcdStore } from "../store/store.ts";
import { type Clock } from "./clock.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate, type StreamHandler } from "./leader-gate.ts";
import { WatchHub } from "./watch-hub.ts";
import { type StreamOwner, WatchStream, type WatchStreamOptions } from "./watch-stream.ts";

export interface WatchLimits extends Pick<
  WatchStreamOptions,
  "fragmentBytes" | "watchersPerStream"
> {
  /** How often idle watchers that asked for it hear of the present revision. */
  readonly progressMs: number;
}

export class WatchService implements StreamOwner {
  readonly hub: WatchHub;
  private readonly store: EtcdStore;
  private readonly options: WatchStreamOptions;
  private readonly streams = new Set<WatchStream>();
  /** Streams that were asked for progress and could not answer yet. */
  private readonly owing = new Set<WatchStream>();
  private readonly stopNotifying: () => void;

  constructor(store: EtcdStore, headers: Headers, limits: WatchLimits, clock: Clock) {
    this.store = store;
    this.hub = new WatchHub(store, () => this.onSettled());
    // Whoever has seen everything is shown the rest before it becomes unreadable.
    store.beforeCompaction = () => this.hub.advance();
    const { fragmentBytes, watchersPerStream } = limits;
    this.options = { store, hub: this.hub, headers, fragmentBytes, watchersPerStream };
    this.stopNotifying = clock.every(limits.progressMs, () => {
      for (const stream of this.streams) stream.notifyProgress();
    });
  }

  register(gate: LeaderGate): void {
    gate.stream("/etcdserverpb.Watch/Watch", (call) => this.open(call));
  }

  /** Open streams. */
  get size(): number {
    return this.streams.size;
  }

  onProgressWanted(stream: WatchStream): void {
    this.owing.add(stream);
  }

  onClosed(stream: WatchStream): void {
    this.streams.delete(stream);
    this.owing.delete(stream);
  }

  /** @param message - What clients are told. */
  close(message: string): void {
    this.stopNotifying();
    this.store.beforeCompaction = undefined;
    for (const stream of this.streams) stream.end(message);
    this.hub.close();
  }

  private open(call: ServerCall): StreamHandler {
    const stream = new WatchStream(call, this.options, this);
    this.streams.add(stream);
    return stream;
  }

  private onSettled(): void {
    for (const stream of this.owing) if (stream.answerProgress()) this.owing.delete(stream);
  }
}
