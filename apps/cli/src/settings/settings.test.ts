import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

import { CliError } from "../errors.ts";
import { writeBook } from "../members/book.ts";
import { nodeSettings } from "./node-settings.ts";
import { resolveSettings } from "./settings.ts";
import { kebab, variableOf } from "./table.ts";

const nowhere = { flags: {}, environment: {}, file: undefined };
const base = { name: "n1", dataDir: "d" };

function withFile<T>(text: string, run: (file: string) => T): T {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-settings-"));
  try {
    const file = path.join(directory, "q.json");
    fs.writeFileSync(file, text);
    return run(file);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function refusal(run: () => unknown): string {
  let message = "";
  assert.throws(run, (error) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.status, 1);
    message = error.message;
    return true;
  });
  return message;
}

function refusedNode(flags: object, environment: Record<string, string> = {}): string {
  return refusal(() =>
    nodeSettings({ flags: { ...base, ...flags }, environment, file: undefined }),
  );
}

test("a setting is called the same everywhere", () => {
  assert.equal(kebab("peerTrustedCaFile"), "peer-trusted-ca-file");
  assert.equal(variableOf("electionMs"), "QUORATE_ELECTION_MS");
});

test("flags go before variables, variables before the file, the file before defaults", () => {
  withFile('{"portBase": 3000, "electionMs": 900, "heartbeatMs": 60}', (file) => {
    const { values, given } = resolveSettings(
      ["portBase", "electionMs", "heartbeatMs", "logLevel"],
      {
        flags: { portBase: "1000" },
        environment: { QUORATE_PORT_BASE: "2000", QUORATE_ELECTION_MS: "800" },
        file,
      },
    );
    assert.deepEqual(values, {
      portBase: 1000,
      electionMs: 800,
      heartbeatMs: 60,
      logLevel: "info",
    });
    assert.ok(given("portBase"));
    assert.ok(!given("logLevel"));
  });
});

test("the file can be named by a variable, and an empty variable is none", () => {
  withFile('{"portBase": 3000}', (file) => {
    const environment = { QUORATE_CONFIG: file, QUORATE_PORT_BASE: "" };
    const { values } = resolveSettings(["portBase"], { flags: {}, environment, file: undefined });
    assert.equal(values.portBase, 3000);
  });
});

test("a bad value is refused with its source and what is allowed", () => {
  assert.equal(
    refusal(() => resolveSettings(["electionMs"], { ...nowhere, flags: { electionMs: "fast" } })),
    '--election-ms is "fast", but must be a whole number of milliseconds from 50 to 60000',
  );
  assert.equal(
    refusal(() =>
      resolveSettings(["portBase"], { ...nowhere, environment: { QUORATE_PORT_BASE: "70000" } }),
    ),
    'QUORATE_PORT_BASE is "70000", but must be a port number from 1 to 65516',
  );
  withFile('{"logLevel": 7}', (file) => {
    const message = refusal(() => resolveSettings(["logLevel"], { ...nowhere, file }));
    assert.equal(
      message,
      `"logLevel" in ${file} is 7, but must be one of trace, debug, info, warn, error, fatal, silent`,
    );
  });
});

test("a cluster that is wrong is refused with the part that is wrong", () => {
  const message = refusedNode({ cluster: "n1=127.0.0.1:7001,n2" });
  assert.match(
    message,
    /^--cluster is .* but must be a list of NAME=HOST:PEERPORT .*; "n2" does not/,
  );
});

test("a file that is missing, no JSON, no object or of unknown settings is refused", () => {
  const read = (file: string): string =>
    refusal(() => resolveSettings(["portBase"], { ...nowhere, file }));
  assert.match(read("/nowhere/q.json"), /cannot read the configuration file: ENOENT/);
  withFile("{", (file) => assert.match(read(file), /is not JSON/));
  withFile("[1]", (file) => assert.match(read(file), /must hold a JSON object/));
  withFile('{"portBsae": 1}', (file) => {
    assert.match(read(file), /"portBsae" in .* is no setting \(did you mean portBase\?\)/);
  });
});

test("what must be given and is not is named in all its forms", () => {
  assert.match(
    refusal(() => nodeSettings(nowhere)),
    /^--name, QUORATE_NAME or "name" in the configuration file is missing: /,
  );
});

test("a node without --cluster is a cluster of its own", () => {
  const settings = nodeSettings({ ...nowhere, flags: { ...base, portBase: "9000" } });
  assert.deepEqual(settings.cluster, [{ name: "n1", host: "127.0.0.1", portBase: 9000 }]);
});

test("a node must be in its cluster, on its own port", () => {
  const cluster = "n2=127.0.0.1:7021,n3=127.0.0.1:7041";
  assert.match(
    refusedNode({ cluster }),
    /--name is "n1", but must be one of the members .*: n2, n3/,
  );
  assert.match(
    refusedNode({ name: "n2", cluster, portBase: "7000" }),
    /--port-base is 7000, but must be 7020, since --cluster says that n2's peer port is 7021/,
  );
});

test("a node that joins is told by the cluster, remembers it, and takes no other word", (t) => {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-settings-"));
  t.after(() => fs.rmSync(dataDir, { recursive: true }));
  const flags = { name: "n4", dataDir, portBase: "7060" };
  const read = (more: object) => nodeSettings({ ...nowhere, flags: { ...flags, ...more } });
  assert.equal(read({ join: "127.0.0.1:7001,h:7021" }).membership, "joins");
  assert.match(
    refusal(() => read({ join: "nowhere" })),
    /--join is "nowhere", but must be a list of HOST:PEERPORT/,
  );
  const cluster = "n4=127.0.0.1:7061";
  assert.match(
    refusal(() => read({ join: "h:7001", cluster })),
    /--cluster is for founders, and this node is to join/,
  );
  const founder = { name: "n1", host: "h", portBase: 7000 };
  const self = { name: "n4", host: "far", portBase: 7060 };
  const consensus = new Map([["etcd", "paxos"]] as const);
  const services = ["etcd"];
  const book = {
    clusterToken: "t",
    founders: [founder],
    members: [self, founder],
    services,
    consensus,
  };
  writeBook(dataDir, book);
  // The group may have moved since: what its data says counts, and no flag.
  for (const more of [{}, { join: "127.0.0.1:7001" }, { consensus: "etcd=raft" }]) {
    const settings = read(more);
    assert.equal(settings.membership, "joined");
    assert.deepEqual([settings.founders, settings.cluster], [[founder], [founder, self]]);
    assert.deepEqual([settings.clusterToken, settings.services], ["t", ["etcd"]]);
    assert.deepEqual(settings.consensus, consensus);
  }
  assert.match(
    refusal(() => read({ clusterToken: "x" })),
    /--cluster-token is x, but .* is t/,
  );
  assert.match(
    refusal(() => read({ cluster })),
    /this node has joined a cluster that is there/,
  );
});

test("an election takes at least three heartbeats", () => {
  assert.match(
    refusedNode({ electionMs: "100" }),
    /--election-ms is 100, but must be at least 3 times the 100 of --heartbeat-ms \(by default\)/,
  );
});

test("beyond this machine a node needs TLS, or to be told that it does not", () => {
  const cluster = "n1=10.0.0.1:7001,n2=10.0.0.2:7001,n3=10.0.0.3:7001";
  const message = refusedNode({ host: "0.0.0.0", cluster });
  assert.match(message, /--host is 0\.0\.0\.0, .* --cert-file and --key-file, --peer-cert-file/);
  const told = { ...base, host: "0.0.0.0", cluster, insecure: true };
  assert.equal(nodeSettings({ ...nowhere, flags: told }).insecure, true);
  const spoken = { QUORATE_INSECURE: "yes" };
  const flags = { ...base, host: "0.0.0.0" };
  assert.equal(nodeSettings({ flags, environment: spoken, file: undefined }).host, "0.0.0.0");
});

test("certificates come in full sets", () => {
  assert.match(refusedNode({ certFile: "c.pem" }), /TLS for clients also needs --key-file/);
  assert.match(
    refusedNode({ peerKeyFile: "k.pem" }),
    /TLS between nodes also needs --peer-cert-file and --peer-trusted-ca-file/,
  );
  assert.match(refusedNode({ certFile: "/nowhere/c", keyFile: "k" }), /cannot read --cert-file: /);
});

test("only engines and services that exist are accepted", () => {
  assert.match(refusedNode({ consensus: "etcd=synod" }), /with commas: etcd on raft/);
  assert.match(refusedNode({ services: "etcd,mongo" }), /--services is "etcd,mongo"/);
  const { consensus } = nodeSettings({ ...nowhere, flags: { ...base, consensus: "etcd=raft" } });
  assert.equal(consensus.get("etcd"), "raft");
});

test("a host carries no port", () => {
  assert.match(refusedNode({ host: "127.0.0.1:7000" }), /without a port/);
});
