/** How the values that all logs share read in a trace. */

import type { Entry, LogRequest, LogResponse, Raft } from "@quorate/consensus";
import { bytesText, plainText } from "@quorate/lab";

/** How many entries of a long list are shown: the last ones. */
const SHOWN = 8;

/** @param before - How many more there are before those of the list. */
export function entriesText(list: readonly Entry[], before: number = 0): string {
  const hidden = Math.max(0, list.length - SHOWN);
  const shown = list.slice(hidden).map((entry) => {
    const text = entry.kind === "command" ? bytesText(entry.data) : entry.kind;
    return `${text}@${entry.term}`;
  });
  const left = before + hidden;
  return left > 0 ? `${left} more, ${shown.join(" ")}` : shown.join(" ");
}

/** The end of a log that is held in memory. */
export function logText(log: Pick<Raft["log"], "firstIndex" | "lastIndex" | "slice">): string {
  const from = Math.max(log.firstIndex, log.lastIndex - SHOWN + 1);
  return entriesText(log.slice(from, Infinity), from - 1);
}

export function requestText(request: LogRequest): string {
  switch (request.type) {
    case "propose":
      return `propose ${bytesText(request.data)}`;
    case "read":
      return `${request.level} read`;
    case "transfer":
      return `hand leadership over to ${request.to ?? "whoever is fit"}`;
    default:
      return plainText(request);
  }
}

/** @param place - How the engine names where a command stands. */
export function responseText(
  response: LogResponse,
  place: (committed: Extract<LogResponse, { type: "committed" }>) => string,
): string {
  switch (response.type) {
    case "committed":
      return place(response);
    case "readable":
      return `readable up to ${response.index}`;
    case "rejected":
      return `refused (${response.reason}${response.definite ? "" : ", outcome unknown"})`;
    default:
      return plainText(response);
  }
}
