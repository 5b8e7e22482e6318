/** What a transport counts, read by metrics; and a log that damage cannot flood. */

import type { Logger } from "@quorate/host";

import { type Fault, FAULTS } from "../wire/packet.ts";

/** What can go wrong with a stream. */
const STREAM_FAULTS = [
  /** Could not be opened. */
  "connect",
  /** Broke, or was closed, before its message was whole. */
  "broken",
  "timeout",
  /** Not a message, sealed with another key, or too large. */
  "message",
  /** More streams at once than are served. */
  "busy",
] as const;
export type StreamFault = (typeof STREAM_FAULTS)[number];

/** Grow only. */
export class TransportCounters {
  packetsReceived = 0;
  packetBytesReceived = 0;
  packetsSent = 0;
  packetBytesSent = 0;
  /** Dropped because the system's send buffer was full, or it refused them. */
  packetsDropped = 0;
  streamsAccepted = 0;
  streamsOpened = 0;
  streamBytesReceived = 0;
  streamBytesSent = 0;
  readonly packetFaults: { [F in Fault]: number };
  readonly streamFaults: { [F in StreamFault]: number };

  constructor() {
    this.packetFaults = zeroes(FAULTS);
    this.streamFaults = zeroes(STREAM_FAULTS);
  }
}

function zeroes<K extends string>(keys: readonly K[]): { [key in K]: number } {
  // `fromEntries` forgets which keys it was given.
  return Object.fromEntries(keys.map((key) => [key, 0])) as { [key in K]: number };
}

const BURST = 10;
const REFILL_MS = 1000;

/**
 * Warnings about what strangers send: ten at once, then one a second. What was
 * left out is counted and told with the next one.
 */
export class BoundedLog {
  private readonly logger: Logger;
  private tokens = BURST;
  private refilledAt = performance.now();
  private suppressed = 0;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  warn(data: Readonly<Record<string, unknown>>, message: string): void {
    const now = performance.now();
    const earned = Math.floor((now - this.refilledAt) / REFILL_MS);
    if (earned > 0) {
      this.tokens = Math.min(BURST, this.tokens + earned);
      this.refilledAt += earned * REFILL_MS;
    }
    if (this.tokens === 0) {
      this.suppressed++;
      return;
    }
    this.tokens--;
    const left = this.suppressed === 0 ? {} : { suppressed: this.suppressed };
    this.suppressed = 0;
    this.logger.warn({ ...data, ...left }, message);
  }
}
