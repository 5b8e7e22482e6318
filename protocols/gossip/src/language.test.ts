/** How gossip is written in transcripts. */

import type { NodeId } from "@quorate/kernel";
import { unreachable } from "@quorate/kernel";
import type { Language } from "@quorate/lab";

import { GossipClaims } from "./claims.ts";
import { lan } from "./config.ts";
import type { Message, Part } from "./messages.ts";
import { plainWire } from "./plain-wire.ts";
import { type SerfConfig, serfDefaults } from "./serf/config.ts";
import type { SerfMessage } from "./serf/messages.ts";
import { Serf } from "./serf/serf.ts";
import type { GossipWords, Note, Output, Record, Request, Response } from "./words.ts";

function bodyText(body: SerfMessage): string {
  switch (body.type) {
    case "leave":
      return `leave ${body.node} @${body.ltime}${body.prune ? " prune" : ""}`;
    case "join":
      return `join ${body.node} @${body.ltime}`;
    case "userEvent":
      return `event ${body.name} @${body.ltime}`;
    case "query":
      return `query ${body.name} @${body.ltime} from ${body.sourceNode}`;
    case "queryResponse":
      return `${body.ack ? "acknowledges" : "answers"} @${body.ltime} from ${body.from}`;
    case "relay":
      return `pass on to ${body.destinationName}: ${bodyText(body.body)}`;
    default:
      return unreachable(body);
  }
}

function partText(part: Part): string {
  switch (part.type) {
    case "ping":
      return `ping ${part.node} #${part.seq}`;
    case "indirectPing":
      return `ping ${part.node} for me #${part.seq}`;
    case "ack":
    case "nack":
      return `${part.type} #${part.seq}`;
    case "suspect":
      return `suspect ${part.node} i${part.incarnation} by ${part.from}`;
    case "alive": {
      const at = part.address === part.node ? "" : ` at ${part.address}`;
      return `alive ${part.node} i${part.incarnation}${at}`;
    }
    case "dead":
      return `dead ${part.node} i${part.incarnation} by ${part.from}`;
    case "user":
      return bodyText(part.body);
    default:
      return unreachable(part);
  }
}

function messageText(message: Message): string {
  switch (message.type) {
    case "packet":
      return message.parts.map(partText).join(" + ");
    case "pushPull": {
      const members = message.members.map(
        ({ name, incarnation, state }) => `${name} i${incarnation} ${state}`,
      );
      const what = message.reply ? "state back" : message.join ? "joins with state" : "state";
      return `${what}: ${members.join(", ")}`;
    }
    case "streamPing":
      return `stream ping ${message.node} #${message.seq}`;
    case "streamAck":
      return `stream ack #${message.seq}`;
    case "streamError":
      return `stream error: ${message.text}`;
    default:
      return unreachable(message);
  }
}

function noteText(note: Note): string {
  const { type, ...rest } = note;
  return [type, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(" ");
}

function outputText(output: Output): string {
  switch (output.type) {
    case "member":
      return `${output.change} ${output.member.name}`;
    case "members":
      return `${output.change} ${output.members.map(({ name, status }) => `${name} (${status})`).join(", ")}`;
    case "userEvent":
      return `event ${output.event.name} @${output.event.ltime}`;
    case "query":
      return `query ${output.query.name} @${output.query.ltime}`;
    case "keyRequest":
      return `key ${output.operation}`;
    case "queryAck":
    case "queryResponse":
      return `${output.type} from ${output.from}`;
    case "queryDone":
      return "queryDone";
    case "nameTaken":
      return `nameTaken by ${output.by}`;
    default:
      return unreachable(output);
  }
}

function recordText(record: Record): string {
  const { type, ...rest } = record;
  return [type, ...Object.values(rest)].join(" ");
}

function responseText(response: Response): string {
  switch (response.type) {
    case "joined": {
      const failed = response.failures.map(({ address, reason }) => `, ${address}: ${reason}`);
      return `joined through ${response.contacted}${failed.join("")}`;
    }
    case "sent":
    case "asked":
      return `${response.type} @${response.ltime}`;
    case "refused":
      return `refused: ${response.reason}`;
    case "keys":
      return `keys of ${response.outcome.responses}`;
    case "left":
    case "done":
      return response.type;
    default:
      return unreachable(response);
  }
}

function request(words: readonly string[]): Request {
  const [verb, first = "", second = ""] = words;
  switch (verb) {
    case "join":
      return { type: "join", addresses: first.split(","), replay: false };
    case "leave":
      return { type: "leave" };
    case "tag":
      return { type: "setTags", tags: { role: first } };
    case "event":
      return { type: "userEvent", name: first, payload: new Uint8Array(0), coalesce: false };
    case "query": {
      const query = { payload: new Uint8Array(0), filters: [], ack: false, timeoutMs: undefined };
      return { type: "query", name: first, relayFactor: Number(second), ...query };
    }
    case "respond": {
      const answer = { id: 0, payload: new Uint8Array(0) };
      return { type: "respond", ltime: Number(first), ...answer };
    }
    case "force-leave":
      return { type: "forceLeave", node: first, prune: second === "prune" };
    default:
      throw new Error("ask join, leave, tag, event, query, respond or force-leave");
  }
}

/** A node; `name.d=c` calls node d c, and `cluster.d=blue` has it accept only its own. */
function create(id: NodeId, settings: ReadonlyMap<string, string>): Serf {
  const name = settings.get(`name.${id}`) ?? id;
  const cluster = settings.get(`cluster.${id}`);
  const tags = cluster === undefined ? {} : { cluster };
  const swim: { [field: string]: unknown } = { ...lan({ name, wire: plainWire }) };
  for (const [field, value] of settings) {
    if (typeof swim[field] === "number") swim[field] = Number(value);
  }
  const admission: SerfConfig["admission"] =
    cluster === undefined ? { type: "anyone" } : { type: "tagged", tags };
  // The loop above keeps the type of every field.
  const base = swim as unknown as ReturnType<typeof lan>;
  return new Serf(serfDefaults(base, { coordinates: false, tags, admission }));
}

/** Each script gets promises of its own to check. */
export function gossipLanguage(): Language<GossipWords, Serf> {
  const claims = new GossipClaims();
  return {
    create: (id, _nodes, settings) => create(id, settings),
    request,
    kind(message) {
      if (message.type !== "packet") return message.type;
      const [first] = message.parts;
      return first?.type === "user" ? first.body.type : (first?.type ?? "empty");
    },
    message: messageText,
    record: recordText,
    response: responseText,
    output: outputText,
    note: noteText,
    state(node) {
      const members = node.members
        .all()
        .map(({ name, incarnation, state }) => `${name} i${incarnation} ${state}`);
      const roll = node.memberList().map(({ name, status }) => `${name} ${status}`);
      return `${members.join(", ")}; roll: ${roll.join(", ")}; health ${node.health}`;
    },
    check(nodes) {
      for (const [, node] of nodes) claims.witness(node);
      for (const [id, node] of nodes) {
        // Twins share a name: whose incarnation is whose cannot be told.
        if (node.name !== id) return undefined;
      }
      for (const [id, node] of nodes) {
        const broken = claims.check(id, node);
        if (broken !== undefined) return broken;
      }
      return undefined;
    },
  };
}
