/** The etcd service on a node: a replicated store and the gateway in front of it. */

import { EtcdServer, EtcdStore, type MemberUrls } from "@quorate/etcd";

import type { Member } from "../cluster/members.ts";
import { hostPort, PEER_OFFSET } from "../cluster/ports.ts";
import { memberAt } from "../members/cluster-members.ts";
import type { ClientTls, PreparedService, ServiceHost } from "./service.ts";

/** Hosts the store's group and makes the gateway, which listens when told. */
export function prepareEtcd(host: ServiceHost): PreparedService {
  const { node, listen, clusterToken, quotaBytes, changeMembers } = host;
  const store = new EtcdStore();
  const group = node.replicate({ ...host.group, machine: store });
  const server = new EtcdServer({
    node,
    group,
    store,
    members: new Map(host.founders.map((member) => [member.name, urls(member, host)])),
    urlsAt: (address) => {
      const member = memberAt("", address);
      return member && urls(member, host);
    },
    change: changeMembers,
    clusterToken,
    quotaBytes,
  });
  return {
    listen: () => server.listen(listen, host.tls && tlsOptions(host.tls)),
    close: (graceMs) => server.close(graceMs),
    figures: () => {
      const { keys, leases, live } = store.sizes();
      const { watchers, pending } = server.load;
      return { revision: store.revision, keys, leases, liveBytes: live, watchers, pending };
    },
  };
}

function urls(
  { host, portBase }: Member,
  { tls, peersUseTls, portOffset }: ServiceHost,
): MemberUrls {
  const client = hostPort(host, portBase + portOffset);
  const peer = hostPort(host, portBase + PEER_OFFSET);
  return {
    clientUrls: [`${tls === undefined ? "http" : "https"}://${client}`],
    peerUrls: [`${peersUseTls ? "https" : "http"}://${peer}`],
  };
}

function tlsOptions({ cert, key, ca, requireClientCertificate }: ClientTls) {
  const trust = ca === undefined ? {} : { ca };
  return {
    cert,
    key,
    ...trust,
    requestCert: requireClientCertificate,
    rejectUnauthorized: requireClientCertificate,
  };
}
