/** The members of a cluster, as `--cluster n1=HOST:PEERPORT,…` tells them. */

import { LAST_PORT_BASE, parseHostPort, PEER_OFFSET, portBaseOf } from "./ports.ts";

export interface Member {
  readonly name: string;
  readonly host: string;
  /** The first port of the node's block. */
  readonly portBase: number;
}

export const NODE_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** Members, or in words why there are none. */
export type ParsedCluster =
  | { readonly type: "members"; readonly members: readonly Member[] }
  | { readonly type: "wrong"; readonly reason: string };

/** Reads `n1=HOST:PEERPORT,n2=…`. */
export function parseCluster(text: string): ParsedCluster {
  const members: Member[] = [];
  for (const part of text.split(",").map((each) => each.trim())) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(0, equals));
    const address = parseHostPort(part.slice(equals + 1));
    if (!NODE_NAME.test(name)) return wrong(`"${part}" does not begin with NAME=`);
    if (address === undefined) return wrong(`"${part}" does not end with =HOST:PORT`);
    const portBase = address.port - PEER_OFFSET;
    if (!isBlock(portBase)) {
      return wrong(`"${part}" leaves no room for the other ports of the node`);
    }
    const member = { name, host: address.host, portBase };
    const clash = members.find((each) => each.name === name || overlaps(each, member));
    if (clash?.name === name) return wrong(`${name} is there twice`);
    if (clash !== undefined) return wrong(`${clash.name} and ${name} share ports`);
    members.push(member);
  }
  return { type: "members", members };
}

/** What {@link parseCluster} reads. */
export function formatCluster(members: readonly Member[]): string {
  return members
    .map(({ name, host, portBase }) => {
      const shown = host.includes(":") ? `[${host}]` : host;
      return `${name}=${shown}:${portBase + PEER_OFFSET}`;
    })
    .join(",");
}

/** Nodes `n1`, `n2`, … side by side on one machine. */
export function localMembers(count: number, host: string, portBase: number): readonly Member[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `n${index + 1}`,
    host,
    portBase: portBaseOf(portBase, index),
  }));
}

/** Whether a node's ports can begin here. */
export function isBlock(portBase: number): boolean {
  return portBase >= 1 && portBase <= LAST_PORT_BASE;
}

function wrong(reason: string): ParsedCluster {
  return { type: "wrong", reason };
}

/** On one host, blocks that overlap are a slip (peer ports one apart, say). */
function overlaps(a: Member, b: Member): boolean {
  return a.host === b.host && Math.abs(a.portBase - b.portBase) < portBaseOf(0, 1);
}
