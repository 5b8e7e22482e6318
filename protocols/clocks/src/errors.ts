/** Why a clock refuses. */
export type ClockErrorCode =
  /** A counter would pass 2^53 - 1, beyond which integers are not exact. */
  | "overflow"
  /** A remote time lies further ahead than the bound allows. */
  | "ahead"
  /** Two interval tree stamps own a part of the identity space in common. */
  | "overlap"
  /** An anonymous stamp cannot have an event: it owns no identity. */
  | "anonymous"
  /** JSON that is no form of the clock. */
  | "malformed";

/** A clock refused, and is as it was. The message says what to do. */
export class ClockError extends Error {
  override readonly name = "ClockError";
  readonly code: ClockErrorCode;

  constructor(code: ClockErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A counter that may still be counted with, or an error. */
export function countable(counter: number): number {
  if (counter <= Number.MAX_SAFE_INTEGER) return counter;
  throw new ClockError("overflow", "the counter would pass 2^53 - 1; begin a new actor");
}
