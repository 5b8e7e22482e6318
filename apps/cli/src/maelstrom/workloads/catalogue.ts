/** The workloads that a node can take part in, by Maelstrom's names. */

import { randomBytes } from "node:crypto";

import {
  lan,
  Raft,
  raftMessageCodec,
  type RaftWords,
  Replica,
  REPLICA_DEFAULTS,
  replicaMessageCodec,
  type ReplicaResponse,
  type ReplicaWords,
} from "@quorate/consensus";
import { decode, encode, MalformedInput, utf8 } from "@quorate/kernel";

import { type Body, ERROR, errorBody } from "../messages.ts";
import { processNode, type Translation } from "../process-node.ts";
import type { StartNode } from "../workload.ts";
import { type Command, Documents } from "./documents.ts";
import { Epidemic, type EpidemicMessage, type EpidemicWords } from "./epidemic.ts";
import { type Counts, Tally, type TallyWords } from "./tally.ts";

type DocumentWords = ReplicaWords<RaftWords, string>;

/** By name of a workload. */
export const WORKLOADS: Readonly<Record<string, StartNode>> = {
  echo: () => ({
    ask: ({ echo }, answer) => answer({ type: "echo_ok", echo }),
    hear: () => {},
    stop: () => {},
  }),

  "unique-ids": ({ self }) => {
    // A node that is started again must not count from the same place.
    const life = randomBytes(6).toString("hex");
    let count = 0;
    return {
      ask: (_body, answer) => answer({ type: "generate_ok", id: `${self}-${life}-${count++}` }),
      hear: () => {},
      stop: () => {},
    };
  },

  broadcast: ({ self, nodes, ...port }) =>
    processNode<EpidemicWords>({ self, nodes, ...port }, new Epidemic(others(self, nodes)), {
      request(body) {
        switch (body.type) {
          case "topology":
            // Everybody is everybody's neighbour: one hop is fewer than any given shape has.
            return { at: { type: "topology_ok" } };
          case "broadcast":
            return added(body["message"], "broadcast_ok");
          case "read":
            return {
              ask: { type: "read" },
              answer: (all) => ({ type: "read_ok", messages: all.map(parse) }),
            };
          default:
            return unsupported(body);
        }
      },
      ...rumours,
    }),

  "g-set": ({ self, nodes, ...port }) =>
    processNode<EpidemicWords>({ self, nodes, ...port }, new Epidemic(others(self, nodes)), {
      request(body) {
        if (body.type === "add") return added(body["element"], "add_ok");
        if (body.type !== "read") return unsupported(body);
        return {
          ask: { type: "read" },
          answer: (all) => ({ type: "read_ok", value: all.map(parse) }),
        };
      },
      ...rumours,
    }),

  "pn-counter": ({ self, nodes, ...port }) =>
    processNode<TallyWords>({ self, nodes, ...port }, new Tally(others(self, nodes)), {
      request(body) {
        const { type, delta } = body;
        if (type === "read") {
          return { ask: { type }, answer: (value) => ({ type: "read_ok", value }) };
        }
        if (type !== "add") return unsupported(body);
        if (!Number.isSafeInteger(delta)) return malformed("delta must be an integer");
        return { ask: { type, delta: delta as number }, answer: () => ({ type: "add_ok" }) };
      },
      pack: (counts) => counts,
      unpack: (data) => (isCounts(data) ? data : undefined),
    }),

  "lin-kv": (port) =>
    processNode<DocumentWords>(port, replica(port.nodes), replicated(keyValueCommand)),

  "txn-list-append": (port) =>
    processNode<DocumentWords>(port, replica(port.nodes), replicated(listCommand)),
};

function others(self: string, nodes: readonly string[]): readonly string[] {
  return nodes.filter((node) => node !== self);
}

function parse(text: string): unknown {
  return JSON.parse(text);
}

function unsupported({ type }: Body): { readonly at: Body } {
  return { at: errorBody(ERROR.notSupported, `this node knows no "${type}"`) };
}

function malformed(reason: string): { readonly at: Body } {
  return { at: errorBody(ERROR.malformedRequest, reason) };
}

function added(element: unknown, type: string): ReturnType<Translation<EpidemicWords>["request"]> {
  if (element === undefined) return malformed("there is nothing to add");
  return { ask: { type: "add", element: JSON.stringify(element) }, answer: () => ({ type }) };
}

const rumours: Omit<Translation<EpidemicWords>, "request"> = {
  pack: (message) => message,
  unpack: (data) => (isRumour(data) ? data : undefined),
};

function isRumour(data: unknown): data is EpidemicMessage {
  if (typeof data !== "object" || data === null) return false;
  const { type, elements } = data as { readonly type?: unknown; readonly elements?: unknown };
  const isKnown = type === "rumour" || type === "known";
  return isKnown && Array.isArray(elements) && elements.every((one) => typeof one === "string");
}

function isCounts(data: unknown): data is Counts {
  if (typeof data !== "object" || data === null) return false;
  return Object.values(data).every(
    (pair) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((count) => Number.isSafeInteger(count)),
  );
}

/** The same classes that carry the etcd service: a replica of documents on Raft. */
function replica(nodes: readonly string[]): Replica<RaftWords, string> {
  const voters = [...nodes].toSorted();
  const log = new Raft(lan({ voters, outgoing: [], learners: [] }));
  return new Replica(log, new Documents(), REPLICA_DEFAULTS);
}

const messages = replicaMessageCodec<RaftWords>(raftMessageCodec);

function replicated(commandOf: (body: Body) => Command | undefined): Translation<DocumentWords> {
  return {
    request(body) {
      const command = commandOf(body);
      if (command === undefined) return unsupported(body);
      const bytes = utf8(JSON.stringify(command));
      const timeMs = Date.now();
      return {
        ask: { type: "execute", command: bytes, timeMs, once: undefined },
        answer: executed,
      };
    },
    pack: (message) => Buffer.from(encode(messages, message)).toString("base64"),
    unpack(data) {
      if (typeof data !== "string") return undefined;
      try {
        return decode(messages, Buffer.from(data, "base64"));
      } catch (error) {
        if (error instanceof MalformedInput) return undefined;
        throw error;
      }
    },
  };
}

function executed(response: ReplicaResponse<string>): Body {
  if (response.type === "executed") return parse(response.result) as Body;
  if (response.type !== "rejected") return errorBody(ERROR.crash, response.type);
  const { definite, reason } = response;
  return errorBody(definite ? ERROR.temporarilyUnavailable : ERROR.timeout, reason);
}

function keyValueCommand({ type, key, value, from, to, ...body }: Body): Command | undefined {
  switch (type) {
    case "read":
      return { type, key };
    case "write":
      return { type, key, value };
    case "cas":
      return { type, key, from, to, create: body["create_if_not_exists"] === true };
    default:
      return undefined;
  }
}

function listCommand({ type, txn }: Body): Command | undefined {
  if (type !== "txn" || !Array.isArray(txn)) return undefined;
  const steps = txn as readonly unknown[];
  const isStep = (step: unknown): step is [string, unknown, unknown] =>
    Array.isArray(step) && step.length === 3 && (step[0] === "r" || step[0] === "append");
  return steps.every(isStep) ? { type, txn: steps } : undefined;
}
