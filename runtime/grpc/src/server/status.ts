/** The status codes of gRPC, and how a status is laid out as a HEADERS frame. */

import { headersFrame, type HeaderPair } from "../http2/hpack-encoder.ts";
import { flag } from "../http2/protocol.ts";

/** Status codes, by the names of the gRPC specification. */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** One of {@link Status}. */
export type StatusCode = (typeof Status)[keyof typeof Status];

const contentType: HeaderPair = ["content-type", "application/grpc"];

/** The response headers of every call, as a HEADERS frame made for stream 0. */
export const responseHead: Buffer = headersFrame([[":status", "200"], contentType], 0);

/** The trailers of every call that succeeds. */
export const okTrailers: Buffer = headersFrame([["grpc-status", "0"]], flag.endStream);

/** Trailers, or with `alone` a response of trailers only, that say how a call ended. */
export function statusFrame(code: StatusCode, message: string, alone: boolean): Buffer {
  const headers: HeaderPair[] = alone ? [[":status", "200"], contentType] : [];
  headers.push(["grpc-status", String(code)]);
  // Kept well under the smallest MAX_FRAME_SIZE, so that a status is always one frame.
  if (message !== "") headers.push(["grpc-message", percentEncode(message.slice(0, 1024))]);
  return headersFrame(headers, flag.endStream);
}

/** Percent-encoding of grpc-message: everything but printable ASCII, and the per cent sign. */
export function percentEncode(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
