import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { find } from "./expression.ts";
import { isMeant } from "./filter.ts";

for (const [expression, text, expected] of [
  ["web", "my-web-1", true],
  ["^web$", "my-web-1", false],
  ["^(web|db)-[0-9]+$", "db-12", true],
  ["^(?:web|db|)$", "", true],
  ["(?i)WEB", "web", true],
  ["^\\d{2}$", "12", true],
  ["^\\d{2,}$", "1", false],
  ["^[^a-c]{1,3}$", "xyz", true],
  ["^[]a-]+$", "]-a", true],
  ["a{", "a{", true],
  ["\\.", "x", false],
  ["^.*?-.*-.*$", "a-b-c", true],
  ["", "", true],
  ["^é$", "é", true],
] as const) {
  const found = expected ? "is found in" : "is not found in";
  test(`${JSON.stringify(expression)} ${found} ${JSON.stringify(text)}`, () => {
    assert.equal(find(expression, text), expected);
  });
}

for (const expression of [
  "(",
  ")",
  "a**",
  "+",
  "[",
  "[b-a]",
  "\\1",
  "(?=a)",
  "a{3,2}",
  "(x{999}){999}",
  "\\",
]) {
  test(`${JSON.stringify(expression)} is no expression, or too large`, () => {
    assert.equal(find(expression, "aaa"), undefined);
  });
}

test("expressions that hang others end here", () => {
  for (const expression of ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}", "a*a*a*a*a*b"]) {
    find(`^${expression}b`, "a".repeat(512)); // A hung test is the failure.
  }
});

test("whatever the expression, it finds what the host's finds", () => {
  const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "^", "$", "\\d");
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie("tree"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{0,}"))
        .map(([a, times]) => `(?:${a})${times}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "1"), maxLength: 6 });
  fc.assert(
    fc.property(tree, text, (expression, subject) => {
      assert.equal(find(expression, subject), new RegExp(expression).test(subject));
    }),
    { numRuns: 1500 },
  );
});

test("all filters must hold", () => {
  const tags = { role: "web" };
  assert.ok(isMeant([], "a", tags));
  const named = { type: "nodes", names: ["a"] } as const;
  assert.ok(isMeant([named, { type: "tag", tag: "role", expression: "web" }], "a", tags));
  assert.ok(!isMeant([named, { type: "tag", tag: "dc", expression: "." }], "a", tags));
  assert.ok(!isMeant([{ type: "tag", tag: "role", expression: "(" }], "a", tags));
});
