import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";

import { CliError } from "../errors.ts";
import { parseDuration } from "./duration.ts";
import { canonicalFlags } from "./flags.ts";
import { agentPlan } from "./plan.ts";
import { agentSettings } from "./settings.ts";

function directory(t: TestContext, files: Readonly<Record<string, unknown>>): string {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-agent-"));
  t.after(() => fs.rmSync(place, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    fs.writeFileSync(
      path.join(place, name),
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  return place;
}

const refused = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof CliError, String(error));
    return error.message;
  }
  return assert.fail("nothing was refused");
};
const planOf = (flags: Readonly<Record<string, unknown>>) =>
  agentPlan(agentSettings({ node: "n", ...flags }));

test("flags are taken as Go's programs take them", () => {
  const forms: readonly (readonly [readonly string[], readonly string[]])[] = [
    [["-node", "n1"], ["--node=n1"]],
    [["-node=n1"], ["--node=n1"]],
    [["--node", "n1"], ["--node=n1"]],
    [["-tag", "a=b=c"], ["--tag=a=b=c"]],
    [["-tag=a=-b"], ["--tag=a=-b"]],
    [["-node", "-n"], ["--node=-n"]],
    [
      ["-replay", "-rejoin=true"],
      ["--replay", "--rejoin"],
    ],
    [["-replay=false"], []],
    [["-mdns-disable-ipv4"], ["--mdns-disable-ipv4"]],
    [["-replay=maybe"], ["--replay=maybe"]],
    [
      ["-nodes", "-h", "x"],
      ["-nodes", "-h", "x"],
    ],
  ];
  for (const [given, canonical] of forms) assert.deepEqual(canonicalFlags(given), canonical);
});

test("durations are Go's", () => {
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("1.5s"), 1500);
  assert.equal(parseDuration("300ms"), 300);
  assert.equal(parseDuration("0"), 0);
  for (const wrong of ["", "5", "5 s", "s", "-1s", "1d"])
    assert.equal(parseDuration(wrong), undefined, wrong);
});

test("files are read in order, directories by name, flags last; lists grow and tags are united", (t) => {
  const place = directory(t, {
    "b.json": {
      node_name: "b",
      tags: { x: "2", y: "2" },
      start_join: ["two"],
      retry_interval: "1m",
    },
    "a.json": { node_name: "a", tags: { x: "1" }, start_join: ["one"], leave_on_terminate: true },
    "c.txt": "not read",
  });
  const settings = agentSettings({
    configFile: [place],
    node: "flag",
    join: ["three"],
    tag: ["y=3"],
    disableCompression: true,
  });
  assert.equal(settings.node_name, "flag");
  assert.deepEqual(settings.tags, { x: "2", y: "3" });
  assert.deepEqual(settings.start_join, ["one", "two", "three"]);
  assert.equal(settings.retry_interval, 60_000);
  assert.equal(settings.leave_on_terminate, true);
  assert.equal(settings.enable_compression, false);
  assert.equal(settings.profile, "lan");
});

test("what is wrong in a file is refused with the file's name", (t) => {
  const place = directory(t, {
    "unknown.json": { node_nam: "x" },
    "type.json": { replay_on_join: "yes" },
    "broken.json": "{",
    "list.json": [],
  });
  const read = (name: string): string =>
    refused(() => agentSettings({ configFile: [path.join(place, name)] }));
  assert.match(read("unknown.json"), /unknown\.json: no setting is called node_nam/);
  assert.match(
    read("type.json"),
    /replay_on_join in .*type\.json is "yes", but must be true or false/,
  );
  assert.match(read("broken.json"), /cannot read .*broken\.json/);
  assert.match(read("list.json"), /is not a JSON object/);
  assert.match(read("missing.json"), /cannot read .*missing\.json/);
});

test("settings become what the agent is made from", () => {
  const { config, rpc, handlers, logLevel, rpcAuthKey } = planOf({
    bind: "10.0.0.1",
    advertise: "192.0.2.1:99",
    rpcAddr: "127.0.0.1:1234",
    rpcAuth: "secret",
    profile: "wan",
    role: "web",
    logLevel: "ERR",
    encrypt: "cg8StVXbQJ0gPvMd9o7yrg==",
    eventHandler: ["user:deploy=deploy.sh"],
    protocol: "4",
    broadcastTimeout: "10ms",
    requireTag: ["cluster=east"],
  });
  assert.deepEqual(config.bind, { host: "10.0.0.1", port: 7946 });
  assert.deepEqual(config.advertise, { host: "192.0.2.1", port: 99 });
  assert.deepEqual(config.tags, { role: "web" });
  assert.equal(config.keyring?.list().length, 1);
  assert.deepEqual(config.protocol.versions, [1, 5, 2, 2, 5, 4]);
  assert.equal(config.protocol.leaveBroadcastMs, 1000, "no less than a second, as in Serf");
  assert.deepEqual(config.protocol.admission, { type: "tagged", tags: { cluster: "east" } });
  assert.deepEqual(rpc, { host: "127.0.0.1", port: 1234 });
  assert.equal(rpcAuthKey, "secret");
  assert.deepEqual(handlers, [
    { filters: [{ event: "user", name: "deploy" }], action: "deploy.sh" },
  ]);
  assert.equal(logLevel, "error");
});

test("what Serf takes and we do not have is one line of warning, and the agent starts", (t) => {
  const place = directory(t, {
    "agent.json": {
      Node_Name: "n9",
      log_level: "",
      retry_interval: "",
      statsd_addr: "10.0.0.1:8125",
      statsite_addr: "10.0.0.1:8125",
      enable_syslog: true,
      syslog_facility: "LOCAL3",
      mdns: { interface: "eth0", disable_ipv4: true, disable_ipv6: false },
    },
    "wrong.json": { mdns: { interfaces: "eth0" } },
  });
  const { config, logLevel, warnings } = agentPlan(
    agentSettings({ configFile: [path.join(place, "agent.json")], mdnsDisableIpv6: true }),
  );
  assert.equal(config.name, "n9", "keys are read in any case");
  assert.equal(logLevel, "info", "an empty text says nothing");
  assert.deepEqual(warnings, [
    "mdns.interface, mdns.disable_ipv4, mdns.disable_ipv6 have no effect: " +
      "there is no multicast DNS: name agents with -join or -retry-join",
    "enable_syslog, syslog_facility have no effect: " +
      "logs go to standard error, from where systemd or logger(1) may take them",
    "statsd_addr, statsite_addr have no effect: let Prometheus read the metrics at -metrics-addr",
  ]);
  assert.match(
    refused(() => agentSettings({ configFile: [path.join(place, "wrong.json")] })),
    /no setting is called mdns\.interfaces/,
  );
  assert.match(
    planOf({ discover: "c", retryJoin: ["a"] }).warnings.join(),
    /^discover has no effect: only agents named/,
  );
  assert.deepEqual(planOf({}).warnings, []);
});

test("what contradicts, or is not supported, is refused with its flag's name", (t) => {
  const place = directory(t, { "tags.json": { a: "b" }, "keys.json": ["short"], "none.json": [] });
  const file = (name: string): string => path.join(place, name);
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ discover: "c" }, /-discover is not supported/],
    [{ profile: "moon" }, /-profile is "moon", but must be one of lan, wan, local/],
    [{ logLevel: "loud" }, /-log-level is "loud"/],
    [{ tag: ["a"] }, /-tag is/],
    [{ encrypt: "abc" }, /the key/],
    [{ encrypt: "AAAA" }, /the key has 3 bytes/],
    [{ encrypt: "AAAA", keyringFile: file("keys.json") }, /-encrypt cannot be given together/],
    [{ keyringFile: file("keys.json") }, /keys\.json: the key/],
    [{ keyringFile: file("none.json") }, /contains no keys/],
    [{ keyringFile: file("missing.json") }, /there is no file/],
    [{ tag: ["x=y"], tagsFile: file("tags.json") }, /together with -tags-file/],
    [{ eventHandler: ["dance=x.sh"] }, /is no event handler/],
    [{ protocol: "1" }, /-protocol must be from 2 to 5/],
    [{ iface: "nosuch0" }, /the interface nosuch0 has no usable address/],
    [{ bind: "10.0.0.1:x" }, /is no address/],
    [{ retryInterval: "often" }, /-retry-interval is "often", but must be a duration/],
  ];
  for (const [flags, message] of cases)
    assert.match(
      refused(() => planOf(flags)),
      message,
    );
  assert.deepEqual(planOf({ tagsFile: file("tags.json") }).config.tags, { a: "b" });
  assert.match(planOf({ syslog: true }).warnings.join(), /^enable_syslog has no effect: logs go/);
});
