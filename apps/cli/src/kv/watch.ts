/** `quorate kv watch`: changes as they happen; another endpoint takes over where one ended. */

import { CliError } from "../errors.ts";
import { pause } from "../terminal/pause.ts";
import { type KvClient } from "./client.ts";
import {
  type EventMessage,
  type WatchCreateRequest,
  watchCreateRequest,
  type WatchResponse,
} from "@quorate/etcd/wire";

export interface WatchOptions {
  readonly client: KvClient;
  readonly create: Pick<WatchCreateRequest, "key" | "rangeEnd" | "startRevision">;
  readonly onEvent: (event: EventMessage) => void;
  readonly signal: AbortSignal;
}

/** Between an endpoint's end and the next attempt, and how many may fail in a row. */
const RETRY_MS = 500;
const RETRIES = 20;

/** How one stream ended: whether anything came, and the revision after what came. */
type Ending = { readonly progress: boolean; readonly next: number };

/**
 * Watches until the signal.
 * @throws CliError if the server cancels, or no endpoint answers for long.
 */
export async function watchKeys({ client, create, onEvent, signal }: WatchOptions): Promise<void> {
  let { startRevision } = create;
  let failures = 0;
  while (!signal.aborted && failures <= RETRIES) {
    try {
      const ending = await follow(client, { ...create, startRevision }, onEvent, signal);
      startRevision = ending.next;
      failures = ending.progress ? 0 : failures + 1;
    } catch (error) {
      const lost = error instanceof CliError && error.fault.code === "unreachable";
      // At first nobody there is a mistake; later it is a restart.
      if (!lost || startRevision === create.startRevision || failures === RETRIES) throw error;
      failures++;
    }
    await pause(RETRY_MS, signal);
  }
}

async function follow(
  client: KvClient,
  create: WatchOptions["create"],
  onEvent: (event: EventMessage) => void,
  signal: AbortSignal,
): Promise<Ending> {
  const { endpoint, stream } = await client.openWatch();
  let next = create.startRevision;
  let progress = false;
  const cancel = (): void => stream.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await new Promise<Ending>((resolve, reject) => {
      stream.on("data", (response: WatchResponse) => {
        progress = true;
        if (response.canceled) {
          stream.cancel();
          return reject(canceled(endpoint, response));
        }
        // Created at a revision: whatever comes after it has not been seen.
        if (response.created && next === 0) next = (response.header?.revision ?? 0) + 1;
        for (const event of response.events) {
          next = Math.max(next, (event.kv?.modRevision ?? 0) + 1);
          onEvent(event);
        }
      });
      stream.on("error", () => resolve({ progress, next }));
      stream.on("end", () => resolve({ progress, next }));
      const value = watchCreateRequest.create(create);
      stream.write({ requestUnion: { type: "createRequest", value } });
      if (signal.aborted) stream.cancel();
    });
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function canceled(endpoint: string, { compactRevision, cancelReason }: WatchResponse): CliError {
  const reason =
    compactRevision > 0
      ? `that revision was compacted; the oldest that can be watched is ${compactRevision}`
      : `the watch was canceled: ${cancelReason}`;
  return new CliError({ code: "refused", endpoint, reason });
}
