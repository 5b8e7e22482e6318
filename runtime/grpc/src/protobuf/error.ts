/** Bytes that are not the message they should be. */
export class ProtobufError extends Error {
  /** What is wrong with the bytes. */
  readonly code: ProtobufErrorCode;

  constructor(code: ProtobufErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.name = "ProtobufError";
    this.code = code;
  }
}

/** The ways in which bytes can be wrong. */
export type ProtobufErrorCode =
  | "truncated"
  | "bad tag"
  | "wrong wire type"
  | "bad varint"
  | "out of range"
  | "bad utf-8"
  | "too deep";
