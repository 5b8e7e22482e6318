/** The window of the connection for what the client sends (RFC 9113 §6.9), widened when half of it is used. */

import { ConnectionError, Http2Code } from "./protocol.ts";

/** Counts what is received against the window. */
export class ReceiveWindow {
  private readonly size: number;
  private left: number;
  /** Bytes received for which the window has not been widened yet. */
  private unacknowledged = 0;

  constructor(size: number) {
    this.size = size;
    this.left = size;
  }

  /** Takes bytes off the window; returns by how much to widen it now, or 0. */
  take(bytes: number): number {
    this.left -= bytes;
    if (this.left < 0) {
      throw new ConnectionError(Http2Code.flowControlError, "more DATA than the window allows");
    }
    this.unacknowledged += bytes;
    if (this.unacknowledged * 2 < this.size) return 0;
    const widenBy = this.unacknowledged;
    this.left += widenBy;
    this.unacknowledged = 0;
    return widenBy;
  }
}
