/**
 * Space-time diagrams for docs, drawn from transcripts: one line of life for
 * each node, one row for each message that arrived and each thing that happened.
 * `QUORATE_TRANSCRIPTS=write` redraws those in the docs.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

const WRITE = process.env["QUORATE_TRANSCRIPTS"] === "write";
const ROOT = new URL("../../../", import.meta.url);

const WIDTH = 34;

/** Draws the messages and events of a transcript. */
function draw(script: string): string {
  const lines = script.split("\n");
  const [, members = ""] = /^(?:quietly )?cluster (.*)$/m.exec(script) ?? [];
  const nodes = members.split(" ").filter((word) => /^\w+$/.test(word));
  const column = (node: string) => nodes.indexOf(node) * WIDTH + 1;
  const blank = () => {
    const row = Array.from({ length: column(nodes.at(-1)!) + 2 }, () => " ");
    for (const node of nodes) row[column(node)] = "|";
    return row;
  };
  const put = (row: string[], at: number, text: string) => {
    for (let i = 0; i < text.length; i++) row[at + i] = text.charAt(i);
  };
  const rows = [nodes.map((node) => ` ${node}`.padEnd(WIDTH)).join("")];
  for (const line of lines) {
    const row = blank();
    const heard = /^ {2}(\w+) hears (\w+): (.*)$/.exec(line);
    const event = /^ {2}(\w+) (?:at \d+: |is asked \d+: )?(.+?(?: timer)?)$/.exec(line);
    if (heard !== null) {
      const [, to = "", from = "", message = ""] = heard;
      const [left, right] = [column(from), column(to)].toSorted((a, b) => a - b);
      const room = right! - left! - 1;
      const label = ` ${message} `.slice(0, room - 4);
      const side = "-".repeat(Math.max(0, room - label.length - 2));
      const arrow =
        column(to) > column(from) ? `--${label}${side}`.slice(0, -1) + ">" : `<-${label}${side}`;
      put(row, left! + 1, arrow.slice(0, room));
    } else if (event !== null && nodes.includes(event[1]!) && !line.startsWith("    ")) {
      put(row, column(event[1]!) + 2, event[2]!.slice(0, WIDTH + 14));
      put(row, column(event[1]!), "*");
    } else continue;
    rows.push(row.join("").trimEnd());
  }
  return rows.map((row) => row.trimEnd()).join("\n");
}

for (const document of [
  "docs/protocols/raft.md",
  "docs/protocols/paxos.md",
  "docs/protocols/zab.md",
]) {
  test(`the diagrams in ${document} are drawn from transcripts`, () => {
    const url = new URL(document, ROOT);
    const before = readFileSync(url, "utf8");
    const block = /(<!-- drawn from (\S+) -->\n+```text\n)[^]*?(\n?```)/g;
    const after = before.replaceAll(block, (_, head: string, path: string) => {
      return `${head}${draw(readFileSync(new URL(path, ROOT), "utf8"))}\n\`\`\``;
    });
    assert.ok(block.test(before), "there are diagrams");
    if (WRITE) writeFileSync(url, after);
    else assert.equal(before, after, "redraw with QUORATE_TRANSCRIPTS=write");
  });
}
