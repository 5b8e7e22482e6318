import assert from "node:assert/strict";
import { test } from "node:test";

import { isMeant, matches } from "./filter.ts";

for (const [expression, text, expected] of [
  ["web", "my-web-1", true],
  ["^web$", "my-web-1", false],
  ["^(web|db)-[0-9]+$", "db-12", true],
  ["(?i)WEB", "web", true],
  ["^\\d{2}$", "12", true],
  ["", "", true],
  [".*", "anything", true],
] as const) {
  test(`${JSON.stringify(expression)} ${expected ? "finds" : "does not find"} ${JSON.stringify(text)}`, () => {
    assert.equal(matches(expression, text), expected);
  });
}

for (const expression of [
  "(a+)+$",
  "(a|a)*$",
  "(a|aa)+$",
  "(.*a){20}",
  "a*a*a*a*a*b",
  "(a)\\1",
  "(",
  "a".repeat(300),
]) {
  test(`${JSON.stringify(expression.slice(0, 20))} is not tried: it may take for ever, or is none`, () => {
    assert.equal(matches(expression, "a".repeat(300)), false);
  });
}

test("what is tried takes no longer than a text of 512 bytes can make it", () => {
  for (const expression of ["a*a*a*b", "[ab]*[ab]*b$", "(ab)*c", "a?a?a?a?aaaa"]) {
    matches(expression, "a".repeat(512)); // Ends: a hung test is the failure.
  }
});

test("all filters must hold", () => {
  const tags = { role: "web" };
  assert.ok(isMeant([], "a", tags));
  const named = { type: "nodes", names: ["a"] } as const;
  assert.ok(isMeant([named, { type: "tag", tag: "role", expression: "web" }], "a", tags));
  assert.ok(!isMeant([named, { type: "tag", tag: "dc", expression: "." }], "a", tags));
});
