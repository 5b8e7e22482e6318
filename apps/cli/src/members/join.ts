/**
 * How a node that did not found its cluster gets in: it asks members over HTTP
 * who the cluster is, waits until it has been added (or takes a place that was
 * added by its address alone), and knows then what a founder is told. It is
 * nobody's member before, so until then it neither listens nor writes.
 */

import { lookup } from "node:dns/promises";
import os from "node:os";

import { isVacancy } from "@quorate/host";

import { askStatus, type AskOptions, tell } from "../cluster/ask.ts";
import type { Member } from "../cluster/members.ts";
import { hostPort, HTTP_OFFSET, parseHostPort, PEER_OFFSET } from "../cluster/ports.ts";
import type { MemberReport, NodeReport } from "../cluster/report.ts";
import { CliError } from "../errors.ts";
import { parseEngines, serviceNames } from "../node/catalogue.ts";
import { pause } from "../terminal/pause.ts";
import type { Book } from "./book.ts";
import { memberAt } from "./cluster-members.ts";

export interface JoinOptions {
  /** This node, where it listens. */
  readonly self: Member;
  /** `HOST:PEERPORT` of members. */
  readonly contacts: readonly string[];
  readonly ask: AskOptions;
  /** Hears in words what is waited for, once each time that it is something else. */
  readonly onWait: (what: string) => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 500;
const CLAIM_MS = 10_000;

/**
 * Resolves to what there is to know of the cluster, once the node is a member;
 * to undefined if the signal came first.
 * @throws CliError if the cluster can never take this node under this name.
 */
export async function join(options: JoinOptions): Promise<Book | undefined> {
  const { signal, onWait } = options;
  let waitingFor = "";
  while (!signal.aborted) {
    const step = await attempt(options);
    if (step.type === "joined") return bookOf(step.report, options.self);
    if (step.what !== waitingFor) onWait(step.what);
    waitingFor = step.what;
    await pause(RETRY_MS, signal);
  }
  return undefined;
}

type Step =
  | { readonly type: "joined"; readonly report: NodeReport }
  | { readonly type: "waiting"; readonly what: string };

async function attempt({ self, contacts, ask }: JoinOptions): Promise<Step> {
  let silence = "";
  for (const contact of contacts) {
    const http = httpOf(contact);
    const asked = await askStatus(http, ask);
    if (asked.type === "silent") silence = `${http}: ${asked.reason}`;
    else return judge(asked.report, http, self, ask);
  }
  return waiting(`an answer of a member (${silence})`);
}

async function judge(
  report: NodeReport,
  http: string,
  self: Member,
  ask: AskOptions,
): Promise<Step> {
  const { name } = self;
  const refuse = (reason: string): CliError => new CliError({ code: "node", node: name, reason });
  if (report.founders.some((each) => each.name === name)) {
    throw refuse(`founded the cluster of ${report.name}: a node that joins needs another name`);
  }
  if (report.removed.includes(name)) {
    throw refuse("was a member before, and names are used once: choose another");
  }
  const own = report.members.find((each) => each.name === name);
  const peer = self.portBase + PEER_OFFSET;
  if (own !== undefined) {
    if (parseHostPort(own.peer)?.port === peer) return { type: "joined", report };
    throw refuse(
      `was added at ${own.peer}, but its peer port is ${peer}: start it with another --port-base, or remove it and add it under another name`,
    );
  }
  const place = await vacancyFor(self, report.members);
  if (place === undefined) {
    const at = hostPort(self.host, peer);
    return waiting(`being added: quorate members add ${name} --address ${at} --endpoints ${http}`);
  }
  const body = { name, vacancy: place };
  const told = await tell(http, "/members/claim", body, { ...ask, timeoutMs: CLAIM_MS });
  // Whatever came of it, the next look at the members shows.
  return waiting(
    told.type === "done" ? "the cluster to take it in" : `its place: ${http}: ${told.reason}`,
  );
}

/** The name of a vacancy at this node's own address, if there is one. */
async function vacancyFor(
  self: Member,
  members: readonly MemberReport[],
): Promise<string | undefined> {
  for (const { name, peer } of members) {
    const address = isVacancy(name) ? parseHostPort(peer) : undefined;
    if (address?.port !== self.portBase + PEER_OFFSET) continue;
    if (address.host === self.host || (await isThisMachine(self.host, address.host))) return name;
  }
  return undefined;
}

/** Whether a node that listens at `listens` is reached at `host`. */
async function isThisMachine(listens: string, host: string): Promise<boolean> {
  const { address } = await lookup(host).catch(() => ({ address: "" }));
  if (address === listens) return true;
  if (listens !== "0.0.0.0" && listens !== "::") return false;
  const own = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
  return own.some((each) => each.address === address);
}

/** @throws CliError if the cluster runs what this build cannot. */
function bookOf(report: NodeReport, self: Member): Book {
  const members = report.members
    .filter(({ name }) => !isVacancy(name))
    .map(({ name, peer }) => known(name, peer, report));
  const engines = report.groups
    .filter(({ engine }) => engine !== "")
    .map(({ name, engine }) => `${name}=${engine}`)
    .join(",");
  const consensus = engines === "" ? new Map() : parseEngines(engines);
  if (consensus === undefined) {
    const reason = `${report.name} runs ${engines}, which this build cannot`;
    throw new CliError({ code: "node", node: self.name, reason });
  }
  const own = report.members.find(({ name }) => name === self.name);
  return {
    clusterToken: report.clusterToken,
    founders: report.founders.map(({ name, peer }) => known(name, peer, report)),
    members,
    services: serviceNames().filter((name) => own?.services[name] !== undefined),
    consensus,
  };
}

function known(name: string, peer: string, report: NodeReport): Member {
  const member = memberAt(name, peer);
  if (member !== undefined) return member;
  const reason = `${report.name} says that ${name} is at ${peer}, which is no address`;
  throw new CliError({ code: "settings", reason });
}

/** The port for people and tools, from that for peers. */
function httpOf(contact: string): string {
  const { host, portBase } = memberAt("", contact) ?? { host: contact, portBase: 0 };
  return hostPort(host, portBase + HTTP_OFFSET);
}

function waiting(what: string): Step {
  return { type: "waiting", what };
}
