/**
 * Why a TLS handshake failed, in words. Node and OpenSSL name the alert, the
 * function and the line; people want to know whose certificate it is, and what
 * is wrong with it. Words are those of the end that meets the failure: "it" is
 * the other end.
 */

import { Socket } from "node:net";
import { type Server, TLSSocket } from "node:tls";

/** A connection ended without a word where the other end should have spoken. */
export const HUNG_UP = {
  plain: "it hung up without an answer, as a port that wants TLS does",
  tls: "it hung up after the TLS handshake: it may not accept the certificate of this end, and its log says why",
} as const;

/** Somebody speaks TLS to a port that does not. */
export const NOT_TLS_HERE = "it speaks TLS, which is not set up here";

/** What the check of the other end's certificate came to, by OpenSSL's names. */
const CHECKED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate that it shows has expired",
  CERT_NOT_YET_VALID: "the certificate that it shows is not valid yet (or a clock is wrong)",
  CERT_REVOKED: "the certificate that it shows was revoked",
  INVALID_PURPOSE: "the certificate that it shows is not for this end of a connection",
};
const UNTRUSTED = "the certificate that it shows is not signed by an authority trusted here";
const UNSIGNED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/;

/** What the handshake failed of, by the ends of the codes that Node makes of OpenSSL's reasons. */
const FAILED: readonly (readonly [RegExp, string])[] = [
  [/_ALERT_CERTIFICATE_REQUIRED$/, "it wants a certificate, and was shown none"],
  [/_ALERT_CERTIFICATE_EXPIRED$/, "the certificate of this end has expired, it says"],
  [/_ALERT_UNKNOWN_CA$/, "it does not trust the authority that signed the certificate of this end"],
  [
    /_ALERT_(BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE)$/,
    "it does not accept the certificate of this end",
  ],
  [/_PEER_DID_NOT_RETURN_A_CERTIFICATE$/, "it shows no certificate, and has to"],
  [/_ALERT_NO_APPLICATION_PROTOCOL$/, "it speaks TLS, but another protocol: is it another port?"],
  [/_(WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG)$/, "it does not speak TLS"],
  [
    /_(UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION)$/,
    "it speaks no version of TLS that is spoken here",
  ],
  [/_ALERT_HANDSHAKE_FAILURE$/, "it found nothing that both ends accept, or wants a certificate"],
];

/**
 * What went wrong with TLS, if that is what went wrong.
 *
 * @param error - What the socket, request or server told.
 * @param socket - The connection, where a server told it: what was wrong with a client's
 *   certificate is only to be found there.
 */
export function tlsFault(error: unknown, socket?: unknown): string | undefined {
  // Its type says that it is an error; it is the name of one.
  const refused: unknown = socket instanceof TLSSocket ? socket.authorizationError : undefined;
  const code = codeOf(refused) || codeOf(error);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongName(error);
  const checked = CHECKED[code] ?? (UNSIGNED.test(code) ? UNTRUSTED : undefined);
  return checked ?? FAILED.find(([pattern]) => pattern.test(code))?.[1];
}

/** Has told which clients of a server fail in the handshake, by `host:port`, and of what. */
export function watchHandshakes(server: Server, tell: (from: string, what: string) => void): void {
  // A socket knows where it came from after its end only if it was asked before.
  server.on("connection", (socket: Socket) => void socket.remoteAddress);
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    const left =
      "it hung up during the TLS handshake: it may not accept the certificate of this end";
    const reset = codeOf(error) === "ECONNRESET" ? left : error.message;
    tell(remote(below(socket)), tlsFault(error, socket) ?? reset);
  });
}

/** `host:port` of the other end. */
export function remote(socket: Socket): string {
  return `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
}

/** The connection that carries TLS, which Node keeps there without saying so. */
function below(socket: TLSSocket): Socket {
  const { _parent: carrier } = socket as { readonly _parent?: unknown };
  return carrier instanceof Socket ? carrier : socket;
}

/** Whether a connection begins as one of TLS does: with the record of a ClientHello (RFC 8446 §5.1). */
export function isTlsHello(first: Uint8Array): boolean {
  return first[0] === 0x16 && first[1] === 0x03;
}

function wrongName(error: unknown): string {
  const { host = "it", cert } = error as { host?: string; cert?: { subjectaltname?: string } };
  const names = cert?.subjectaltname ?? "no address or name at all";
  return `the certificate that it shows is for ${names}, and not for ${host}`;
}

function codeOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (!(error instanceof Error) || !("code" in error)) return "";
  if (error.code !== "EPROTO") return String(error.code);
  // Where a write has failed, OpenSSL's reason is in the message only.
  const [, reason = ""] = /:SSL routines:[^:]*:([^:]+):/.exec(error.message) ?? [];
  return `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}`;
}
