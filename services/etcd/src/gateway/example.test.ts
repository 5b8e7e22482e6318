import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { Client, credentials } from "@grpc/grpc-js";
import { EtcdServer, EtcdStore } from "@quorate/etcd";
import { bytesOf, putRequestMessage, putResponseMessage } from "@quorate/etcd/wire";
import { Node } from "@quorate/host";

const root = path.join(import.meta.dirname, "../..");

test("the example of the README runs", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "quorate-example-"));
  const peer = { host: "127.0.0.1", port: 0 };
  const urls = { peerUrls: ["http://127.0.0.1:2380"], clientUrls: ["http://127.0.0.1:2379"] };
  const onFatal = (error: unknown): void => assert.fail(String(error));
  let onAnswer: (error: Error | null, answer?: unknown) => void = () => {};
  const answered = new Promise<void>((resolve, reject) => {
    onAnswer = (error) => {
      if (error === null) resolve();
      else reject(error);
    };
  });
  // From here on as in the README.
  const node = new Node({ name: "n1", members: new Map([["n1", peer]]), dataDir, onFatal });
  const store = new EtcdStore();
  const group = node.replicate({ id: 1, name: "etcd", machine: store });

  const server = new EtcdServer({ node, group, store, members: new Map([["n1", urls]]) });
  await node.start();
  const { host, port } = await server.listen({ host: "127.0.0.1", port: 0 });

  const client = new Client(`${host}:${port}`, credentials.createInsecure());
  const put = putRequestMessage.create({ key: bytesOf("greeting"), value: Buffer.from("hello") });
  const { toBytes } = putRequestMessage;
  const { decode } = putResponseMessage;
  client.makeUnaryRequest("/etcdserverpb.KV/Put", toBytes, (bytes) => decode(bytes), put, onAnswer);
  // Up to here.
  await answered;
  assert.equal(store.revision, 2);
  client.close();
  await server.close(0);
  await node.stop();
  await rm(dataDir, { recursive: true });
});

test("the example of the README is the one that was run", async () => {
  const readme = await readFile(path.join(root, "README.md"), "utf8");
  const source = await readFile(path.join(root, "src/gateway/example.test.ts"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const [imports = "", ...code] = example.split("\n\n");
  for (const line of imports.split("\n")) assert.ok(source.includes(line), line);
  const run = /as in the README\.\n(.*?)\/\/ Up to here/s.exec(source)?.[1] ?? "";
  assert.equal(squeeze(code.join("")), squeeze(run));
});

function squeeze(code: string): string {
  return code.replaceAll(/\s/g, "");
}

test("the messages come without the gateway and the host", async () => {
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const code = await readFile(file, "utf8");
    for (const [, specifier = ""] of code.matchAll(/from "([^"]+)"/g)) {
      if (specifier.startsWith(".")) await visit(path.join(path.dirname(file), specifier));
      else assert.ok(["@quorate/grpc", "@quorate/kernel"].includes(specifier), specifier);
    }
  };
  await visit(path.join(root, "dist/wire/index.js"));
  for (const file of seen) assert.ok(!file.includes("gateway") && !file.includes("store"), file);
});
