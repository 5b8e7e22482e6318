/**
 * Tells a cluster to do something, by whichever of its nodes answers: each
 * passes on to the leader what is the leader's to do.
 */

import { CliError } from "../errors.ts";
import { tell, type Told } from "./ask.ts";
import type { Endpoints } from "./endpoints.ts";

/** How long an operation may take unless told. */
const TIMEOUT_MS = 15_000;

/**
 * Asks one endpoint after the other until one has done it, or has said no.
 * @returns what the operation answered.
 * @throws CliError `refused` by a node, or with an unknown outcome; `unreachable` if nobody answers.
 */
export async function operate(
  { endpoints, tls }: Pick<Endpoints, "endpoints" | "tls">,
  path: string,
  body: object,
  timeoutMs: number = TIMEOUT_MS,
): Promise<unknown> {
  let refusal: CliError | undefined;
  let silence = { reason: "", absent: true };
  for (const endpoint of endpoints) {
    const told = await tell(endpoint, path, body, { timeoutMs, tls });
    if (told.type === "done") return told.value;
    if (told.type === "silent" && !told.heard) {
      silence = told;
      continue;
    }
    refusal = noFrom(endpoint, told);
    // This node could not do it, to no effect. Another may.
    if (told.type !== "refused" || told.status !== 503) throw refusal;
  }
  throw (
    refusal ??
    new CliError({ code: "unreachable", endpoints, reason: silence.reason, absent: silence.absent })
  );
}

/** A node's no, or its silence after it may have heard. */
function noFrom(endpoint: string, told: Exclude<Told, { type: "done" }>): CliError {
  const reason =
    told.type === "refused" ? told.reason : `${told.reason}; whether it was done is unknown`;
  return new CliError({ code: "refused", endpoint, reason });
}
