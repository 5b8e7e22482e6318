/** The few requests that benchmarks send, as protobuf bytes. */

export function putRequest(key: string, valueBytes: number): Uint8Array {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.alloc(valueBytes, "x"))]);
}

export function rangeRequest(key: string): Uint8Array {
  return field(1, Buffer.from(key));
}

function field(number: number, value: Buffer): Buffer {
  const length = value.length < 128 ? [value.length] : [(value.length & 0x7f) | 0x80, value.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), value]);
}
