/** How gossip is written in transcripts. */

import type { NodeId } from "@quorate/kernel";
import type { Language } from "@quorate/lab";

import { GossipClaims } from "./claims.ts";
import { lan } from "./config.ts";
import { plainWire } from "./plain-wire.ts";
import { type SerfConfig, serfDefaults } from "./serf/config.ts";
import { Serf } from "./serf/serf.ts";
import {
  kindOf,
  messageText,
  noteText,
  outputText,
  recordText,
  responseText,
  stateText,
} from "./text.ts";
import type { GossipWords, Request } from "./words.ts";

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
    kind: kindOf,
    message: messageText,
    record: recordText,
    response: responseText,
    output: outputText,
    note: noteText,
    state: stateText,
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
