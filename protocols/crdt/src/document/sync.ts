/**
 * The messages by which two replicas bring each other up to date, as y-protocols has them: step 1 says what
 * one has seen, step 2 answers with what it lacks, and updates follow as they are made.
 */

import { Reader } from "@quorate/kernel";

import { type Doc } from "./doc.ts";
import { written } from "./encode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { takeBytes, takeUint, writeBytes, writeUint } from "./wire.ts";

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

function message(type: number, payload: Uint8Array): Uint8Array {
  return written((writer) => {
    writeUint(writer, type);
    writeBytes(writer, payload);
  });
}

/** "This is what I have seen." Each side sends it when a connection opens. */
export function syncStep1(doc: Doc): Uint8Array {
  return message(STEP_1, doc.stateVector());
}

/** "This is what you lack." The answer to step 1. */
export function syncStep2(doc: Doc, stateVector: Uint8Array): Uint8Array {
  return message(STEP_2, doc.encode(stateVector));
}

/** "This has just changed." */
export function syncUpdate(update: Uint8Array): Uint8Array {
  return message(UPDATE, update);
}

/**
 * Takes a message in and returns the answer to send, if there is one.
 * @throws DocumentError as {@link Doc.apply} does; nothing has changed then.
 */
export function onSyncMessage(
  doc: Doc,
  bytes: Uint8Array,
  origin: unknown,
): Uint8Array | undefined {
  const { type, payload } = parse(bytes);
  if (type === STEP_1) return syncStep2(doc, payload);
  doc.apply(payload, origin);
  return undefined;
}

function parse(bytes: Uint8Array): { readonly type: number; readonly payload: Uint8Array } {
  const reader = new Reader(bytes);
  try {
    const type = takeUint(reader);
    if (type > UPDATE) throw new DocumentError("malformed", `no sync message has the type ${type}`);
    const payload = takeBytes(reader);
    if (reader.left > 0) throw new DocumentError("malformed", "bytes behind the message");
    return { type, payload };
  } catch (error) {
    throw refusal(error);
  }
}
