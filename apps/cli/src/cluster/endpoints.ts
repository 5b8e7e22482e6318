/** Which nodes a command talks to, from its flags. */

import { CliError } from "../errors.ts";
import { readAuthorities, readIdentity } from "../settings/certificates.ts";
import { resolveSettings } from "../settings/settings.ts";
import type { AskTls } from "./ask.ts";
import { localMembers } from "./members.ts";
import { hostPort, parseHostPort } from "./ports.ts";

/** Flags of the commands that ask. */
export interface AskFlags {
  readonly endpoints?: string;
  readonly portBase?: string;
  readonly json?: boolean;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Endpoints {
  readonly endpoints: readonly string[];
  /** Whether somebody named them; a guess that nobody answers is no member. */
  readonly named: boolean;
  readonly tls: AskTls | undefined;
}

/** As many as `quorate up` runs unless told. */
const USUAL_NODES = 3;

/**
 * Whom to ask, and how; without --endpoints, the ports `offset` of a cluster on this machine.
 * @throws CliError
 */
export function endpointsOf(flags: AskFlags, offset: number): Endpoints {
  const named = flags.endpoints !== undefined;
  const raw = named ? split(flags.endpoints) : guessed(flags.portBase, offset);
  const secure = raw.some((endpoint) => endpoint.startsWith("https://"));
  const endpoints = raw.map((endpoint) => endpoint.replace(/^https?:\/\//, "").replace(/\/$/, ""));
  for (const endpoint of endpoints) {
    if (parseHostPort(endpoint) !== undefined) continue;
    const allowed = "a list of HOST:PORT with commas";
    throw new CliError({ code: "setting", source: "--endpoints", value: endpoint, allowed });
  }
  return { endpoints, named, tls: tlsOf(flags, secure) };
}

/** Ports of a cluster on this machine. */
function guessed(portBase: string | undefined, offset: number): readonly string[] {
  const sources = { flags: { portBase }, environment: process.env, file: undefined };
  const { values } = resolveSettings(["portBase"], sources);
  return localMembers(USUAL_NODES, "127.0.0.1", values.portBase).map((member) =>
    hostPort(member.host, member.portBase + offset),
  );
}

/** Certificates by their flags; undefined for plain connections. @throws CliError for files that cannot do. */
function tlsOf(flags: AskFlags, secure: boolean): AskTls | undefined {
  const { cacert, cert, key } = flags;
  if (!secure && cacert === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CliError({ code: "settings", reason: "--cert and --key go together" });
  }
  const trusted = cacert && { ca: readAuthorities({ path: cacert, source: "--cacert" }) };
  const shown =
    cert && key && readIdentity({ path: cert, source: "--cert" }, { path: key, source: "--key" });
  return { ...trusted, ...shown };
}

function split(list: string): readonly string[] {
  return list.split(",").map((each) => each.trim());
}
