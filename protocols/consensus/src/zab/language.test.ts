/**
 * How Zab's values are written in transcripts. `2:5` is the zxid of the entry with
 * counter 5 of epoch 2; `s1#3` is the third message of session 1.
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
} from "../raft/language.test.ts";
import { ZabClaims } from "./claims.ts";
import type { Message, Note, Record, Streamed, Vote, ZabWords } from "./messages.ts";
import { Zab } from "./zab.ts";
import type { Zxid } from "./zxid.ts";

function zxid({ epoch, counter }: Zxid): string {
  return `${epoch}:${counter}`;
}

function vote(v: Vote | undefined): string {
  if (v === undefined) return "for nobody";
  const rank = v.rank === 1 ? "" : ` rank ${v.rank}`;
  return `for ${v.node} (epoch ${v.peerEpoch}, ${zxid(v.zxid)}${rank})`;
}

function streamed(m: Streamed, show: ShowData): string {
  const head = `${m.type} e${m.epoch} s${m.session}#${m.number}`;
  switch (m.type) {
    case "sync":
      return `${head} ${m.mode} ${zxid(m.zxid)}`;
    case "propose":
      return `${head} ${zxid(m.zxid)}.. ${entries(m.entries, m.epoch, show)} commit ${zxid(m.commit)}`;
    case "inform":
      return `${head} ${zxid(m.zxid)}.. ${entries(m.entries, m.epoch, show)}`;
    case "commit":
    case "upToDate":
      return `${head} ${zxid(m.zxid)}`;
    case "newLeader":
      return head;
    default:
      return unreachable(m);
  }
}

export function zabMessage(m: Message, show: ShowData = plain): string {
  switch (m.type) {
    case "notification": {
      const hears = m.hears ? ", hears you" : "";
      return `notification r${m.round} ${m.state} ${vote(m.vote)} commit ${zxid(m.commit)}${hears}`;
    }
    case "followerInfo": {
      const from = m.acceptedFrom === "" ? "" : ` from ${m.acceptedFrom}`;
      return `followerInfo accepted e${m.acceptedEpoch}${from} attempt ${m.attempt}`;
    }
    case "leaderInfo":
      return `leaderInfo e${m.epoch} s${m.session} attempt ${m.attempt}`;
    case "ackEpoch": {
      const ends = m.ends.map((end) => zxid(end)).join(" ");
      return `ackEpoch e${m.epoch} s${m.session} current e${m.currentEpoch} history ${ends}`;
    }
    case "ack":
      return `ack e${m.epoch} s${m.session} ${zxid(m.zxid)}${m.synced ? "" : " in sync"}`;
    case "ping": {
      const sent = m.sent === 0 ? "" : ` sent ${m.sent}`;
      return `ping e${m.epoch} s${m.session}${m.established ? "" : " not yet"} round ${m.round}${sent}`;
    }
    case "pong": {
      const how = `${m.slow ? ", slow" : ""}${m.synced ? "" : " in sync"}`;
      return `pong e${m.epoch} s${m.session} round ${m.round} ${zxid(m.zxid)}${how}`;
    }
    case "ended":
      return `ended e${m.epoch} s${m.session}`;
    case "resigned":
      return `resigned e${m.epoch}${m.successor === undefined ? "" : ` for ${m.successor}`}`;
    default:
      return streamed(m, show);
  }
}

export function zabRecord(r: Record, show: ShowData = plain): string {
  switch (r.type) {
    case "acceptedEpoch":
      return `acceptedEpoch ${r.epoch} from ${r.from}`;
    case "currentEpoch":
      return `currentEpoch ${r.epoch}`;
    case "history":
      return `history ${r.index}.. ${entries(r.entries, 0, show)}`;
    case "committed":
      return `committed ${r.index}`;
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
    case "looking":
      return `looking, round ${n.round}`;
    case "following":
      return `following ${n.leader}, round ${n.round}`;
    case "discovering":
      return `discovering, round ${n.round}`;
    case "acceptedEpoch":
      return `accepted epoch ${n.epoch} from ${n.from}`;
    case "synchronising":
      return `synchronising epoch ${n.epoch}`;
    case "synchronised":
      return `synchronised ${n.peer} by ${n.mode}`;
    case "elected":
      return `elected in epoch ${n.term}`;
    case "established":
      return `established in epoch ${n.epoch} with ${n.initial} entries`;
    case "steppedDown":
      return `stepped down in epoch ${n.term}: ${n.reason}`;
    case "sessionEnded":
      return `ended s${n.session} with ${n.leader}`;
    case "truncated":
      return `truncated ${n.from}..${n.to}`;
    case "reconfiguring":
      return `reconfiguring in epoch ${n.term}`;
    case "lagging":
      return `${n.peer} lags`;
    default:
      return unreachable(n);
  }
}

function state(zab: Zab): string {
  const { role, phase, followed, acceptedEpoch, currentEpoch, log, commitIndex, progress } = zab;
  const { index, term } = log.base;
  const base = index === 0 ? "" : `${index}@${term} `;
  const held = entries(log.slice(log.firstIndex, Infinity), 0, plain);
  const peers = [...progress].map(
    ([peer, { session, state: how, match, next, synced }]) =>
      ` ${peer}:${session === 0 ? "away" : `s${session} ${how}`} ${match}/${next}${synced ? "" : " in sync"}`,
  );
  const about = peers.length > 0 ? `;${peers.join("")}` : ` of ${followed ?? "nobody"}`;
  const epochs = `e${currentEpoch}${acceptedEpoch === currentEpoch ? "" : ` accepted e${acceptedEpoch}`}`;
  return `${role} in ${phase} ${epochs}${about}; history ${base}${held} commit ${commitIndex}`;
}

class CompactingZab extends Zab {
  override onRequest(...[ctx, id, request]: Parameters<Zab["onRequest"]>): void {
    if (!compacts(this, request)) super.onRequest(ctx, id, request);
  }
}

/** Each script gets promises of its own to check. */
export function zabLanguage(): Language<ZabWords, Zab> {
  const claims = new ZabClaims();
  return {
    create: (_id, nodes, settings) => new CompactingZab(raftConfig(nodes, settings)),
    request: compactingRequest,
    kind: (m) => m.type,
    message: zabMessage,
    record: zabRecord,
    response: raftResponse,
    output: raftOutput,
    note,
    state,
    check: (nodes) => claims.check(nodes),
  };
}
