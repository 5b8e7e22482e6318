/** A node's part in changing the cluster's keys: the keyring is the driver's, not the protocol's. */

import type { KeyAnswer, KeyOperation } from "@quorate/gossip";
import type { Logger } from "@quorate/host";

import { type Keyring, KeyringError } from "../wire/keyring.ts";
import { encodeBase64, writeKeyring } from "./files.ts";

/** Keys that an answer names at most: it must fit into a query response. */
const LISTED_KEYS = 16;

/** Does to the keyring what a member asked for, and says how it went. In Serf's words. */
export function performKeyRequest(
  operation: KeyOperation,
  key: Uint8Array,
  config: { readonly keyring: Keyring | undefined; readonly keyringFile: string | undefined },
  logger: Logger,
): KeyAnswer {
  const { keyring, keyringFile } = config;
  if (keyring === undefined) {
    const verb = operation === "list" ? "Keyring is empty" : "No keyring to modify";
    return failed(`${verb} (encryption not enabled)`);
  }
  if (operation === "list") return listed(keyring);
  logger.info({ operation }, "key operation");
  try {
    keyring[operation](key);
    if (keyringFile !== undefined) writeKeyring(keyringFile, keyring);
    return { result: true, message: "", keys: [], primaryKey: "" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logger.error({ operation, reason: message }, "key operation failed");
    return failed(error instanceof KeyringError ? message : `cannot write the keyring: ${message}`);
  }
}

function listed(keyring: Keyring): KeyAnswer {
  const all = keyring.list().map(encodeBase64);
  const keys = all.slice(0, LISTED_KEYS);
  const message =
    keys.length < all.length
      ? `truncated key list response, showing first ${keys.length} of ${all.length} keys`
      : "";
  return { result: true, message, keys, primaryKey: encodeBase64(keyring.primary) };
}

function failed(message: string): KeyAnswer {
  return { result: false, message, keys: [], primaryKey: "" };
}
