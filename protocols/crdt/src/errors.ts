/** Why a replica refuses bytes from outside. */
export type CrdtErrorCode =
  /** Bytes that no replica writes: cut off, damaged, or made up. */
  | "malformed"
  /** State of another schema. */
  | "wrongType"
  /** Somebody else acts under an actor that is taken: this replica's own, or one whose acts are known and differ. */
  | "duplicateActor"
  /** Acts or times further in the future than the limits allow. */
  | "ahead"
  /** Earlier deltas must come first: there are more gaps than the limits allow, or something was collected. */
  | "gap"
  /** Beyond what a replica can hold: a clock, a length, a depth of nesting. */
  | "tooLarge"
  /** More actors than the limits allow. */
  | "tooManyActors";

/** Bytes were refused, and the replica is as it was. */
export class CrdtError extends Error {
  override readonly name = "CrdtError";
  readonly code: CrdtErrorCode;

  constructor(code: CrdtErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
