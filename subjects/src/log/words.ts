/** How the values that all logs share read in a trace. */

import type { LogRequest, LogResponse } from "@quorate/consensus";
import { bytesText, plainText } from "@quorate/lab";

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
