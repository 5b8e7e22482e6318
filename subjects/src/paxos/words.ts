/** How Multi-Paxos' values read in a trace. What is not listed here is shown as plain data. */

import type { Ballot, Entry, MultiPaxos, MultiPaxosWords } from "@quorate/consensus";
import { bytesText, plainText, type Words } from "@quorate/lab";

import { requestText, responseText } from "../log/words.ts";

function entries(list: readonly Entry[]): string {
  const shown = list.map(({ kind, data }) => (kind === "command" ? bytesText(data) : kind));
  const left = shown.length - 8;
  return left > 0 ? `${left} values … ${shown.slice(-8).join(" ")}` : shown.join(" ");
}

function ballotText({ round, node }: Ballot): string {
  return `${round}.${node}`;
}

export const paxosWords: Words<MultiPaxosWords, MultiPaxos> = {
  message(m) {
    switch (m.type) {
      case "poll":
        return "do you miss a leader too?";
      case "polled":
        return `${m.happy ? "no" : "yes"} (${ballotText(m.ballot)})`;
      case "prepare":
        return `prepare ${ballotText(m.ballot)} from slot ${m.from}`;
      case "promise": {
        const runs = m.runs.map(
          (run) => `${run.index}: ${entries(run.entries)} in ${ballotText(run.ballot)}`,
        );
        return `promise ${ballotText(m.ballot)}: ${runs.join(", ") || "nothing"}; ${m.commit} is decided`;
      }
      case "accept":
        return `${ballotText(m.ballot)}: accept ${entries(m.entries)} from slot ${m.index}; ${m.commit} is decided`;
      case "accepted":
        return `${ballotText(m.ballot)}: accepted up to ${m.index}`;
      case "decide":
        return `${ballotText(m.ballot)}: ${m.commit} is decided`;
      case "nack":
        return `promised ${ballotText(m.ballot)}`;
      case "heartbeat":
        return `${ballotText(m.ballot)}: heartbeat ${m.round}; ${m.commit} is decided`;
      case "heartbeatAck":
        return `${ballotText(m.ballot)}: heard heartbeat ${m.round}, accepted up to ${m.index}`;
      case "missing":
        return `${ballotText(m.ballot)}: slot ${m.from} is missing`;
      case "takeOver":
        return `${ballotText(m.ballot)}: take over`;
      default:
        return plainText(m);
    }
  },
  record(r) {
    switch (r.type) {
      case "promised":
        return `promised ${ballotText(r.ballot)}`;
      case "accepted":
        return `accepted in ${ballotText(r.ballot)} from slot ${r.index}: ${entries(r.entries)}`;
      default:
        return plainText(r);
    }
  },
  request: requestText,
  response: (r) => responseText(r, ({ index }) => `decided in slot ${index}`),
  output(o) {
    if (o.type === "committed") return `decides from ${o.index}: ${entries(o.entries)}`;
    if (o.type === "role") return `is ${o.role} in round ${o.term}`;
    return plainText(o);
  },
  note: plainText,
  state({ role, promised, slots, commitIndex }) {
    const { runs } = slots.runs(slots.firstIndex, Infinity);
    const held = runs.map(
      (run) => `${run.index}: ${entries(run.entries)} in ${ballotText(run.ballot)}`,
    );
    return `${role} ${ballotText(promised)}, [${held.join(", ")}], ${commitIndex} decided`;
  },
};
