/** What every failure detector promises: completeness in the end, and accuracy in a calm world. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { lan } from "./config.ts";
import type { FailureDetector } from "./detector.ts";
import { VERSIONS } from "./member.ts";
import { PHI_DEFAULTS, PhiAccrual } from "./phi/phi.ts";
import { plainWire } from "./plain-wire.ts";
import { roster } from "./swim/members.ts";
import { Swim } from "./swim/swim.ts";

const NODES: readonly NodeId[] = ["a", "b", "c", "d", "e", "f"];

const base = roster(
  NODES.map((name) => ({
    name,
    address: name,
    incarnation: 1,
    meta: new Uint8Array(0),
    versions: VERSIONS,
    state: "alive",
  })),
);

type Detector<V extends Vocabulary> = Process<V> & FailureDetector;

function conforms<V extends Vocabulary>(
  title: string,
  create: (name: NodeId) => Detector<V>,
): void {
  const open = () =>
    new Simulation<V, Detector<V>>({ seed: 1, nodes: NODES, create, latencyMs: [1, 20] });
  const opinions = (world: Simulation<V, Detector<V>>, about: NodeId) =>
    new Set(
      NODES.filter((node) => node !== about).flatMap(
        (node) => world.process(node)?.opinionOf(about) ?? [],
      ),
    );

  test(`${title}: in a calm world everybody is present, always`, () => {
    const world = open();
    for (let i = 0; i < 120; i++) {
      world.runFor(1000);
      for (const about of NODES) assert.deepEqual(opinions(world, about), new Set(["present"]));
    }
  });

  test(`${title}: a crash is noticed by everybody in the end, and nobody else is taken for gone`, () => {
    const world = open();
    world.runFor(60_000);
    world.crash("c");
    world.runFor(60_000);
    assert.deepEqual(opinions(world, "c"), new Set(["gone"]));
    for (const about of ["a", "b", "d"])
      assert.deepEqual(opinions(world, about), new Set(["present"]));
  });

  test(`${title}: opinions are revised when a node comes back`, () => {
    const world = open();
    world.runFor(60_000);
    world.crash("c");
    world.runFor(60_000);
    world.start("c");
    world.runFor(60_000);
    assert.deepEqual(opinions(world, "c"), new Set(["present"]));
  });

  test(`${title}: of a stranger nothing is known`, () => {
    const world = open();
    world.runFor(1000);
    assert.equal(world.process("a")!.opinionOf("stranger"), "unknown");
  });
}

conforms(
  "SWIM",
  (name) =>
    new Swim({ ...lan({ name, wire: plainWire, roster: base }), gossipToTheDeadMs: 600_000 }),
);
conforms("phi accrual", () => new PhiAccrual({ ...PHI_DEFAULTS, peers: NODES }));
