/** SETTINGS frames (RFC 9113 §6.5): what we announce, and how the peer's are applied. */

import type { Http2Limits } from "./limits.ts";
import type { Outbound } from "./outbound.ts";
import { ConnectionError, defaultFrameBytes, Http2Code, maxWindow, setting } from "./protocol.ts";

/** The payload of our SETTINGS. */
export function encodeSettings(limits: Http2Limits): Buffer {
  const pairs: readonly (readonly [number, number])[] = [
    [setting.maxConcurrentStreams, limits.maxConcurrentStreams],
    [setting.initialWindowSize, limits.streamWindow],
    [setting.maxFrameSize, limits.maxFrameBytes],
    [setting.maxHeaderListSize, limits.headerListBytes],
  ];
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return payload;
}

/** Applies the peer's settings to the sender; returns by how much the windows of open streams change. */
export function applySettings(
  outbound: Outbound,
  chunk: Buffer,
  start: number,
  end: number,
): number {
  let widenBy = 0;
  for (let at = start; at < end; at += 6) {
    const value = chunk.readUInt32BE(at + 2);
    switch (chunk.readUInt16BE(at)) {
      case setting.headerTableSize:
        outbound.limitTable(value);
        break;
      case setting.enablePush:
        if (value > 1) throw new ConnectionError(Http2Code.protocolError, "ENABLE_PUSH is 0 or 1");
        break;
      case setting.initialWindowSize:
        if (value > maxWindow) {
          throw new ConnectionError(Http2Code.flowControlError, "INITIAL_WINDOW_SIZE is too large");
        }
        widenBy += value - outbound.initialWindow;
        outbound.initialWindow = value;
        break;
      case setting.maxFrameSize:
        if (value < defaultFrameBytes || value > 0xffffff) {
          throw new ConnectionError(Http2Code.protocolError, "MAX_FRAME_SIZE is out of range");
        }
        // We gain nothing from larger frames, and smaller ones let streams take turns.
        outbound.maxFrame = Math.min(value, 65_536);
        break;
      default:
        break;
    }
  }
  return widenBy;
}
