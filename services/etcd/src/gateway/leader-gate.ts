/**
 * How methods are served: refuses at once what a client wants refused while
 * this member knows no leader (metadata `hasleader: true`), and ends that
 * client's streams when there has been none for a while, so that it looks for
 * another member. Answers requests that are no messages, too.
 */

import {
  type CallHandler,
  type GrpcServer,
  type ServerCall,
  Status,
  type UnaryHandler,
} from "@quorate/grpc";
import { MalformedInput } from "@quorate/kernel";

import { type Clock } from "./clock.ts";

/** Handles a stream that the server may have to end. */
export interface StreamHandler extends CallHandler {
  /** Ends the stream with `unavailable`. */
  end(message: string): void;
}

/** What a client is told while there is no leader, as etcd puts it. */
const NO_LEADER = "etcdserver: no leader";
/** Ticks without a leader after which streams end, as in etcd. */
const PATIENCE = 3;

const refused: StreamHandler = { onMessage: () => {}, onEnd: () => {}, end: () => {} };

export class LeaderGate {
  private readonly server: GrpcServer;
  private readonly hasLeader: () => boolean;
  /** Open streams whose clients want a leader; ended ones stay until the next tick. */
  private readonly streams = new Map<ServerCall, StreamHandler>();
  private readonly stopWatching: () => void;
  private leaderless = 0;

  /** @param tickMs - A third of the time that streams outlive their leader. */
  constructor(server: GrpcServer, hasLeader: () => boolean, tickMs: number, clock: Clock) {
    this.server = server;
    this.hasLeader = hasLeader;
    this.stopWatching = clock.every(tickMs, () => this.tick());
  }

  unary(path: string, handler: UnaryHandler): void {
    this.server.unary(path, (call, message) => {
      if (this.refuses(call)) return;
      try {
        handler(call, message);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        call.finish(Status.internal, `grpc: error unmarshalling request: ${error.message}`);
      }
    });
  }

  stream(path: string, open: (call: ServerCall) => StreamHandler): void {
    this.server.stream(path, (call) => {
      if (this.refuses(call)) return refused;
      const handler = open(call);
      if (wantsLeader(call)) this.streams.set(call, handler);
      return handler;
    });
  }

  close(): void {
    this.stopWatching();
    this.streams.clear();
  }

  private refuses(call: ServerCall): boolean {
    if (this.hasLeader() || !wantsLeader(call)) return false;
    call.finish(Status.unavailable, NO_LEADER);
    return true;
  }

  private tick(): void {
    this.leaderless = this.hasLeader() ? 0 : this.leaderless + 1;
    for (const [call, handler] of this.streams) {
      if (!call.done && this.leaderless < PATIENCE) continue;
      this.streams.delete(call);
      if (!call.done) handler.end(NO_LEADER);
    }
  }
}

function wantsLeader(call: ServerCall): boolean {
  return call.metadata("hasleader") === "true";
}
