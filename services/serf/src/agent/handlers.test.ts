import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";

import type { Member } from "@quorate/gossip";
import { pino } from "pino";

import { eventually } from "../service-harness.test.ts";
import type { AgentEvent, PendingQuery } from "./event.ts";
import { EventHandlers, parseHandler } from "./handlers.ts";

const self: Member = {
  name: "me",
  address: "10.0.0.1:7946",
  tags: { role: "web", "data-center": "east" },
  status: "alive",
  versions: [1, 5, 2, 2, 5, 5],
};
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const user = (name: string, payload = ""): AgentEvent => ({
  type: "user",
  ltime: 7,
  name,
  payload: bytes(payload),
  coalesce: true,
});
const query: AgentEvent = {
  type: "query",
  query: { ltime: 8, id: 1, name: "load", payload: bytes("now"), deadline: Infinity },
};

interface Rig {
  readonly file: string;
  readonly handlers: EventHandlers;
  readonly answers: string[];
  readonly lines: () => readonly string[];
}

/** Handlers by their texts; FILE in a text is a file that the test reads. */
function rig(t: TestContext, ...texts: readonly string[]): Rig {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-handlers-"));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const file = path.join(directory, "out");
  fs.writeFileSync(file, "");
  const answers: string[] = [];
  const parsed = texts.map((text) => parseHandler(text.replaceAll("FILE", file))!);
  const handlers = new EventHandlers(parsed, {
    logger: pino({ level: "silent" }),
    self: () => self,
    respond: (_query: PendingQuery, payload) => answers.push(Buffer.from(payload).toString()),
  });
  t.after(() => handlers.stop());
  const lines = (): readonly string[] => fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  return { file, handlers, answers, lines };
}

test("filters are read as Serf reads them", () => {
  assert.deepEqual(parseHandler("a.sh"), {
    filters: [{ event: "*", name: undefined }],
    action: "a.sh",
  });
  assert.deepEqual(parseHandler("member-join,user:deploy=a.sh x=1"), {
    filters: [
      { event: "member-join", name: undefined },
      { event: "user", name: "deploy" },
    ],
    action: "a.sh x=1",
  });
  assert.equal(parseHandler("member-dance=a.sh"), undefined);
  assert.equal(parseHandler("member-join:x=a.sh"), undefined);
  assert.equal(parseHandler("https://h/?a=b")?.action, "https://h/?a=b");
  assert.deepEqual(parseHandler("query=https://h/?a=b")?.filters, [
    { event: "query", name: undefined },
  ]);
});

test("a script is told of a user event by its environment and its input", async (t) => {
  const { handlers, lines } = rig(
    t,
    'echo "$SERF_EVENT $SERF_SELF_NAME $SERF_SELF_ROLE $SERF_TAG_DATA_CENTER $SERF_USER_EVENT $SERF_USER_LTIME $(cat)" >> FILE',
  );
  handlers.handle(user("deploy", "v1"));
  await eventually("it ran", () => lines().length === 1);
  assert.deepEqual(lines(), ["user me web east deploy 7 v1"]);
});

test("a script is told of members line by line, with tabs", async (t) => {
  const { handlers, lines } = rig(t, "member-join=cat >> FILE");
  const other: Member = { ...self, name: "o\tther", address: "[fe80::2]:1", tags: {} };
  handlers.handle({ type: "members", change: "join", members: [self, other] });
  await eventually("it ran", () => lines().length === 2);
  assert.deepEqual(lines(), [
    "me\t10.0.0.1\tweb\trole=web,data-center=east",
    "o\\tther\tfe80::2\t\t",
  ]);
});

test("what a handler of a query prints is the answer, unless it fails or prints nothing", async (t) => {
  const { handlers, answers } = rig(
    t,
    'query:load=echo "$SERF_QUERY_NAME $SERF_QUERY_LTIME"; cat',
    "query=echo not this; exit 3",
    "query:load=true",
    "user=echo not this either",
  );
  handlers.handle(query);
  handlers.handle(user("x"));
  await eventually("it answered", () => answers.length === 1);
  assert.deepEqual(answers, ["load 8\nnow\n"]);
});

test("the answer is the end of the output, of 8 KiB at most", async (t) => {
  const { handlers, answers } = rig(t, "head -c 100000 /dev/zero | tr '\\0' x; printf end");
  handlers.handle(query);
  await eventually("it answered", () => answers.length === 1);
  assert.equal(answers[0]!.length, 8192);
  assert.ok(answers[0]!.endsWith("xend"));
});

test("events are handled one after the other, in order", async (t) => {
  const { handlers, lines } = rig(
    t,
    'echo "in $SERF_USER_EVENT" >> FILE; sleep 0.02; echo "out $SERF_USER_EVENT" >> FILE',
  );
  for (const name of ["a", "b", "c"]) handlers.handle(user(name));
  await eventually("all ran", () => lines().length === 6);
  assert.deepEqual(lines(), ["in a", "out a", "in b", "out b", "in c", "out c"]);
});

test("a handler that hangs costs the events beyond its queue, and no memory", async (t) => {
  const { handlers, lines, file } = rig(t, "echo $$ >> FILE; exec sleep 1000");
  for (let i = 0; i < 3000; i++) handlers.handle(user("x"));
  assert.equal(handlers.dropped, 3000 - 1024 - 1);
  await eventually("the first runs", () => lines().length === 1);
  handlers.stop();
  process.kill(Number(fs.readFileSync(file, "utf8")));
});

test("a webhook gets the event as JSON, and its answer to a query counts", async (t) => {
  const bodies: unknown[] = [];
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      bodies.push(JSON.parse(text));
      response.end("fine");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { handlers, answers } = rig(t, `query,user=http://127.0.0.1:${port}/hook`);
  handlers.handle(user("deploy", "v1"));
  handlers.handle(query);
  await eventually("it answered", () => answers.length === 1);
  assert.deepEqual(answers, ["fine"]);
  const common = { self: "me", tags: self.tags };
  assert.deepEqual(bodies, [
    { event: "user", ...common, name: "deploy", ltime: 7, payload: "djE=" },
    { event: "query", ...common, name: "load", ltime: 8, payload: "bm93" },
  ]);
});
