/**
 * Whether an endpoint can be talked to, found out before a call is made: a call
 * that reached nobody and one that was cut off look alike in gRPC, and only one
 * of them may be repeated elsewhere. What is wrong with a certificate is told in
 * the same words as by the commands that ask over HTTP.
 */

import net from "node:net";
import tls from "node:tls";

import { type AskTls, type Silent, silence } from "../cluster/ask.ts";
import { parseHostPort } from "../cluster/ports.ts";

const TIMEOUT_MS = 2000;
/** How a client begins: the preface and empty settings (RFC 9113 §3.4). */
const HELLO = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0", "latin1");
/** Where the type of a frame is, and that of the one with which a server begins. */
const TYPE_AT = 3;
const SETTINGS = 4;

/** Resolves to undefined once the endpoint has spoken HTTP/2, or to why it has not. */
export function reach(endpoint: string, secure: AskTls | undefined): Promise<Silent | undefined> {
  const options = { timeoutMs: TIMEOUT_MS, tls: secure };
  const address = parseHostPort(endpoint);
  if (address === undefined) return Promise.resolve(silence(coded("ENOTFOUND"), options));
  return new Promise((resolve) => {
    const greet = (): void => void socket.write(HELLO);
    const socket =
      secure === undefined ? net.connect(address, greet) : dial(address, secure, greet);
    const end = (silent: Silent | undefined): void => {
      socket.destroy();
      resolve(silent);
    };
    const fail = (error: Error): void => end(silence(error, options));
    socket.setTimeout(TIMEOUT_MS, () => fail(coded("ABORT_ERR")));
    socket.on("error", fail);
    socket.on("close", () => fail(coded("ECONNRESET")));
    // A server speaks first of its settings, and only to whom it has let in.
    socket.once("data", (first: Buffer) => {
      if (first[TYPE_AT] === SETTINGS) end(undefined);
      else fail(new Error("it does not speak HTTP/2: is it another port?"));
    });
  });
}

function dial(address: net.TcpNetConnectOpts, secure: AskTls, connected: () => void): net.Socket {
  const { host = "" } = address;
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const options = { ...address, ...secure, ...servername, ALPNProtocols: ["h2"] };
  return tls.connect(options, connected);
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
