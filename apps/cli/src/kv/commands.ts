/** `quorate kv`: get, put, del and watch, over gRPC to the etcd ports. */

import { buffer } from "node:stream/consumers";

import { type AskFlags, endpointsOf } from "../cluster/endpoints.ts";
import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import { catalogue } from "../node/catalogue.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { counted } from "../terminal/units.ts";
import { KvClient } from "./client.ts";
import { deleteMethod, putMethod, range } from "./messages.ts";
import { eventJson, eventLine, keyLine, pairLine, rangeJson, valueLine } from "./output.ts";
import { watchKeys } from "./watch.ts";

export interface GetFlags extends AskFlags {
  readonly prefix?: boolean;
  readonly limit?: number;
  readonly rev?: number;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
}

export interface PutFlags extends AskFlags {
  readonly lease?: string;
}

export interface DeleteFlags extends AskFlags {
  readonly prefix?: boolean;
}

export interface WatchFlags extends AskFlags {
  readonly prefix?: boolean;
  readonly rev?: number;
}

/** Prints a key's value, or the pairs under a prefix. Nothing found prints nothing. */
export async function get(key: string, flags: GetFlags, terminal: Terminal): Promise<ExitStatus> {
  const { limit = 0, rev = 0, serializable = false, keysOnly = false, prefix, json } = flags;
  const response = await withClient(flags, (client) =>
    client.call(range, { ...keys(key, prefix), limit, revision: rev, serializable, keysOnly }),
  );
  if (json === true) terminal.write(rangeJson(response));
  else {
    const line = keysOnly ? keyLine : prefix === true ? pairLine : valueLine;
    for (const kv of response.kvs) terminal.write(line(kv));
  }
  return EXIT.fine;
}

/** Sets a key; the value `-` is read from standard input. */
export async function put(
  key: string,
  value: string,
  flags: PutFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const { lease = "", json } = flags;
  const bytes = value === "-" ? await buffer(process.stdin) : Buffer.from(value);
  const response = await withClient(flags, (client) =>
    client.call(putMethod, { key: keyBytes(key), value: bytes, lease }),
  );
  const revision = response.header?.revision ?? 0;
  terminal.write(
    json === true ? `${JSON.stringify({ revision })}\n` : `OK, revision ${revision}\n`,
  );
  return EXIT.fine;
}

/** Deletes a key, or all under a prefix. */
export async function del(
  key: string,
  flags: DeleteFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const response = await withClient(flags, (client) =>
    client.call(deleteMethod, keys(key, flags.prefix)),
  );
  const { deleted } = response;
  const revision = response.header?.revision ?? 0;
  terminal.write(
    flags.json === true
      ? `${JSON.stringify({ deleted, revision })}\n`
      : `${counted(deleted, "key")} deleted\n`,
  );
  return EXIT.fine;
}

/** Prints changes until a signal. */
export async function watch(
  key: string,
  flags: WatchFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  await withClient(flags, (client) =>
    watchKeys({
      client,
      create: { ...keys(key, flags.prefix), startRevision: flags.rev ?? 0 },
      onEvent: (event) => terminal.write(flags.json === true ? eventJson(event) : eventLine(event)),
      signal: stop.signal,
    }),
  );
  return EXIT.fine;
}

async function withClient<T>(flags: AskFlags, run: (client: KvClient) => Promise<T>): Promise<T> {
  const etcd = catalogue.find(({ name }) => name === "etcd")!;
  const { endpoints, tls } = endpointsOf(flags, etcd.portOffset);
  const client = new KvClient({ endpoints, tls });
  try {
    return await run(client);
  } finally {
    client.close();
  }
}

/** A key and the end of its range: everything that begins with it, if `prefix`. */
function keys(key: string, prefix: boolean | undefined): { key: Uint8Array; rangeEnd: Uint8Array } {
  if (prefix !== true) return { key: keyBytes(key), rangeEnd: Buffer.alloc(0) };
  const bytes = Buffer.from(key);
  // Every key, in etcd's words: from the first on, without end.
  if (bytes.length === 0) return { key: Buffer.from("\0"), rangeEnd: Buffer.from("\0") };
  return { key: bytes, rangeEnd: prefixEnd(bytes) };
}

function keyBytes(key: string): Buffer {
  if (key !== "") return Buffer.from(key);
  throw new CliError({
    code: "usage",
    reason: "a key cannot be empty; for every key: '' --prefix",
  });
}

/** The least key greater than all that begin with `prefix`. UTF-8 has no 0xff, so there is one. */
function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return end;
}
