/**
 * How Raft's values are written in transcripts. `5@2` is the entry at index 5
 * of term 2; entries are shown by their text, with their term where it is not
 * the message's.
 */

import { decode, unreachable } from "@quorate/kernel";
import type { Language } from "@quorate/lab";

import {
  type Configuration,
  configurationCodec,
  type Entry,
  type Index,
  type SnapshotMeta,
  type Term,
} from "../entry.ts";
import { type ChangeRefused, founded, type MembershipChange } from "../membership.ts";
import type {
  LogOutput,
  LogRequest,
  LogResponse,
  LogWords,
  OrderedLog,
  Rejected,
} from "../ordered-log.ts";
import type { Log } from "../log.ts";
import { RaftClaims } from "./claims.ts";
import { lan, type RaftConfig } from "./config.ts";
import type { Message, Note, RaftWords, Record } from "./messages.ts";
import { Raft } from "./raft.ts";
import { standIn } from "./repair.ts";

/** How the data of a command is shown. */
export type ShowData = (data: Uint8Array) => string;

export const plain: ShowData = (data) => new TextDecoder().decode(data);

function place(index: Index, term: Term): string {
  return `${index}@${term}`;
}

export function entries(list: readonly Entry[], term: Term, show: ShowData): string {
  const words = list.map((entry) => {
    const text = entryText(entry, show);
    return entry.term === term ? text : `${text}@${entry.term}`;
  });
  return `[${words.join(" ")}]`;
}

function entryText({ kind, data }: Entry, show: ShowData): string {
  switch (kind) {
    case "command":
      return show(data);
    case "configuration":
      return `<${configurationText(decode(configurationCodec, data))}>`;
    case "seal":
      return `seal(${plain(data)})`;
    default:
      return kind;
  }
}

export function raftKind(m: Message): string {
  if (m.type === "requestVote") return m.pre ? "preVote" : "requestVote";
  if (m.type === "vote") return m.pre ? "preVoted" : "voted";
  return m.type;
}

export function raftMessage(m: Message, show: ShowData = plain): string {
  const head = `${raftKind(m)} t${m.term}`;
  switch (m.type) {
    case "requestVote": {
      const transfer = m.transfer ? " for a transfer" : "";
      return `${head} log ${place(m.lastIndex, m.lastTerm)} round ${m.round}${transfer}`;
    }
    case "vote":
      return `${head} ${m.granted ? "yes" : "no"} round ${m.round}`;
    case "append": {
      const after = place(m.prevIndex, m.prevTerm);
      return `${head} after ${after} ${entries(m.entries, m.term, show)} commit ${m.commit}`;
    }
    case "appended":
      return `${head} up to ${m.index}`;
    case "refused":
      return `${head} after ${m.prevIndex} hint ${place(m.hintIndex, m.hintTerm)}`;
    case "heartbeat":
      return `${head} round ${m.round} commit ${m.commit}`;
    case "heartbeatAck":
      return `${head} round ${m.round}${m.slow ? ", slow" : ""}`;
    case "lost":
      return `${head} from ${m.index}`;
    case "fetch":
      return `${head} ${place(m.index, m.entryTerm)} round ${m.round}`;
    case "fetched":
      return `${head} ${m.index}.. ${entries(m.entries, m.term, show)}`;
    case "absent":
      return `${head} ${m.index} round ${m.round}`;
    case "timeoutNow":
      return `${head} log ${m.lastIndex}`;
    default:
      return unreachable(m);
  }
}

export function metaText({ index, term, configurationIndex }: SnapshotMeta): string {
  return `${place(index, term)} configuration ${configurationIndex}`;
}

export function raftRecord(r: Record, show: ShowData = plain): string {
  switch (r.type) {
    case "state":
      return `state t${r.term} votes ${r.votedFor ?? "nobody"}`;
    case "base":
      return `base ${place(r.index, r.term)}`;
    case "entries":
      return `entries ${r.index}.. ${entries(r.entries, 0, show)}`;
    case "damaged":
      return `damaged ${r.index}.. of ${r.terms.map((term) => `t${term}`).join(" ")}`;
    case "mended":
      return `mended ${r.index}.. ${entries(r.entries, 0, show)}`;
    case "snapshot":
      return `snapshot ${metaText(r.meta)}`;
    default:
      return unreachable(r);
  }
}

export function rejectedText({ reason, leader, definite }: Rejected): string {
  const outcome = definite ? "no effect" : "outcome unknown";
  return `rejected: ${reason}, ${outcome}, leader ${leader ?? "unknown"}`;
}

export function changeRefusedText({ problem, node }: ChangeRefused): string {
  return `change refused: ${problem}${node === undefined ? "" : ` ${node}`}`;
}

/** `a b +c -d`: a and b vote, c learns, d is on its way out. */
export function configurationText(c: Configuration): string {
  const learners = c.learners.map((node) =>
    c.promotable.includes(node) ? `+${node}!` : `+${node}`,
  );
  const outgoing = c.outgoing.length === 0 ? [] : ["with", ...c.outgoing];
  const traits = c.traits.map(({ node, priority }) => `${node}:${priority}`);
  return [...c.voters, ...learners, ...outgoing, ...traits].join(" ");
}

export function raftResponse(r: LogResponse): string {
  switch (r.type) {
    case "committed":
      return `committed ${place(r.index, r.term)}`;
    case "readable":
      return `readable at ${r.index}`;
    case "transferred":
      return `transferred to ${r.leader}`;
    case "reconfigured":
      return `reconfigured at ${r.index}: ${configurationText(r.configuration)}`;
    case "sealed":
      return `sealed ${place(r.index, r.term)}`;
    case "installed":
      return "installed";
    case "changeRefused":
      return changeRefusedText(r);
    case "rejected":
      return rejectedText(r);
    default:
      return unreachable(r);
  }
}

export function raftOutput(o: LogOutput, show: ShowData = plain): string {
  switch (o.type) {
    case "committed":
      return `committed ${o.index}.. ${entries(o.entries, 0, show)}`;
    case "role":
      return `${o.role} t${o.term} leader ${o.leader ?? "unknown"}`;
    case "configuration": {
      const committed = o.committed ? ", committed" : "";
      return `configuration ${o.index}: ${configurationText(o.configuration)}${committed}`;
    }
    case "snapshotWanted":
      return `snapshot of ${o.atLeast} or later wanted for ${o.to} from ${o.sources.join(" or ")}`;
    case "installed":
      return `installed ${metaText(o.meta)}`;
    default:
      return unreachable(o);
  }
}

export function raftNote(n: Note): string {
  switch (n.type) {
    case "campaigning":
      return `campaigning for t${n.term}${n.pre ? ", asking first" : ""}`;
    case "elected":
      return `elected in t${n.term}`;
    case "steppedDown":
      return `stepped down in t${n.term}: ${n.reason}`;
    case "reconfiguring":
      return `reconfiguring in t${n.term}${n.joint ? ", jointly" : ""}`;
    case "truncated":
      return `truncated ${n.from}..${n.to}`;
    case "damaged":
      return `damaged from ${n.from}, ${n.entries} in all`;
    case "mended":
      return `mended ${n.from}..${n.to}`;
    case "lagging":
      return `${n.peer} lags`;
    default:
      return unreachable(n);
  }
}

/** A log's entries; what is lost of them is `?`. */
export function logText(log: Log, show: ShowData = plain): string {
  const lost = new TextEncoder().encode("?");
  const known = log.slice(log.firstIndex, Infinity).map((entry, i): Entry => {
    const isLost = log.lost.has(log.firstIndex + i);
    return isLost ? { term: entry.term, kind: "command", data: lost } : entry;
  });
  return entries(known, 0, (data) => (data === lost ? "?" : show(data)));
}

export function raftState(raft: Raft, show: ShowData = plain): string {
  const { role, term, leader, commitIndex, log } = raft;
  const held = logText(log, show);
  const base = log.base.index === 0 ? "" : `${place(log.base.index, log.base.term)} `;
  const peers = [...raft.progress].map(
    ([peer, { state, match, next }]) => ` ${peer}:${state} ${match}/${next}`,
  );
  const about = role === "leader" ? `;${peers.join("")}` : ` of ${leader ?? "nobody"}`;
  return `${role} t${term}${about}; log ${base}${held} commit ${commitIndex}`;
}

/** The names in a setting such as `learners=c,d`. */
function names(settings: ReadonlyMap<string, string>, name: string): readonly string[] | undefined {
  return settings
    .get(name)
    ?.split(",")
    .filter((id) => id !== "");
}

/** The settings that `cluster` understands: members, and Raft's own by their names. */
export function raftConfig(
  nodes: readonly string[],
  settings: ReadonlyMap<string, string>,
): RaftConfig {
  const learners = names(settings, "learners") ?? [];
  const initial = {
    voters: names(settings, "voters") ?? nodes.filter((id) => !learners.includes(id)),
    outgoing: names(settings, "outgoing") ?? [],
    learners,
  };
  const config: { [key: string]: unknown } = { ...lan(initial) };
  for (const [name, value] of settings) {
    if (name === "leaseReads") config[name] = value === "true";
    else if (typeof config[name] === "number") config[name] = Number(value);
  }
  // The loop above keeps the type of every field.
  return config as unknown as RaftConfig;
}

/** `add:d`, `learner:d`, `promote:d`, `demote:d`, `remove:d`, `replace:a,b,c` or `priority:a,2`. */
export function change(word: string): MembershipChange {
  const [verb, about = ""] = word.split(":");
  const [node = "", value] = about.split(",");
  switch (verb) {
    case "add":
      return { type: "add", node, as: "voter" };
    case "learner":
      return { type: "add", node, as: "learner" };
    case "promote":
    case "demote":
    case "remove":
      return { type: verb, node };
    case "replace":
      return { type: "replace", voters: about.split(",") };
    case "priority":
      return { type: "describe", node, priority: Number(value) };
    default:
      throw new Error(`${word} is no change of membership`);
  }
}

export function raftRequest(words: readonly string[]): LogRequest {
  const [verb, first = "", second = ""] = words;
  switch (verb) {
    case "propose":
      return { type: "propose", data: new TextEncoder().encode(first) };
    case "read":
      return { type: "read", level: first === "lease" ? "lease" : "linearizable" };
    case "transfer":
      return { type: "transfer", to: first === "" ? undefined : first };
    case "install": {
      const [index = 0, term = 0] = first.split("@").map(Number);
      const configuration = founded({ voters: second.split(",") });
      const meta = { index, term, configuration, configurationIndex: 0, sealed: false };
      return { type: "install", meta };
    }
    case "reconfigure":
      return { type: "reconfigure", changes: words.slice(1).map(change), basedOn: undefined };
    case "seal":
      return { type: "seal", data: new TextEncoder().encode(first) };
    case "health":
      return { type: "health", slow: first === "slow" };
    case "snapshotSent":
      return { type: "snapshotSent", to: first, index: Number(second) };
    case "snapshotFailed":
      return { type: "snapshotFailed", to: first };
    default:
      throw new Error(`a log understands no ${verb}`);
  }
}

const COMPACT = "compact:";

/** What a script can ask of a log that {@link compacts}, besides what any log understands. */
export function compactingRequest(words: readonly string[]): LogRequest {
  if (words[0] !== "compact") return raftRequest(words);
  return { type: "propose", data: new TextEncoder().encode(`${COMPACT}${words[1]}`) };
}

/** Compacts a log that is asked to, as a replica would after a checkpoint. Returns whether it was. */
export function compacts(
  log: Pick<OrderedLog<LogWords>, "compact" | "snapshotMeta">,
  request: LogRequest,
): boolean {
  if (request.type !== "propose" || !plain(request.data).startsWith(COMPACT)) return false;
  const index = Number(plain(request.data).slice(COMPACT.length));
  log.compact(log.snapshotMeta(index), 1, Infinity);
  return true;
}

class CompactingRaft extends Raft {
  override onRequest(...[ctx, id, request]: Parameters<Raft["onRequest"]>): void {
    if (!compacts(this, request)) super.onRequest(ctx, id, request);
  }
}

/** `damage=c:2`: when c starts again, entry 2 is lost. Tells which one a node that starts has lost. */
export function losesOnce(): (
  id: string,
  settings: ReadonlyMap<string, string>,
) => Index | undefined {
  const started = new Set<string>();
  return (id, settings) => {
    const [node, index] = settings.get("damage")?.split(":") ?? [];
    const again = started.has(id);
    started.add(id);
    return again && node === id ? Number(index) : undefined;
  };
}

/** Raft whose disk has lost the bytes of one entry when it starts again. */
class DamagedRaft extends CompactingRaft {
  private readonly lost: Index;

  constructor(config: RaftConfig, lost: Index) {
    super(config);
    this.lost = lost;
  }

  override recover(record: Record): void {
    if (record.type !== "entries") return super.recover(record);
    for (const [i, entry] of record.entries.entries()) {
      const one = { type: "entries", index: record.index + i, entries: [entry] } as const;
      super.recover(one.index === this.lost ? standIn(one)! : one);
    }
  }
}

/** Each script gets promises of its own to check. */
export function raftLanguage(): Language<RaftWords, Raft> {
  const claims = new RaftClaims();
  const lost = losesOnce();
  return {
    create: (id, nodes, settings) => {
      const config = raftConfig(nodes, settings);
      const index = lost(id, settings);
      return index === undefined ? new CompactingRaft(config) : new DamagedRaft(config, index);
    },
    request: compactingRequest,
    kind: raftKind,
    message: raftMessage,
    record: raftRecord,
    response: raftResponse,
    output: raftOutput,
    note: raftNote,
    state: raftState,
    check: (nodes) => claims.check(nodes),
  };
}
