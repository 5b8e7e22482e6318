import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  alarmRequest,
  alarmResponse,
  bytesOf,
  compactionRequestMessage,
  compactionResponseMessage,
  deleteRangeRequestMessage,
  deleteRangeResponseMessage,
  emptyMessage,
  putRequestMessage,
  statusResponse,
  txnRequestMessage,
  txnResponseMessage,
} from "../wire/index.ts";
import { type EtcdClient, TestCluster } from "./harness.test.ts";

const NO_SPACE = { code: 8, details: "etcdserver: mvcc: database space exceeded" };
const QUOTA = 1 << 20;
const VALUE = "x".repeat(100_000);

let cluster: TestCluster;
let client: EtcdClient;

before(async () => {
  cluster = await TestCluster.start(["n1"], { quotaBytes: QUOTA });
  client = cluster.client(await cluster.leader());
});

after(() => cluster.close());

function alarms() {
  const ask = { action: 0, memberId: "", alarm: 0 };
  return client.call("Maintenance/Alarm", alarmRequest, alarmResponse, ask);
}

test("a full store refuses what adds to it until history is compacted", async () => {
  let revision = 0;
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) revision = (await client.put("big", VALUE)).header!.revision;
  };
  await assert.rejects(fill(), NO_SPACE);
  await assert.rejects(client.grant(10), NO_SPACE);
  const put = putRequestMessage.create({ key: bytesOf("k"), value: bytesOf("v") });
  const txn = { success: [{ request: { type: "requestPut", value: put } }] } as const;
  const transact = () => client.call("KV/Txn", txnRequestMessage, txnResponseMessage, txn);
  await assert.rejects(transact(), NO_SPACE);

  const [alarm] = (await alarms()).alarms;
  assert.equal(alarm?.alarm, 1);
  const { errors } = await client.call("Maintenance/Status", emptyMessage, statusResponse, {});
  assert.match(errors.join(), /alarm:NOSPACE/);

  assert.equal((await client.range("big")).count, 1);
  const gone = { key: bytesOf("nobody") };
  await client.call("KV/DeleteRange", deleteRangeRequestMessage, deleteRangeResponseMessage, gone);
  const compaction = { revision, physical: true };
  await client.call("KV/Compact", compactionRequestMessage, compactionResponseMessage, compaction);
  await client.put("big", VALUE);
  await transact();
  assert.deepEqual((await alarms()).alarms, []);
});
