import assert from "node:assert/strict";
import { test } from "node:test";

import { founded } from "../membership.ts";
import { PieceSource, Sending } from "./snapshots.ts";

const WINDOW = 8;

/** A snapshot of `count` pieces, as many of them sent as the window takes. */
function begun(count: number): Sending {
  let left = count - 1;
  const rest = {
    next: () => (left-- > 0 ? new Uint8Array([left]) : undefined),
    close: () => {},
  };
  const configuration = founded({ voters: ["a", "b"] });
  const meta = { index: 9, term: 1, configuration, configurationIndex: 0, sealed: false };
  const source = new PieceSource(new Uint8Array([0]), rest);
  const sending = new Sending(1, undefined, { meta, source });
  fill(sending);
  return sending;
}

function fill(sending: Sending): void {
  while (sending.next(WINDOW) !== undefined);
}

/** What is sent again after each of these acknowledgements. */
function resent(
  sending: Sending,
  acknowledged: readonly number[],
): readonly (number | undefined)[] {
  return acknowledged.map((next) => {
    assert.ok(sending.acknowledge(next));
    const piece = sending.missed(next);
    fill(sending);
    return piece?.sequence;
  });
}

test("S9: a piece that three later ones overtook is sent again at once", () => {
  const sending = begun(100);
  assert.deepEqual(resent(sending, [1, 2]), [undefined, undefined]);
  assert.deepEqual(resent(sending, [2, 2, 2]), [undefined, undefined, 2], "piece 2 is lost");
  assert.deepEqual(resent(sending, [2, 2]), [undefined, undefined], "it is on its way");
  assert.deepEqual(resent(sending, [2]), [2], "or lost again");
});

test("S9: what was lost with it is sent again as soon as it is known", () => {
  const sending = begun(100);
  assert.deepEqual(resent(sending, [2, 2, 2, 2]), [undefined, undefined, undefined, 2]);
  assert.deepEqual(resent(sending, [5]), [5], "piece 5 was sent before 2 was missed");
  assert.deepEqual(resent(sending, [10]), [undefined], "piece 10 was not, and may only be late");
});

test("S9: pieces that come in their order, old answers and the end are no loss", () => {
  const sending = begun(10);
  assert.deepEqual(
    resent(sending, [1, 2, 3, 4, 5, 6, 7, 8]),
    Array.from({ length: 8 }, () => undefined),
  );
  assert.deepEqual(resent(sending, [3, 3, 3]), [undefined, undefined, undefined], "old answers");
  assert.deepEqual(
    resent(sending, [10, 10, 10, 10]),
    Array.from({ length: 4 }, () => undefined),
  );
});
