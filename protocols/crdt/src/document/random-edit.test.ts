/** Random edits of the four roots that the peers have. */

import { type Random } from "@quorate/kernel";

import { type Edit } from "./peers.test.ts";

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
