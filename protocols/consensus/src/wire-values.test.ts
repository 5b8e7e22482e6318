/** Values of every kind to encode, and what is asked of every encoding. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Codec, decode, encode, MalformedInput } from "@quorate/kernel";

import type { Configuration, Entry, SnapshotMeta, Traits } from "./entry.ts";

export function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

export function tagged<Name extends string, T>(
  type: Name,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
) {
  return plain<{ type: Name } & T>({ type: fc.constant(type), ...fields } as never);
}

export const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
export const name = fc.string({ unit: "grapheme" });
export const data = fc.uint8Array();
export const flag = fc.boolean();
export const entries: fc.Arbitrary<readonly Entry[]> = fc.array(
  plain<Entry>({
    term: number,
    kind: fc.constantFrom("command", "noop", "configuration", "seal"),
    data,
  }),
);
export const names = fc.array(name);
export const configuration = plain<Configuration>({
  voters: names,
  outgoing: names,
  learners: names,
  promotable: names,
  removed: names,
  traits: fc.array(plain<Traits>({ node: name, address: name, priority: number })),
});
export const meta = plain<SnapshotMeta>({
  index: number,
  term: number,
  configuration,
  configurationIndex: number,
  sealed: flag,
});

export function examine<T>(title: string, codec: Codec<T>, values: fc.Arbitrary<T>): void {
  test(`${title} come back as they were`, () => {
    fc.assert(
      fc.property(values, (value) => assert.deepEqual(decode(codec, encode(codec, value)), value)),
    );
  });

  test(`${title} that were cut or have a tail are refused`, () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const bytes = encode(codec, value);
        const short = bytes.slice(0, cut % bytes.length);
        assert.throws(() => decode(codec, short), MalformedInput);
        assert.throws(() => decode(codec, new Uint8Array([...bytes, 0])), MalformedInput);
      }),
    );
  });

  test(`bytes that are no ${title} are refused, and with no other error`, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          data,
          values.map((value) => encode(codec, value)),
        ),
        fc.nat(),
        fc.nat(),
        (bytes, at, by) => {
          const bent = Uint8Array.from(bytes);
          if (bent.length > 0) bent[at % bent.length]! ^= 1 + (by % 255);
          try {
            decode(codec, bent);
          } catch (error) {
            assert.ok(error instanceof MalformedInput, String(error));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
}

/** The first byte is the tag, whatever follows. Values may have fields too many. */
export function tagsOf(codec: Codec<never>, values: readonly object[]): readonly unknown[] {
  return values.map((value) => encode(codec as Codec<unknown>, value)[0]);
}
