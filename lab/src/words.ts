/**
 * Renders plain data as a reader of a trace wants to see it: `append term=3
 * entries=[…]`. Subjects use it for what needs no words of its own.
 */

const DEEP = 3;
const LONG = 8;

/** A message, record, request, …: its `type` first, then its other fields. */
export function plainText(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return show(value, 0);
  const { type, ...rest } = value as { readonly [field: string]: unknown };
  const fields = Object.entries(rest).filter(([, each]) => each !== undefined);
  const words = fields.map(([name, each]) => `${name}=${show(each, 1)}`);
  if (type !== undefined) words.unshift(show(type, 1));
  return words.join(" ");
}

function show(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return bytesText(value);
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (depth >= DEEP) return "…";
  if (value instanceof Map) {
    return list(
      [...value].map(([key, each]) => `${String(key)}:${show(each, depth + 1)}`),
      "{}",
    );
  }
  if (value instanceof Set)
    return list(
      [...value].map((each) => show(each, depth + 1)),
      "{}",
    );
  if (Array.isArray(value))
    return list(
      value.map((each) => show(each, depth + 1)),
      "[]",
    );
  const fields = Object.entries(value).filter(([, each]) => each !== undefined);
  return list(
    fields.map(([name, each]) => `${name}:${show(each, depth + 1)}`),
    "{}",
  );
}

function list(words: readonly string[], [open, close]: string): string {
  const left = words.length - LONG;
  const shown = left > 0 ? [...words.slice(0, LONG), `and ${left} more`] : words;
  return `${open}${shown.join(" ")}${close}`;
}

/** Bytes as text if they are printable ASCII, or else how many they are. */
export function bytesText(bytes: Uint8Array): string {
  if (bytes.length > 32) return `${bytes.length} bytes`;
  let text = "";
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) return `${bytes.length} bytes`;
    text += String.fromCharCode(byte);
  }
  return text;
}
