/** The real etcd, one member, to compare with. */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { claimPorts } from "./ports.ts";
import { Conversation, run } from "./programs.ts";
import { eventually } from "./wait.ts";

/** Runs a body with the endpoint of a fresh etcd. */
export async function withRealEtcd(body: (endpoint: string) => Promise<void>): Promise<void> {
  const ports = await claimPorts();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-etcd-"));
  const endpoint = `127.0.0.1:${ports.base}`;
  const [client, peer] = [`http://${endpoint}`, `http://127.0.0.1:${ports.base + 1}`];
  const flags = {
    "--name": "n1",
    "--data-dir": directory,
    "--listen-client-urls": client,
    "--advertise-client-urls": client,
    "--listen-peer-urls": peer,
    "--initial-advertise-peer-urls": peer,
    "--initial-cluster": `n1=${peer}`,
  };
  const etcd = new Conversation("etcd", Object.entries(flags).flat());
  try {
    await eventually("etcd serves", async () => {
      const { status } = await run("etcdctl", ["--endpoints", endpoint, "endpoint", "health"]);
      return status === 0;
    });
    await body(endpoint);
  } finally {
    etcd.kill();
    await etcd.ended();
    fs.rmSync(directory, { recursive: true, force: true });
    await ports.release();
  }
}
