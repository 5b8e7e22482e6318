/** What a document refuses, and why. */

import { MalformedInput } from "@quorate/kernel";

/**
 * - `malformed`: the bytes are not an update, state vector, snapshot or message.
 * - `too-large`: a clock, a length or a nesting depth beyond what a document holds.
 * - `duplicate-client`: somebody else writes under this replica's client id; see {@link Doc.become}.
 * - `pending-full`: too many bytes wait for updates that have not arrived.
 * - `out-of-range`: an index or a length outside of the sequence.
 * - `wrong-type`: a shared type was opened as another kind than it is.
 * - `detached`: the shared type was deleted.
 * - `unsupported-value`: a value no update can carry.
 * - `collected`: history was asked of a document that collects its garbage.
 */
export type DocumentErrorCode =
  | "malformed"
  | "too-large"
  | "duplicate-client"
  | "pending-full"
  | "out-of-range"
  | "wrong-type"
  | "detached"
  | "unsupported-value"
  | "collected";

/** The one error of this package. A document that threw it is as it was before the call. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly code: DocumentErrorCode;

  constructor(code: DocumentErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Makes one error of the two that a reader of strange bytes can throw. Anything else is a bug and passes. */
export function refusal(error: unknown): unknown {
  if (error instanceof MalformedInput) return new DocumentError("malformed", error.message);
  return error;
}
