/**
 * What is said of the other ends of connections, for a log. Who cannot get in
 * tries again and again; the same complaint is made once in a minute.
 */

import { type Socket } from "node:net";
import { type Server } from "node:tls";

import { NOT_TLS_HERE, remote, watchHandshakes } from "./faults.ts";

const AGAIN_MS = 60_000;
/** Strangers must not fill the memory: beyond so many complaints, all are forgotten. */
const REMEMBERED = 1000;

export class Complaints {
  /** When each was made last. */
  private readonly made = new Map<string, number>();
  private readonly say: (from: string, what: string) => void;
  private readonly now: () => number;

  /** @param now - Milliseconds. */
  constructor(say: (from: string, what: string) => void, now: () => number) {
    this.say = say;
    this.now = now;
  }

  /** @param from - A name, or `host:port`; the port, another each time, does not tell one from another. */
  make(from: string, what: string): void {
    const key = `${from.replace(/:\d+$/, "")} ${what}`;
    const now = this.now();
    const before = this.made.get(key);
    if (before !== undefined && now - before < AGAIN_MS) return;
    if (this.made.size >= REMEMBERED) this.made.clear();
    this.made.set(key, now);
    this.say(from, what);
  }

  /** Complains of whoever fails in the handshakes of a server. */
  watch(server: Server): void {
    watchHandshakes(server, (from, what) => this.make(from, what));
  }

  /** Somebody began TLS at a port without. */
  onStrayTls(socket: Socket): void {
    this.make(remote(socket), NOT_TLS_HERE);
  }
}
