/** Addresses as people write them, and as the protocol wants them: numbers. */

import { lookup } from "node:dns/promises";
import net from "node:net";
import os from "node:os";

import type { Address as GossipAddress, JoinFailure } from "@quorate/gossip";
import type { Address } from "@quorate/host";

import { addressOf, ipBytes } from "../wire/address.ts";
import { AgentError } from "./files.ts";

/**
 * Reads `host`, `host:port`, `[::1]`, `[::1]:port`, `::1`, `:port`.
 * @throws AgentError if it is none of these.
 */
export function parseAddress(text: string, defaultPort: number): Address {
  const wrong = (): never => {
    throw new AgentError(`${JSON.stringify(text)} is no address`);
  };
  if (net.isIPv6(text)) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? wrong();
  const [, bracketed, plain = "", digits] = match;
  if (bracketed !== undefined && !net.isIPv6(bracketed)) wrong();
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port > 0xffff) wrong();
  return { host: bracketed ?? plain, port };
}

export interface Resolved {
  readonly addresses: readonly GossipAddress[];
  readonly failures: readonly JoinFailure[];
}

/** Every address of every place to join through. `name/host:port` is memberlist's way to name a node too. */
export async function resolveJoin(
  places: readonly string[],
  defaultPort: number,
): Promise<Resolved> {
  const addresses: GossipAddress[] = [];
  const failures: JoinFailure[] = [];
  for (const place of places) {
    try {
      const { host, port } = parseAddress(place.slice(place.indexOf("/") + 1), defaultPort);
      const found = net.isIP(host) > 0 ? [{ address: host }] : await lookup(host, { all: true });
      for (const { address } of found) addresses.push(addressOf({ ip: ipBytes(address), port }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ address: place, reason });
    }
  }
  return { addresses: [...new Set(addresses)], failures };
}

/** Where an agent that listens on `port` is to be reached. @throws AgentError if that cannot be told. */
export function advertised(
  { bind, advertise }: { readonly bind: Address; readonly advertise: Address | undefined },
  port: number,
): { readonly text: GossipAddress; readonly address: Address } {
  const host = advertise?.host ?? (isWildcard(bind.host) ? outsideAddress(bind.host) : bind.host);
  const ownPort = advertise === undefined || advertise.port === 0 ? port : advertise.port;
  if (net.isIP(host) === 0) throw new AgentError(`cannot advertise ${host}: it is no IP address`);
  return {
    text: addressOf({ ip: ipBytes(host), port: ownPort }),
    address: { host, port: ownPort },
  };
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** An address of this machine that others can reach: a private one before a public one, as memberlist picks. */
function outsideAddress(wildcard: string): string {
  const family = wildcard === "::" ? "IPv6" : "IPv4";
  const all = Object.values(os.networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter((each) => each.family === family && !each.internal && !isLinkLocal(each.address))
    .map(({ address }) => address);
  const found = all.find(isPrivate) ?? all[0];
  if (found === undefined) {
    throw new AgentError(
      `this machine has no ${family} address but its own: say which with -advertise`,
    );
  }
  return found;
}

function isPrivate(address: string): boolean {
  return /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/i.test(
    address,
  );
}

function isLinkLocal(address: string): boolean {
  return /^(?:169\.254\.|fe[89ab])/i.test(address);
}
