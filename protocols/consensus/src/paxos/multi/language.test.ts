/**
 * How Multi-Paxos' values are written in transcripts. `2.a` is the ballot of a's
 * attempt in round 2; values are shown by their text, with the round in which
 * they were first proposed where it is not the ballot's.
 */

import { unreachable } from "@quorate/kernel";
import type { Language } from "@quorate/lab";

import {
  compactingRequest,
  compacts,
  entries,
  metaText,
  plain,
  raftConfig,
  raftOutput,
  raftResponse,
  type ShowData,
} from "../../raft/language.test.ts";
import type { Ballot } from "./ballot.ts";
import { MultiPaxosClaims } from "./claims.ts";
import { type MultiPaxosConfig, multiPaxosDefaults } from "./config.ts";
import type { Message, MultiPaxosWords, Note, Record } from "./messages.ts";
import { MultiPaxos } from "./multi-paxos.ts";
import type { Run } from "./slots.ts";

function ballot({ round, node }: Ballot): string {
  return `${round}.${node}`;
}

/** `[1: x y in 1.a, 4: z in 2.b]`. */
function runs(list: readonly Run[], show: ShowData): string {
  const words = list.map((run) => {
    const values = entries(run.entries, run.ballot.round, show).slice(1, -1);
    return `${run.index}: ${values} in ${ballot(run.ballot)}`;
  });
  return `[${words.join(", ")}]`;
}

export function paxosMessage(m: Message, show: ShowData = plain): string {
  switch (m.type) {
    case "poll":
      return `poll round ${m.round}`;
    case "polled": {
      const near = m.near === 0 ? "" : ` near ${m.near}`;
      return `polled ${m.happy ? "happy" : "unhappy"} round ${m.round} promised ${ballot(m.ballot)}${near}`;
    }
    case "prepare":
      return `prepare ${ballot(m.ballot)} from ${m.from}${m.summons === undefined ? "" : ` for ${ballot(m.summons)}`}`;
    case "promise": {
      const more = m.through < m.last ? `, more up to ${m.last}` : "";
      return `promise ${ballot(m.ballot)} from ${m.from} ${runs(m.runs, show)}${more} commit ${m.commit}`;
    }
    case "behind":
      return `behind ${ballot(m.ballot)} base ${m.base}`;
    case "nack":
      return `nack promised ${ballot(m.ballot)}`;
    case "accept": {
      const values = entries(m.entries, m.ballot.round, show);
      return `accept ${ballot(m.ballot)} ${m.index}.. ${values} commit ${m.commit}`;
    }
    case "accepted":
      return `accepted ${ballot(m.ballot)} up to ${m.index}`;
    case "decide":
      return `decide ${ballot(m.ballot)} commit ${m.commit}`;
    case "heartbeat": {
      const sent = m.sent === 0 ? "" : ` sent ${m.sent}`;
      return `heartbeat ${ballot(m.ballot)} round ${m.round} commit ${m.commit}${sent}`;
    }
    case "heartbeatAck": {
      const slow = m.slow ? ", slow" : "";
      return `heartbeatAck ${ballot(m.ballot)} round ${m.round} up to ${m.index}${slow}`;
    }
    case "missing":
      return `missing ${ballot(m.ballot)} from ${m.from}`;
    case "takeOver":
      return `takeOver ${ballot(m.ballot)}`;
    default:
      return unreachable(m);
  }
}

export function paxosRecord(r: Record, show: ShowData = plain): string {
  switch (r.type) {
    case "promised":
      return `promised ${ballot(r.ballot)}`;
    case "accepted": {
      const values = entries(r.entries, r.ballot.round, show);
      return `accepted ${ballot(r.ballot)} ${r.index}.. ${values} commit ${r.commit}`;
    }
    case "base":
      return `base ${r.index}@${r.term}`;
    case "snapshot":
      return `snapshot ${metaText(r.meta)}`;
    default:
      return unreachable(r);
  }
}

function note(n: Note): string {
  switch (n.type) {
    case "polling":
      return `polling, round ${n.round}`;
    case "preparing":
      return `preparing round ${n.term} from slot ${n.from}`;
    case "elected":
      return `elected in round ${n.term}`;
    case "steppedDown":
      return `stepped down in round ${n.term}: ${n.reason}`;
    case "reconfiguring":
      return `reconfiguring in round ${n.term}`;
    case "filled":
      return `filled slot ${n.index}`;
    case "lagging":
      return `${n.peer} lags`;
    case "behind":
      return `is behind ${n.peer}`;
    case "quorumsDiffer":
      return `${n.peer} has other quorums`;
    default:
      return unreachable(n);
  }
}

function state({ role, promised, leader, commitIndex, slots, progress }: MultiPaxos): string {
  const { index, term } = slots.base;
  const base = index === 0 ? "" : `${index}@${term} `;
  const held = runs(slots.runs(slots.firstIndex, Infinity).runs, plain);
  const peers = [...progress].map(
    ([peer, { state: how, match, next }]) => ` ${peer}:${how} ${match}/${next}`,
  );
  const about = role === "leader" ? `;${peers.join("")}` : ` of ${leader ?? "nobody"}`;
  return `${role} promised ${ballot(promised)}${about}; slots ${base}${held} commit ${commitIndex}`;
}

/** The settings that `cluster` understands: Raft's, `window=4` and `quorums=PREPARE,ACCEPT`. */
function paxosConfig(
  nodes: readonly string[],
  settings: ReadonlyMap<string, string>,
): MultiPaxosConfig {
  const common = raftConfig(nodes, settings);
  const { window } = multiPaxosDefaults(common.initial);
  const [prepare = 0, accept = 0] = settings.get("quorums")?.split(",").map(Number) ?? [];
  return {
    ...common,
    window: Number(settings.get("window") ?? window),
    quorums: settings.has("quorums") ? { prepare, accept } : undefined,
  };
}

class CompactingPaxos extends MultiPaxos {
  override onRequest(...[ctx, id, request]: Parameters<MultiPaxos["onRequest"]>): void {
    if (!compacts(this, request)) super.onRequest(ctx, id, request);
  }
}

/** Each script gets promises of its own to check. */
export function paxosLanguage(): Language<MultiPaxosWords, MultiPaxos> {
  const claims = new MultiPaxosClaims();
  return {
    create: (_id, nodes, settings) => new CompactingPaxos(paxosConfig(nodes, settings)),
    request: compactingRequest,
    kind: (m) => m.type,
    message: paxosMessage,
    record: paxosRecord,
    response: raftResponse,
    output: raftOutput,
    note,
    state,
    check: (nodes) => claims.check(nodes),
  };
}
