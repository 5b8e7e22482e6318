import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";

import type { MemberReport, NodeReport } from "../cluster/report.ts";
import { Complaints } from "@quorate/host/tls";

import { hostPort, PEER_OFFSET } from "../cluster/ports.ts";
import { temporaryDirectory } from "../harness.test.ts";
import { json } from "../http/answer.ts";
import { HttpPort } from "../http/http-port.ts";
import { readBook, writeBook } from "./book.ts";
import { join } from "./join.ts";

const self = { name: "n4", host: "127.0.0.1", portBase: 7060 };

function listed(name: string, peer: string): MemberReport {
  return { name, peer, http: "", services: { etcd: "", serf: "" } };
}

/** A member that answers with what the test has it say, and hears what it is told. */
class FakeMember {
  readonly told: string[] = [];
  report: NodeReport = {
    name: "n1",
    version: "1",
    clusterId: "c",
    clusterToken: "token",
    founders: [{ name: "n1", peer: "127.0.0.1:7001" }],
    removed: ["old"],
    pid: 1,
    healthy: true,
    reason: "",
    uptimeMs: 1,
    members: [listed("n1", "127.0.0.1:7001")],
    peers: {},
    groups: [],
    gossip: {},
    counters: {},
  };
  private contact = "";

  async listen(t: TestContext): Promise<void> {
    const port = new HttpPort({
      tls: undefined,
      complaints: new Complaints(
        () => {},
        () => 0,
      ),
      handler: (request, response) => {
        if (request.method === "GET") return void response.end(json(200, this.report).body);
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          this.told.push(`${request.url} ${body}`);
          // What was asked is done: the node is a member from now on.
          this.add(listed("n4", "127.0.0.1:7061"));
          response.end(json(200, {}).body);
        });
      },
    });
    const { host, port: at } = await port.listen({ host: "127.0.0.1", port: 0 });
    t.after(() => port.close());
    this.contact = hostPort(host, at + PEER_OFFSET);
  }

  add(...members: readonly MemberReport[]): void {
    this.report = { ...this.report, members: [...this.report.members, ...members] };
  }

  /** A node asks it to be let in, after somebody who is not there. */
  join(name: string, onWait: (what: string) => void = () => {}) {
    const stop = new AbortController();
    const joining = join({
      self: { ...self, name },
      contacts: ["127.0.0.1:2", this.contact],
      ask: { timeoutMs: 60_000 },
      onWait,
      signal: stop.signal,
    });
    return { joining, stop };
  }
}

test("a node waits until it is added, and knows then what founders are told", async (t) => {
  const member = new FakeMember();
  await member.listen(t);
  const waits: string[] = [];
  const { joining } = member.join("n4", (what) => {
    waits.push(what);
    const log = { role: "leader", term: 1, leader: "n1", engine: "paxos", generation: 1 };
    const group = { name: "etcd", ...log };
    const nothing = { commitIndex: 0, appliedIndex: 0, lastIndex: 0, figures: {} };
    const parts = { voters: [], learners: [], promotable: [] };
    member.report = { ...member.report, groups: [{ ...group, ...nothing, ...parts }] };
    member.add(listed("n4", "127.0.0.1:7061"));
  });
  const book = await joining;
  assert.equal(waits.length, 1);
  assert.match(
    waits[0]!,
    /^being added: quorate members add n4 --address 127\.0\.0\.1:7061 --endp/,
  );
  const founder = { name: "n1", host: "127.0.0.1", portBase: 7000 };
  assert.deepEqual(book, {
    clusterToken: "token",
    founders: [founder],
    members: [founder, self],
    services: ["etcd", "serf"],
    consensus: new Map([["etcd", "paxos"]]),
  });
  const directory = temporaryDirectory(t);
  assert.equal(readBook(directory), undefined);
  writeBook(directory, book);
  assert.deepEqual(readBook(directory), book);
  fs.writeFileSync(path.join(directory, "cluster.json"), "{");
  assert.throws(
    () => readBook(directory),
    /cluster\.json is damaged .* start the node with --join/,
  );
});

test("a node takes the place that was added by its address alone", async (t) => {
  const member = new FakeMember();
  await member.listen(t);
  member.add(listed("~ab", "127.0.0.1:8061"), listed("~cd", "localhost:7061"));
  const book = await member.join("n4").joining;
  assert.deepEqual(member.told, ['/members/claim {"name":"n4","vacancy":"~cd"}']);
  assert.deepEqual(
    book?.members.map(({ name }) => name),
    ["n1", "n4"],
  );
});

test("a name of a founder, of one that left, or of another place is refused", async (t) => {
  const member = new FakeMember();
  await member.listen(t);
  await assert.rejects(member.join("n1").joining, /^CliError: n1: founded the cluster/);
  await assert.rejects(member.join("old").joining, /was a member before, and names are used once/);
  member.add(listed("n4", "127.0.0.1:9001"));
  await assert.rejects(
    member.join("n4").joining,
    /was added at 127\.0\.0\.1:9001, but its peer port is 7061/,
  );
});

test("a node that waits ends when it is told to", async (t) => {
  const member = new FakeMember();
  await member.listen(t);
  const { joining, stop } = member.join("n4", () => stop.abort());
  assert.equal(await joining, undefined);
});
