/** Network addresses: text to the protocol, an IP's bytes and a port on the wire. */

import { MalformedInput } from "@quorate/kernel";

import { bytes, type Pack, record, uintOf } from "../msgpack/index.ts";

/** An address as memberlist's messages have it: 4 or 16 bytes. */
export interface Endpoint {
  readonly ip: Uint8Array;
  readonly port: number;
}

/** Go's `net.UDPAddr`. */
export interface UdpAddress extends Endpoint {
  readonly zone: Uint8Array;
}

export const udpAddress: Pack<UdpAddress> = record<UdpAddress>({
  ip: ["IP", bytes],
  port: ["Port", uintOf(16)],
  zone: ["Zone", bytes],
});

/** Reads `10.0.0.1:7946` or `[fe80::1]:7946`. @throws MalformedInput for anything else. */
export function endpointOf(address: string): Endpoint {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new MalformedInput(`${address} is no address`);
  }
  const host = address.slice(0, colon);
  return { ip: ipBytes(host.startsWith("[") ? host.slice(1, -1) : host), port };
}

/** The address of an endpoint. A version 4 address in version 6 clothes is a version 4 address. */
export function addressOf({ ip, port }: Endpoint): string {
  const host = ipText(ip);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `10.0.0.1` or `fe80::1`. @throws MalformedInput unless there are 4 or 16 bytes. */
export function ipText(ip: Uint8Array): string {
  if (ip.length === 4) return `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}`;
  if (ip.length !== 16) throw new MalformedInput(`an IP address of ${ip.length} bytes`);
  if (isMapped(ip)) return ipText(ip.subarray(12));
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((ip[2 * i]! << 8) | ip[2 * i + 1]!).toString(16),
  );
  return compressed(groups);
}

function isMapped(ip: Uint8Array): boolean {
  return ip[10] === 0xff && ip[11] === 0xff && ip.subarray(0, 10).every((byte) => byte === 0);
}

/** The longest run of two or more zero groups becomes `::` (RFC 5952). */
function compressed(groups: readonly string[]): string {
  let best = 0;
  let bestAt = -1;
  for (let at = 0; at < groups.length; at++) {
    let run = 0;
    while (groups[at + run] === "0") run++;
    if (run > best && run > 1) {
      best = run;
      bestAt = at;
    }
  }
  if (bestAt < 0) return groups.join(":");
  return `${groups.slice(0, bestAt).join(":")}::${groups.slice(bestAt + best).join(":")}`;
}

/** @throws MalformedInput for what is no IP address. */
export function ipBytes(host: string): Uint8Array {
  return host.includes(":") ? ip6Bytes(host) : ip4Bytes(host);
}

function ip4Bytes(host: string): Uint8Array {
  const parts = host.split(".");
  const numbers = parts.map(Number);
  const fine =
    parts.every((part) => /^\d{1,3}$/.test(part)) && numbers.every((number) => number < 256);
  if (numbers.length !== 4 || !fine) throw new MalformedInput(`${host} is no IP address`);
  return Uint8Array.from(numbers);
}

function ip6Bytes(host: string): Uint8Array {
  const [plain = ""] = host.split("%");
  const halves = plain.split("::").map((half) => (half === "" ? [] : groupsOf(half)));
  const [head = [], tail = []] = halves;
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || missing < 0 || (halves.length === 1) !== (missing === 0)) {
    throw new MalformedInput(`${host} is no IP address`);
  }
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** Groups of a part without `::`; the last may be a version 4 address, which makes two. */
function groupsOf(half: string): readonly number[] {
  return half.split(":").flatMap((group) => {
    if (group.includes(".")) {
      const [a, b, c, d] = ip4Bytes(group);
      return [(a! << 8) | b!, (c! << 8) | d!];
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) throw new MalformedInput(`${half} is no IP address`);
    return [Number.parseInt(group, 16)];
  });
}
