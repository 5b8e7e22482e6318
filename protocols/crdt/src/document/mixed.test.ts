import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { type Edit, OurPeer, type Peer, YjsPeer } from "./peers.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 25);
const WORDS = ["a", "bc", "def", "\u{1F600}", "é", "x\u{1F468}y", "\n", "long words"];

export function randomEdit(random: Random, rich: boolean): Edit {
  const at = random.below(1000);
  const pick = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  const kinds = rich
    ? ([
        "insert",
        "insert",
        "delete",
        "format",
        "embed",
        "bold",
        "push",
        "nest",
        "drop",
        "into",
        "set",
        "unset",
        "setNested",
        "element",
        "remove",
        "attribute",
      ] as const)
    : (["insert", "insert", "insert", "delete"] as const);
  const type = pick(kinds);
  const attributes = pick([
    { bold: true },
    { bold: null },
    { color: "red" },
    { color: "blue" },
    { color: null },
  ]);
  const key = pick(["k1", "k2", "k3"]);
  switch (type) {
    case "insert":
      return { type, at, text: pick(WORDS) };
    case "bold":
      return { type: "insert", at, text: pick(WORDS), attributes };
    case "delete":
      return { type, at, count: 1 + random.below(4) };
    case "format":
      return { type, at, count: 1 + random.below(5), attributes };
    case "embed":
      return { type, at, value: { image: at } };
    case "push":
      return {
        type,
        at,
        values: pick([[1], ["s", true, null], [{ a: [1.5] }], [new Uint8Array([1, 2])]]),
      };
    case "nest":
      return { type, at, kind: pick(["map", "array", "text"] as const) };
    case "drop":
      return { type, at, count: 1 + random.below(3) };
    case "into":
      return { type, at, value: random.below(100) };
    case "set":
      return { type, key, value: pick([1, "v", null, { deep: [at] }]) };
    case "unset":
      return { type, key };
    case "setNested":
      return { type, key, value: at };
    case "element":
      return { type, at, name: pick(["p", "div"]), text: pick(WORDS) };
    case "remove":
      return { type, at };
    default:
      return { type: "attribute", at, key: pick(["class", "id"]), value: `${at}` };
  }
}

/** Positions of Yjs may cut surrogate pairs; ours never do. Texts without pairs keep the two comparable. */
function withoutPairs(edit: Edit): Edit {
  if (!("text" in edit)) return edit;
  return { ...edit, text: edit.text.replace(/[\ud800-\udfff]+/g, "@") };
}

function settle(peers: readonly Peer[]): void {
  // Until clean-ups of formatting, which answer what arrives, have nothing left to say.
  for (let isQuiet = false; !isQuiet;) {
    for (const from of peers) {
      for (const to of peers) if (from !== to) to.apply(from.encode(to.stateVector()));
    }
    isQuiet = peers.every((peer) => peer.take().length === 0);
  }
}

function session(
  seed: number,
  rich: boolean,
  steps: number,
  makers: readonly ((id: number) => Peer)[],
): Peer[] {
  const random = new Random(seed);
  const peers = makers.map((make, i) => make(10 + i * 7 + random.below(5)));
  const inboxes: Uint8Array[][] = peers.map(() => []);
  for (let step = 0; step < steps; step++) {
    const who = random.below(peers.length);
    const peer = peers[who]!;
    if (random.below(3) < 2) peer.run(withoutPairs(randomEdit(random, rich)));
    else {
      const inbox = inboxes[who]!;
      for (let n = random.below(4); n > 0 && inbox.length > 0; n--) {
        const at = random.below(inbox.length);
        peer.apply(inbox[at]!);
        // One in four stays and arrives again.
        if (random.below(4) > 0) inbox.splice(at, 1);
      }
    }
    for (const update of peer.take()) {
      for (const [i, inbox] of inboxes.entries()) if (i !== who) inbox.push(update);
    }
  }
  settle(peers);
  return peers;
}

const ours = (id: number): Peer => new OurPeer(id);
const yjs = (id: number): Peer => new YjsPeer(id);

for (const [title, rich] of [
  ["plain text", false],
  ["all types", true],
] as const) {
  test(`replicas of ours and of Yjs converge, ${title}, whatever the order of delivery`, () => {
    let comparable = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const peers = session(seed, rich, 120, [ours, yjs, ours, yjs]);
      const expected = peers[1]!.state();
      for (const peer of peers) {
        assert.deepEqual(peer.state(), expected, `seed ${seed}: ${peer.name}`);
      }
      const bytes = Buffer.from(peers[1]!.encode());
      // Now and then Yjs leaves joins undone on one replica and not on the other.
      if (!bytes.equals(peers[3]!.encode())) continue;
      comparable++;
      for (const peer of peers) {
        assert.ok(bytes.equals(peer.encode()), `seed ${seed}: ${peer.name} encodes other bytes`);
      }
    }
    assert.ok(comparable >= SEEDS * 0.9, `the replicas of Yjs agreed in ${comparable} of ${SEEDS}`);
  });
}
