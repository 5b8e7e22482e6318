export {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  type Fields,
  int,
  list,
  MalformedInput,
  oneOf,
  option,
  Reader,
  readUtf8,
  struct,
  text,
  uint,
  union,
  utf8,
  Writer,
} from "./codec.ts";
export { crc32c } from "./crc32c.ts";
export { Embedded, type Embedding } from "./embed.ts";
export { invariant, InvariantViolation, unreachable } from "./invariant.ts";
export type {
  Context,
  NodeId,
  Position,
  Process,
  RequestId,
  Speaks,
  Vocabulary,
} from "./process.ts";
export { Random } from "./random.ts";
export { copy, fingerprint, freeze } from "./structure.ts";
