/** How gossip reads in traces and transcripts: short, stable, a line each. */

import { unreachable } from "@quorate/kernel";

import type { Message, Part } from "./messages.ts";
import type { SerfMessage } from "./serf/messages.ts";
import type { Serf } from "./serf/serf.ts";
import type { Note, Output, Record, Response } from "./words.ts";

/** By what a message is chosen among others: its first part's kind, or its own. */
export function kindOf(message: Message): string {
  if (message.type !== "packet") return message.type;
  const [first] = message.parts;
  return first?.type === "user" ? first.body.type : (first?.type ?? "empty");
}

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

export function messageText(message: Message): string {
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

export function noteText(note: Note): string {
  const { type, ...rest } = note;
  return [type, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(" ");
}

export function outputText(output: Output): string {
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

export function recordText(record: Record): string {
  const { type, ...rest } = record;
  return [type, ...Object.values(rest)].join(" ");
}

export function responseText(response: Response): string {
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

/** What a node knows. */
export function stateText(node: Serf): string {
  const members = node.members
    .all()
    .map(({ name, incarnation, state }) => `${name} i${incarnation} ${state}`);
  const roll = node.memberList().map(({ name, status }) => `${name} ${status}`);
  return `${members.join(", ")}; roll: ${roll.join(", ")}; health ${node.health}`;
}
