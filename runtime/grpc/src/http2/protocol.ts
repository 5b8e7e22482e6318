/**
 * The numbers of HTTP/2 (RFC 9113 §6, §7), and the one exception its reader throws.
 *
 * A fault of the whole connection is thrown as {@link ConnectionError} from wherever it is noticed and caught once, at
 * the top of the chunk handler, which answers with GOAWAY. A fault of one stream is never thrown: it is a RST_STREAM.
 */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = {
  /** Of DATA and HEADERS. */
  endStream: 0x1,
  /** Of SETTINGS and PING. */
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** Error codes of RST_STREAM and GOAWAY (RFC 9113 §7). */
export const Http2Code = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

/** What every HTTP/2 client says first (RFC 9113 §3.4). */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Bytes of a frame header. */
export const frameHeaderBytes = 9;

/** The largest window a peer may build up (RFC 9113 §6.9.1). */
export const maxWindow = 0x7fffffff;

/** The window and the frame size in force until SETTINGS say otherwise. */
export const defaultWindow = 65_535;
export const defaultFrameBytes = 16_384;

/** The peer broke the protocol in a way that ends the connection. */
export class ConnectionError extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.name = "ConnectionError";
    this.code = code;
  }
}

/** A PROTOCOL_ERROR of the connection. */
export function protocolError(reason: string): ConnectionError {
  return new ConnectionError(Http2Code.protocolError, reason);
}

/** A FRAME_SIZE_ERROR of the connection. */
export function sizeError(frame: string): ConnectionError {
  return new ConnectionError(Http2Code.frameSizeError, `a ${frame} frame of the wrong size`);
}
