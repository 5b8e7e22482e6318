import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, run } from "../service-harness.test.ts";

const cluster = (name: string) =>
  ({
    tags: { cluster: name },
    protocol: { admission: { type: "tagged", tags: { cluster: name } } },
  }) as const;

test("clusters that demand a tag of each other do not merge, whoever joins whom", async (t) => {
  const east = await run(t, "e1", cluster("east"));
  const east2 = await run(t, "e2", cluster("east"));
  const west = await run(t, "w1", cluster("west"));
  const open = await run(t, "o1");
  assert.equal(await east2.service.agent.join([east.address], false), 1);
  await assert.rejects(
    west.service.agent.join([east.address], false),
    /no address could be joined/,
  );
  await assert.rejects(
    east.service.agent.join([west.address], false),
    /no address could be joined/,
  );
  // One that takes anybody cannot carry the two into each other either.
  await open.service.agent.join([west.address], false).catch(() => {});
  await open.service.agent.join([east.address], false).catch(() => {});
  await eventually("e2 is known", () => east.service.agent.members().length === 2);
  await east.service.agent.userEvent("for the east", new Uint8Array(0), false);
  assert.deepEqual(
    east.service.agent
      .members()
      .map(({ name }) => name)
      .toSorted(),
    ["e1", "e2"],
  );
  assert.deepEqual(
    west.service.agent.members().map(({ name }) => name),
    ["w1"],
  );
});
