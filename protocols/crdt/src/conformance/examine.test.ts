/** Runs the whole suite on one subject, with some seeds. */

import { suite, test } from "node:test";

import { conformance, type Subject } from "./index.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 4);

export function examine<Value, Handle, Edit>(subject: Subject<Value, Handle, Edit>): void {
  suite(subject.name, () => {
    for (const one of conformance) {
      test(`${one.promise}: ${one.title}`, () => {
        for (let seed = 1; seed <= SEEDS; seed++) {
          try {
            one.run(subject, seed);
          } catch (error) {
            throw new Error(`seed ${seed}`, { cause: error });
          }
        }
      });
    }
  });
}
