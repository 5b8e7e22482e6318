/** A node's settings taken together: what contradicts, what is missing, what the files hold. */

import { type PeerTls } from "@quorate/host";

import { type Member } from "../cluster/members.ts";
import { type Book, readBook } from "../members/book.ts";
import { isLoopback, PEER_OFFSET } from "../cluster/ports.ts";
import { CliError } from "../errors.ts";
import { type ClientTls } from "../node/service.ts";

import { type NamedFile, readAuthorities, readIdentity } from "./certificates.ts";
import { type Resolved, resolveSettings, type Sources } from "./settings.ts";
import { kebab, type NodeSettings, type SettingName, settingTable } from "./table.ts";

/** Settings that a node can start with. */
export interface CompleteSettings extends NodeSettings {
  /** Who founded the cluster; `cluster` is who is in it, as far as the node is told. */
  readonly founders: readonly Member[];
  /** What the node remembers, if it joined; what it has to ask for, if it is to join. */
  readonly membership: "founder" | "joined" | "joins";
  /** Of what all nodes must agree on, what this one was told and did not take by default. */
  readonly chosen: Partial<Pick<NodeSettings, "clusterToken" | "consensus" | "services">>;
  readonly clientTls: ClientTls | undefined;
  readonly peerTls: PeerTls | undefined;
}

/** Every setting there is. */
// `Object.keys` of the table gives its keys, which its type cannot say.
const names = Object.keys(settingTable) as SettingName[];

/** @throws CliError that names the setting which keeps the node from starting. */
export function nodeSettings(sources: Sources): CompleteSettings {
  const resolved = resolveSettings(names, sources);
  const { values } = resolved;
  const book = readBook(values.dataDir);
  const isFounder = book === undefined && values.join.length === 0;
  if (!isFounder && resolved.given("cluster")) {
    const what = book === undefined ? "is to join" : "has joined";
    const reason = `${resolved.sourceOf("cluster")} is for founders, and this node ${what} a cluster that is there: leave it out`;
    throw new CliError({ code: "settings", reason });
  }
  const cluster = values.cluster.length === 0 ? [alone(values)] : values.cluster;
  checkMembership(resolved, cluster);
  checkTimes(resolved);
  const clientTls = readClientTls(resolved);
  const peerTls = readPeerTls(resolved);
  const isAlone = isFounder && cluster.length === 1;
  checkExposure(resolved, clientTls !== undefined, peerTls !== undefined || isAlone);
  const chosen = chosenOf(resolved);
  const settings = { ...values, cluster, founders: cluster, chosen, clientTls, peerTls };
  if (isFounder) return { ...settings, membership: "founder" };
  if (book === undefined) return { ...settings, membership: "joins" };
  return joined({ ...settings, membership: "joins" }, book);
}

/**
 * The settings of a node that is in the cluster that a book tells of.
 * @throws CliError if the node was told otherwise.
 */
export function joined(settings: CompleteSettings, book: Book): CompleteSettings {
  const { name, chosen } = settings;
  const { founders, clusterToken, consensus, members } = book;
  checkChosen(settings, book);
  const others = members.filter((member) => member.name !== name);
  const self = members.find((member) => member.name === name) ?? alone(settings);
  const services = chosen.services ?? book.services;
  const cluster = [...others, self];
  return {
    ...settings,
    cluster,
    founders,
    clusterToken,
    consensus,
    services,
    membership: "joined",
  };
}

/** What the cluster has decided is not one node's to say; which engines it is on by now, its data knows. */
function checkChosen({ chosen }: CompleteSettings, book: Book): void {
  const { clusterToken: token = book.clusterToken } = chosen;
  if (token === book.clusterToken) return;
  const reason = `--cluster-token is ${token}, but the cluster's is ${book.clusterToken}: leave it out`;
  throw new CliError({ code: "settings", reason });
}

function chosenOf({ values, given }: Resolved<SettingName>): CompleteSettings["chosen"] {
  return {
    ...(given("clusterToken") ? { clusterToken: values.clusterToken } : {}),
    ...(given("consensus") ? { consensus: values.consensus } : {}),
    ...(given("services") ? { services: values.services } : {}),
  };
}

/** @throws CliError if a leader would be deposed for ordinary silence. */
export function checkTimes(resolved: Resolved<"electionMs" | "heartbeatMs">): void {
  const { electionMs, heartbeatMs } = resolved.values;
  if (electionMs >= 3 * heartbeatMs) return;
  const source = resolved.sourceOf("electionMs");
  const allowed = `at least 3 times the ${heartbeatMs} of ${resolved.sourceOf("heartbeatMs")}`;
  throw new CliError({ code: "setting", source, value: electionMs, allowed });
}

function alone({ name, host, portBase }: NodeSettings): Member {
  return { name, host, portBase };
}

function checkMembership({ values, sourceOf }: Resolved<SettingName>, cluster: readonly Member[]) {
  const { name, portBase } = values;
  const own = cluster.find((member) => member.name === name);
  if (own === undefined) {
    const list = cluster.map((member) => member.name).join(", ");
    const allowed = `one of the members of ${sourceOf("cluster")}: ${list}`;
    throw new CliError({ code: "setting", source: sourceOf("name"), value: name, allowed });
  }
  if (own.portBase !== portBase) {
    const peer = own.portBase + PEER_OFFSET;
    const allowed = `${own.portBase}, since ${sourceOf("cluster")} says that ${name}'s peer port is ${peer}`;
    throw new CliError({ code: "setting", source: sourceOf("portBase"), value: portBase, allowed });
  }
}

function readClientTls(resolved: Resolved<SettingName>): ClientTls | undefined {
  const { certFile, keyFile, trustedCaFile, clientCertAuth } = resolved.values;
  const anything = certFile + keyFile + trustedCaFile !== "" || clientCertAuth;
  if (!anything) return undefined;
  need(resolved, ["certFile", "keyFile"], "TLS for clients");
  if (clientCertAuth) need(resolved, ["trustedCaFile"], "--client-cert-auth");
  const named = namedBy(resolved);
  return {
    ...readIdentity(named("certFile"), named("keyFile")),
    ...(trustedCaFile === "" ? {} : { ca: readAuthorities(named("trustedCaFile")) }),
    requireClientCertificate: clientCertAuth,
  };
}

function readPeerTls(resolved: Resolved<SettingName>): PeerTls | undefined {
  const { name, peerCertFile, peerKeyFile, peerTrustedCaFile } = resolved.values;
  if (peerCertFile + peerKeyFile + peerTrustedCaFile === "") return undefined;
  need(resolved, ["peerCertFile", "peerKeyFile", "peerTrustedCaFile"], "TLS between nodes");
  const named = namedBy(resolved);
  return {
    ...readIdentity(named("peerCertFile"), named("peerKeyFile"), name),
    ca: readAuthorities(named("peerTrustedCaFile")),
  };
}

/** The file that a setting names, and the setting as its author wrote it. */
function namedBy({ values, sourceOf }: Resolved<SettingName>) {
  return (name: FileSetting): NamedFile => ({ path: values[name], source: sourceOf(name) });
}

function need(
  { values }: Resolved<SettingName>,
  wanted: readonly FileSetting[],
  what: string,
): void {
  const missing = wanted.filter((name) => values[name] === "");
  if (missing.length === 0) return;
  const flags = missing.map((name) => `--${kebab(name)}`).join(" and ");
  throw new CliError({ code: "settings", reason: `${what} also needs ${flags}` });
}

type FileSetting = Extract<SettingName, `${string}File`>;

/** Beyond this machine, nothing goes in the clear by accident. */
function checkExposure(
  { values, sourceOf }: Resolved<SettingName>,
  clientsSafe: boolean,
  peersSafe: boolean,
): void {
  const gossipSafe = values.gossipKey !== "" || !values.services.includes("serf");
  const safe = clientsSafe && peersSafe && gossipSafe;
  if (isLoopback(values.host) || values.insecure || safe) return;
  const missing = [
    ...(clientsSafe ? [] : ["--cert-file and --key-file"]),
    ...(peersSafe ? [] : ["--peer-cert-file, --peer-key-file and --peer-trusted-ca-file"]),
    ...(gossipSafe ? [] : ["--gossip-key (or --services without serf)"]),
  ].join(", ");
  const reason =
    `${sourceOf("host")} is ${values.host}, which others can reach, and that needs TLS: ` +
    `give ${missing}, or --insecure to send everything in the clear`;
  throw new CliError({ code: "settings", reason });
}
