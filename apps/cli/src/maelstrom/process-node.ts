/** A workload's node around a process: bodies become requests, answers become bodies. */

import type { Process, RequestId, Vocabulary } from "@quorate/kernel";

import { MaelstromDriver } from "./driver.ts";
import { type Body, ERROR, errorBody } from "./messages.ts";
import type { Port, WorkloadNode } from "./workload.ts";

/** How bodies and the process's words translate. */
export interface Translation<V extends Vocabulary> {
  /** What a client asks; a body to answer with if the process need not be asked. */
  readonly request: (
    body: Body,
  ) =>
    | { readonly ask: V["Request"]; readonly answer: (response: V["Response"]) => Body }
    | { readonly at: Body };
  /** A message as JSON, and back; undefined for what is no message. */
  readonly pack: (message: V["Message"]) => unknown;
  readonly unpack: (data: unknown) => V["Message"] | undefined;
}

/** The type of letters between our nodes. */
const OURS = "quorate";
/** More clients than this are told to come back. */
const MOST_WAITING = 10_000;

interface Waiting<V extends Vocabulary> {
  readonly answer: (body: Body) => void;
  readonly word: (response: V["Response"]) => Body;
}

/** @param process - Made for the node whose port it is. */
export function processNode<V extends Vocabulary>(
  port: Port,
  process: Process<V>,
  translation: Translation<V>,
): WorkloadNode {
  const waiting = new Map<RequestId, Waiting<V>>();
  let requests: RequestId = 0;
  const driver = new MaelstromDriver<V>(port.self, process, {
    send: (to, message) => port.send(to, { type: OURS, data: translation.pack(message) }),
    reply(id, response) {
      const asked = waiting.get(id);
      waiting.delete(id);
      asked?.answer(asked.word(response));
    },
  });
  return {
    ask(body, answer) {
      const what = translation.request(body);
      if ("at" in what) return answer(what.at);
      if (waiting.size >= MOST_WAITING) {
        return answer(errorBody(ERROR.temporarilyUnavailable, "too many requests are waiting"));
      }
      const id = ++requests;
      waiting.set(id, { answer, word: what.answer });
      driver.request(id, what.ask);
    },
    hear(from, body) {
      if (body.type !== OURS) return;
      const message = translation.unpack(body["data"]);
      if (message !== undefined) driver.deliver(from, message);
    },
    stop: () => driver.stop(),
  };
}
