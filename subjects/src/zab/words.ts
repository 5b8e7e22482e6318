/** How Zab's values read in a trace. What is not listed here is shown as plain data. */

import type { Zab, ZabWords } from "@quorate/consensus";
import { plainText, type Words } from "@quorate/lab";

import { entriesText, logText, requestText, responseText } from "../log/words.ts";

type Zxid = Extract<ZabWords["Message"], { type: "ack" }>["zxid"];

function zxidText({ epoch, counter }: Zxid): string {
  return `${epoch}.${counter}`;
}

export const zabWords: Words<ZabWords, Zab> = {
  message(m) {
    switch (m.type) {
      case "notification": {
        const { vote } = m;
        const whom = vote === undefined ? "nobody" : `${vote.node} at ${zxidText(vote.zxid)}`;
        return `${m.state} in round ${m.round}, for ${whom}`;
      }
      case "followerInfo":
        return `I would follow you, and have accepted e${m.acceptedEpoch}`;
      case "leaderInfo":
        return `follow me in e${m.epoch}`;
      case "ackEpoch": {
        const ends = m.ends.map(zxidText).join(" ");
        return `e${m.epoch}: I follow; my history is of e${m.currentEpoch} and ends with ${ends}`;
      }
      case "sync":
        return `e${m.epoch}: ${m.mode} from ${zxidText(m.zxid)}`;
      case "propose":
        return `e${m.epoch}: propose ${entriesText(m.entries)} from ${zxidText(m.zxid)}; ${zxidText(m.commit)} is committed`;
      case "inform":
        return `e${m.epoch}: ${entriesText(m.entries)} from ${zxidText(m.zxid)} is committed`;
      case "commit":
        return `e${m.epoch}: ${zxidText(m.zxid)} is committed`;
      case "newLeader":
        return `e${m.epoch}: that was my history`;
      case "upToDate":
        return `e${m.epoch}: a quorum has it; ${zxidText(m.zxid)} is committed`;
      case "ack":
        return `e${m.epoch}: I have all up to ${zxidText(m.zxid)}${m.synced ? "" : ", not yet as yours"}`;
      case "ping":
        return `e${m.epoch}: ping ${m.round}`;
      case "pong":
        return `e${m.epoch}: heard ping ${m.round}`;
      case "ended":
        return `e${m.epoch}: there is no session ${m.session}`;
      case "resigned":
        return `e${m.epoch}: I lead no more; try ${m.successor ?? "anybody"}`;
      default:
        return plainText(m);
    }
  },
  record(r) {
    switch (r.type) {
      case "acceptedEpoch":
        return `accepted e${r.epoch} from ${r.from}`;
      case "currentEpoch":
        return `the history is that of e${r.epoch}`;
      case "history":
        return `history from ${r.index}: ${entriesText(r.entries)}`;
      default:
        return plainText(r);
    }
  },
  request: requestText,
  response: (r) => responseText(r, ({ index, term }) => `committed at ${index}@${term}`),
  output(o) {
    if (o.type === "committed") return `commits from ${o.index}: ${entriesText(o.entries)}`;
    if (o.type === "role") return `is ${o.role} in e${o.term}`;
    return plainText(o);
  },
  note: plainText,
  state({ role, acceptedEpoch, currentEpoch, commitIndex, log }) {
    return `${role} e${currentEpoch} of ${acceptedEpoch}, history [${logText(log)}], ${commitIndex} committed`;
  },
};
