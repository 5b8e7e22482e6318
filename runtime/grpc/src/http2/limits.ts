/** What a connection grants its peer, and what it does not put up with. */

import { ConnectionError, Http2Code } from "./protocol.ts";

/** Limits of a connection; all sizes in bytes, all times in milliseconds. */
export interface Http2Limits {
  /** Streams a client may have open (MAX_CONCURRENT_STREAMS). Default 4096. */
  readonly maxConcurrentStreams: number;
  /** Window of each stream for what the client sends. Default 1 MiB, at least 65,535. */
  readonly streamWindow: number;
  /** Window of the connection for what the client sends. Default 8 MiB, at least 65,535. */
  readonly connectionWindow: number;
  /** Largest frame accepted (MAX_FRAME_SIZE). Default 16,384, which is also the least. */
  readonly maxFrameBytes: number;
  /** Largest header list accepted, by RFC 9113 §10.5.1; also bounds the encoded block. Default 64 KiB. */
  readonly headerListBytes: number;
  /** Output given to the socket and not yet taken by the peer; beyond it we stop reading. Default 1 MiB. */
  readonly transportBytes: number;
  /** Responses waiting for the peer's windows; beyond it new streams are refused. Default 64 MiB. */
  readonly queuedBytes: number;
  /** Shortest interval between a client's PINGs. Default 5 s. */
  readonly minPingMs: number;
  /** Whether a client without calls may PING at that rate, else once in two hours. Default false, like etcd. */
  readonly pingWithoutCalls: boolean;
  /** Silence after which we PING the client; 0 for never. Default 2 h. */
  readonly keepaliveMs: number;
  /** Time for the answer to our PING, after which the connection is cut. Default 20 s. */
  readonly keepaliveTimeoutMs: number;
  /** Streams a client may reset or have reset in a burst. Default 2000; a tenth of it comes back each second. */
  readonly resetBurst: number;
  /** SETTINGS, PRIORITY, unknown and empty frames a client may send in a burst. Default 1000; likewise. */
  readonly controlBurst: number;
  /** Time for a new connection to say what it speaks. Default 10 s. */
  readonly handshakeMs: number;
}

/** The defaults, named in {@link Http2Limits}. */
export const defaultLimits: Http2Limits = {
  maxConcurrentStreams: 4096,
  streamWindow: 1 << 20,
  connectionWindow: 8 << 20,
  maxFrameBytes: 16_384,
  headerListBytes: 65_536,
  transportBytes: 1 << 20,
  queuedBytes: 64 << 20,
  minPingMs: 5_000,
  pingWithoutCalls: false,
  keepaliveMs: 7_200_000,
  keepaliveTimeoutMs: 20_000,
  resetBurst: 2_000,
  controlBurst: 1_000,
  handshakeMs: 10_000,
};

/** A token bucket: `burst` at once, a tenth of it per second. */
class Allowance {
  private readonly burst: number;
  private left: number;
  private at: number = performance.now();

  constructor(burst: number) {
    this.burst = burst;
    this.left = burst;
  }

  /** Takes one; false when there is none. */
  take(): boolean {
    if (this.left < 1) {
      const now = performance.now();
      this.left = Math.min(this.burst, ((now - this.at) * this.burst) / 10_000);
      this.at = now;
      if (this.left < 1) return false;
    }
    this.left--;
    return true;
  }
}

/** What a peer may spend on frames that cost us work and bring nobody anything (RFC 9113 §10.5). */
export class Rations {
  private readonly resets: Allowance;
  private readonly controls: Allowance;

  constructor(limits: Http2Limits) {
    this.resets = new Allowance(limits.resetBurst);
    this.controls = new Allowance(limits.controlBurst);
  }

  /** A stream was reset, by the peer or for its fault. */
  spendReset(): void {
    if (!this.resets.take()) throw tooMany("resets");
  }

  /** A frame that carries nothing. */
  spendControl(): void {
    if (!this.controls.take()) throw tooMany("control frames");
  }
}

function tooMany(what: string): ConnectionError {
  return new ConnectionError(Http2Code.enhanceYourCalm, `too many ${what}`);
}
