/**
 * A decoded header block, and the rules a request's must keep (RFC 9113 §8.2, §8.3).
 *
 * What can be judged of one field alone is judged once, when the field is made: a field then lives in the dynamic table
 * or in a cached block and is not looked at again. A block breaks the rules as a whole when a pseudo-header is repeated,
 * missing or comes late; it is then `malformed`, which is a fault of its stream, not of the connection.
 */

const fieldKind = {
  regular: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  contentType: 5,
  contentLength: 6,
  malformed: 7,
} as const;

/** One header field, judged. `size` is that of RFC 7541 §4.1: both lengths and 32. */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  readonly kind: number;
}

const kinds: ReadonlyMap<string, number> = new Map([
  [":method", fieldKind.method],
  [":scheme", fieldKind.scheme],
  [":authority", fieldKind.authority],
  [":path", fieldKind.path],
  ["content-type", fieldKind.contentType],
  ["content-length", fieldKind.contentLength],
  ["connection", fieldKind.malformed],
  ["keep-alive", fieldKind.malformed],
  ["proxy-connection", fieldKind.malformed],
  ["transfer-encoding", fieldKind.malformed],
  ["upgrade", fieldKind.malformed],
]);

/** Makes and judges a field; the strings hold one byte a character. */
export function makeField(name: string, value: string): Field {
  return { name, value, size: name.length + value.length + 32, kind: kindOf(name, value) };
}

/** The header fields of a request, or its trailers. */
export class HeaderBlock {
  readonly fields: Field[] = [];
  method = "";
  scheme = "";
  authority = "";
  path = "";
  contentType = "";
  /** -1 when not declared. */
  contentLength = -1;
  /** A rule of RFC 9113 §8 was broken. */
  malformed = false;
  /** Whether any field was a pseudo-header, which trailers must not have. */
  pseudo = false;
  /** Sum of the fields' sizes; beyond the limit, fields are counted but not kept. */
  size = 0;
  /** Larger than the limit we announced. */
  tooLarge = false;
  /** What the layer above worked out of this block; a block from the cache brings it along. */
  memo: object | undefined = undefined;

  add(field: Field, limit: number): void {
    this.size += field.size;
    if (this.size > limit) {
      this.tooLarge = true;
      return;
    }
    const kind = field.kind;
    if (kind === fieldKind.regular) this.fields.push(field);
    else this.addSpecial(field, kind);
  }

  /** The first value of a regular field of this lower-case name. */
  get(name: string): string | undefined {
    const fields = this.fields;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field.name === name) return field.value;
    }
    return undefined;
  }

  /** Whether the block can open a request. */
  isRequest(): boolean {
    if (this.malformed) return false;
    if (this.method === "CONNECT") return this.scheme === "" && this.path === "";
    return this.method !== "" && this.scheme !== "" && this.path !== "";
  }

  private addSpecial(field: Field, kind: number): void {
    const value = field.value;
    switch (kind) {
      case fieldKind.method:
        this.malformed ||= this.method !== "" || this.fields.length > 0;
        this.method = value;
        break;
      case fieldKind.scheme:
        this.malformed ||= this.scheme !== "" || this.fields.length > 0;
        this.scheme = value;
        break;
      case fieldKind.authority:
        this.malformed ||= this.authority !== "" || this.fields.length > 0;
        this.authority = value;
        break;
      case fieldKind.path:
        this.malformed ||= this.path !== "" || this.fields.length > 0;
        this.path = value;
        break;
      case fieldKind.contentType:
        this.contentType = value;
        this.fields.push(field);
        return;
      case fieldKind.contentLength:
        this.malformed ||=
          !/^\d{1,15}$/.test(value) ||
          (this.contentLength >= 0 && this.contentLength !== Number(value));
        this.contentLength = Number(value);
        this.fields.push(field);
        return;
      default:
        this.malformed = true;
    }
    this.pseudo = true;
  }
}

function kindOf(name: string, value: string): number {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 0 || c === 10 || c === 13) return fieldKind.malformed;
  }
  const known = kinds.get(name);
  if (known !== undefined) return known;
  if (name === "" || (name === "te" && value !== "trailers")) return fieldKind.malformed;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    // Controls, space, colon, capitals, and everything from DEL up are not allowed in a name.
    if (c <= 32 || c >= 127 || c === 58 || (c >= 65 && c <= 90)) return fieldKind.malformed;
  }
  return fieldKind.regular;
}
