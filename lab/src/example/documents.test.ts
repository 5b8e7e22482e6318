import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { conformance } from "@quorate/kernel/conformance";

/** The root of the repository, from where this file is when compiled. */
const ROOT = new URL("../../../", import.meta.url);

/** Documents whose every TypeScript block is a region of a source file, named in the line above it. */
const DOCUMENTS = [
  "docs/writing-a-protocol.md",
  "kernel/README.md",
  "lab/README.md",
  "protocols/clocks/README.md",
  "protocols/crdt/README.md",
];

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The lines between `// region: name` and `// endregion`, without their common indentation. */
function region(path: string, name: string): string {
  const lines = read(path).split("\n");
  const start = lines.findIndex((line) => line.trim() === `// region: ${name}`);
  assert.notEqual(start, -1, `${path} has no region ${name}`);
  const length = lines.slice(start).findIndex((line) => line.trim() === "// endregion");
  const body = lines.slice(start + 1, start + length);
  const indent = lines[start]!.indexOf("//");
  return body.map((line) => line.slice(indent)).join("\n");
}

for (const path of DOCUMENTS) {
  test(`the code in ${path} is code that runs`, () => {
    const text = read(path);
    const marked = [...text.matchAll(/<!-- (\S+)#(\S+) -->\n+```ts\n([^]*?)\n```/g)];
    const blocks = text.match(/^```ts/gm) ?? [];
    assert.equal(marked.length, blocks.length, "every block names its region");
    assert.ok(blocks.length > 0);
    for (const [, source, name, block] of marked) {
      assert.equal(block, region(source!, name!), `${source}#${name}`);
    }
  });
}

test("every duty that the conformance suite examines is written down", () => {
  const duties = [...read("kernel/PROTOCOL.md").matchAll(/^## (K\d+) /gm)].map(([, duty]) => duty);
  assert.deepEqual(
    duties,
    duties.map((_, i) => `K${i + 1}`),
    "numbered without a gap",
  );
  for (const { duty, title } of conformance) assert.ok(duties.includes(duty), `${duty}: ${title}`);
});
