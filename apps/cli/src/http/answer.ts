/** What is sent back for a request: a status, a type and a body. */

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  /** With status 405: what the path does allow. */
  readonly allow?: string;
}

const JSON_TYPE = "application/json; charset=utf-8";

export function json(status: number, value: unknown): Answer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

/** The path is here, but not for this method. */
export function notAllowed(method: string | undefined, allow: string): Answer {
  const names = allow.replace(", ", " and ");
  return { ...json(405, { error: `${method ?? ""} is not allowed: ${names} only` }), allow };
}
