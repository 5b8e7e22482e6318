/**
 * What Maelstrom nodes say to each other and to clients: one JSON object a line
 * (`doc/protocol.md` of the Maelstrom repository).
 */

export interface Body {
  readonly type: string;
  readonly msg_id?: number;
  readonly in_reply_to?: number;
  readonly [field: string]: unknown;
}

export interface Letter {
  readonly src: string;
  readonly dest: string;
  readonly body: Body;
}

/** Errors that every client understands. Those from 0 and 13 leave the outcome unknown. */
export const ERROR = {
  timeout: 0,
  notSupported: 10,
  temporarilyUnavailable: 11,
  malformedRequest: 12,
  crash: 13,
  abort: 14,
  keyDoesNotExist: 20,
  preconditionFailed: 22,
} as const;

export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

export function errorBody(code: ErrorCode, text: string): Body {
  return { type: "error", code, text };
}

/** A line as a letter; undefined if it is none. */
export function parseLetter(line: string): Letter | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isFields(value) || !isFields(value["body"])) return undefined;
  const { src, dest, body } = value;
  if (typeof src !== "string" || typeof dest !== "string") return undefined;
  const { type, msg_id: id } = body as Record<string, unknown>;
  if (typeof type !== "string" || (id !== undefined && !Number.isSafeInteger(id))) return undefined;
  return { src, dest, body: body as Body }; // Checked above.
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
