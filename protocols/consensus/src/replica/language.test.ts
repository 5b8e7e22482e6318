/** How a replica's values are written in transcripts, on Raft and with the journal as its machine. */

import { decode, MalformedInput, unreachable } from "@quorate/kernel";
import type { Language } from "@quorate/lab";

import { RaftClaims } from "../raft/claims.ts";
import {
  plain,
  raftConfig,
  raftKind,
  raftMessage,
  raftNote,
  raftOutput,
  raftRecord,
  raftRequest,
  raftResponse,
  raftState,
  type ShowData,
} from "../raft/language.test.ts";
import type { RaftWords } from "../raft/messages.ts";
import { Raft } from "../raft/raft.ts";
import { REPLICA_DEFAULTS } from "./config.ts";
import { Journal } from "./journal.ts";
import { Replica } from "./replica.ts";
import {
  type Batch,
  batchCodec,
  OPEN_SESSION,
  type ReplicaMessage,
  type ReplicaNote,
  type ReplicaRecord,
  type ReplicaRequest,
  type ReplicaResponse,
  type ReplicaWords,
} from "./words.ts";

type Words = ReplicaWords<RaftWords, number>;
type JournalReplica = Replica<RaftWords, number>;

/** `a/1#2(x,y)`: the second batch of a's first life, with commands x and y. */
const batch: ShowData = (data) => {
  let read: Batch;
  try {
    read = decode(batchCodec, data);
  } catch (error) {
    if (error instanceof MalformedInput) return "nonsense";
    throw error;
  }
  const items = read.items.map(({ session, sequence, command }) => {
    if (session === OPEN_SESSION) return "open";
    return session === "" ? plain(command) : `${plain(command)}:${session}#${sequence}`;
  });
  return `${read.client}/${read.epoch}#${read.sequence}(${items.join(",")})`;
};

function message(m: ReplicaMessage<RaftWords>): string {
  switch (m.type) {
    case "log":
      return raftMessage(m.message, batch);
    case "forward":
      return `forward ${batch(m.batch)}`;
    case "readIndex":
      return `readIndex life ${m.epoch} round ${m.round}`;
    case "readAt":
      return `readAt life ${m.epoch} round ${m.round} index ${m.index}`;
    case "piece": {
      const last = m.last === undefined ? "" : `, last of ${m.last.meta.index}@${m.last.meta.term}`;
      return `piece of ${m.index} stream ${m.stream} number ${m.sequence}${last}`;
    }
    case "pieceAck":
      return `pieceAck stream ${m.stream} next ${m.next}${m.busy ? ", busy" : ""}`;
    case "snapshotDone":
      return `snapshotDone stream ${m.stream} at ${m.index}`;
    case "errand":
      return `errand ${m.number}: ${m.request.type}`;
    case "errandDone":
      return `errandDone ${m.number}: ${raftResponse(m.answer)}`;
    case "sendSnapshot":
      return `sendSnapshot to ${m.to} of ${m.atLeast} or later`;
    case "snapshotNews":
      return `snapshotNews ${m.to} ${m.state} ${m.index}`;
    default:
      return unreachable(m);
  }
}

function record(r: ReplicaRecord<RaftWords>): string {
  switch (r.type) {
    case "log":
      return raftRecord(r.record, batch);
    case "boot":
      return `boot ${r.epoch}`;
    case "piece":
      return `piece of ${r.data.length} bytes${r.first ? ", the first" : ""}`;
    default:
      return unreachable(r);
  }
}

function response(r: ReplicaResponse<number>): string {
  switch (r.type) {
    case "executed":
      return `executed, as line ${r.result}`;
    case "opened":
      return `opened session ${r.session}`;
    case "sessionLost":
      return "session lost";
    case "readable":
      return `readable at ${r.index}`;
    case "noted":
      return "noted";
    case "checkpointed":
      return `checkpointed at ${r.index}`;
    case "checkpointRefused":
      return `no checkpoint: ${r.waiting} wait for one`;
    default:
      return raftResponse(r);
  }
}

function note(n: Words["Note"]): string {
  return n.type === "log" ? raftNote(n.note) : ownNote(n);
}

function ownNote(n: ReplicaNote): string {
  switch (n.type) {
    case "checkpoint":
      return `checkpoint at ${n.index}`;
    case "snapshotSending":
      return `sending a snapshot of ${n.index} to ${n.to}`;
    case "snapshotSent":
      return `sent a snapshot to ${n.to}, which is at ${n.index}`;
    case "snapshotFailed":
      return `no snapshot for ${n.to}: ${n.reason}`;
    case "restored":
      return `restored at ${n.index}`;
    default:
      return unreachable(n);
  }
}

function request(words: readonly string[]): ReplicaRequest {
  const [verb, first = "", second, third] = words;
  switch (verb) {
    case "execute": {
      const once = second === undefined ? undefined : { session: second, sequence: Number(third) };
      return { type: "execute", command: new TextEncoder().encode(first), timeMs: 0, once };
    }
    case "open":
      return { type: "open", timeMs: 0 };
    case "read":
      return {
        type: "read",
        level: first === "lease" || first === "local" ? first : "linearizable",
      };
    case "checkpoint":
      return { type: "checkpoint" };
    default: {
      const asked = raftRequest(words);
      const { type } = asked;
      const own = type === "transfer" || type === "reconfigure" || type === "seal";
      if (own || type === "health") return asked;
      throw new Error(`a replica understands no ${verb}`);
    }
  }
}

function state(replica: JournalReplica): string {
  const lines = (replica.machine as Journal).lines.map((line) => line.command);
  // The scripts' replicas stand on Raft.
  const log = raftState(replica.log as Raft, batch);
  return `journal [${lines.join(" ")}] applied ${replica.applied}; ${log}`;
}

function replicaConfig(settings: ReadonlyMap<string, string>): typeof REPLICA_DEFAULTS {
  const config: { [key: string]: number } = { ...REPLICA_DEFAULTS };
  for (const [name, value] of settings) {
    if (name in config) config[name] = Number(value);
  }
  // The loop above changes values, never names.
  return config as unknown as typeof REPLICA_DEFAULTS;
}

export function replicaLanguage(): Language<Words, JournalReplica> {
  const claims = new RaftClaims();
  return {
    create: (_id, nodes, settings) =>
      new Replica(new Raft(raftConfig(nodes, settings)), new Journal(), replicaConfig(settings)),
    request,
    kind: (m) => (m.type === "log" ? raftKind(m.message) : m.type),
    message,
    record,
    response,
    output: (o) =>
      o.type === "role" || o.type === "configuration" ? raftOutput(o) : `${o.type} ${o.index}`,
    note,
    state,
    check: (nodes) => claims.check(nodes.map(([id, { log }]) => [id, log as Raft] as const)),
  };
}
