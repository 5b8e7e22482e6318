/**
 * Where a node listens: a block of twenty ports, each with its purpose. A
 * node's peer address, which is all that the others are told, therefore tells
 * the rest.
 */

import type { Address } from "@quorate/host";

const PORTS_PER_NODE = 20;
export const HTTP_OFFSET = 0;
export const PEER_OFFSET = 1;
export const SERF_OFFSET = 5;
export const SERF_RPC_OFFSET = 6;

/** The highest first port that leaves room for a block. */
export const LAST_PORT_BASE: number = 65_536 - PORTS_PER_NODE;

/** The first port of the block of the `index`th node (from 0) on one machine. */
export function portBaseOf(portBase: number, index: number): number {
  return portBase + PORTS_PER_NODE * index;
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Takes `host:port` apart; undefined if it is not that. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([\w:.%-]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2]!;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** The address that is in use, if that is why the system would not let somebody listen. */
export function addressInUse(error: unknown): Address | undefined {
  const { code, address, port } = error as NodeJS.ErrnoException & Record<string, unknown>;
  if (code !== "EADDRINUSE" || typeof address !== "string" || typeof port !== "number") return;
  return { host: address, port };
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
