export {
  arrayHead,
  bool,
  bytes,
  type Dialect,
  float,
  int,
  kept,
  mapHead,
  nullableBytes,
  type Pack,
  PackWriter,
  readArrayHead,
  takeNil,
  text,
  uint,
  uintOf,
} from "./primitives.ts";
export { ValueScanner } from "./scanner.ts";
export { dictionary, is, list, mapped, nullable, optional, packed, record } from "./structures.ts";
