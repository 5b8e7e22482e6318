/** How Raft's values read in a trace. What is not listed here is shown as plain data. */

import type { Raft, RaftWords } from "@quorate/consensus";
import { plainText, type Words } from "@quorate/lab";

import { entriesText, logText, requestText, responseText } from "../log/words.ts";

export const raftWords: Words<RaftWords, Raft> = {
  message(m) {
    switch (m.type) {
      case "requestVote": {
        const what = m.pre ? "would you vote for me" : "vote for me";
        const why = m.transfer ? ", the leader wants it" : "";
        return `${what} in t${m.term}; my log ends with ${m.lastIndex}@${m.lastTerm}${why}`;
      }
      case "vote":
        if (m.pre) return `${m.granted ? "yes, I would" : "no, I would not"} (t${m.term})`;
        return `${m.granted ? "yes" : "no"} (t${m.term})`;
      case "append": {
        const what = m.entries.length === 0 ? "nothing new" : `append ${entriesText(m.entries)}`;
        return `t${m.term}: ${what} after ${m.prevIndex}@${m.prevTerm}; ${m.commit} is committed`;
      }
      case "appended":
        return `t${m.term}: I have all up to ${m.index}`;
      case "refused":
        return `t${m.term}: I lack ${m.prevIndex}; try ${m.hintIndex}@${m.hintTerm}`;
      case "heartbeat":
        return `t${m.term}: heartbeat ${m.round}; ${m.commit} is committed`;
      case "heartbeatAck":
        return `t${m.term}: heard heartbeat ${m.round}`;
      case "timeoutNow":
        return `t${m.term}: campaign now`;
      default:
        return plainText(m);
    }
  },
  record(r) {
    switch (r.type) {
      case "state":
        return `term ${r.term}, vote for ${r.votedFor ?? "nobody"}`;
      case "entries":
        return `entries from ${r.index}: ${entriesText(r.entries)}`;
      default:
        return plainText(r);
    }
  },
  request: requestText,
  response: (r) => responseText(r, ({ index, term }) => `committed at ${index}@${term}`),
  output(o) {
    if (o.type === "committed") return `commits from ${o.index}: ${entriesText(o.entries)}`;
    if (o.type === "role") return `is ${o.role} in t${o.term}`;
    return plainText(o);
  },
  note: plainText,
  state(raft) {
    const { role, term, commitIndex, log } = raft;
    return `${role} t${term}, log [${logText(log)}], ${commitIndex} committed`;
  },
};
