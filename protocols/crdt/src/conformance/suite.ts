/** The promises of PROTOCOL.md that every type keeps, examined over random histories. */

import { VersionVector } from "@quorate/clocks";

import { type Crdt } from "../crdt.ts";
import { CrdtError } from "../errors.ts";
import { hostile } from "./hostile.ts";
import { agree, type Case, ConformanceViolation, same, type Subject } from "./subject.ts";
import { World } from "./world.ts";

const STEPS = 40;

function look<Value, Handle, Edit>(
  subject: Subject<Value, Handle, Edit>,
  { value }: Crdt<Value, Handle>,
): unknown {
  return subject.look === undefined ? value : subject.look(value);
}

const sequential: readonly Case[] = [
  {
    promise: "P1",
    title: "alone, a replica is the plain value",
    run(subject, seed) {
      const world = new World(subject, seed);
      const [replica] = world.replicas;
      const model = subject.model();
      for (let i = 0; i < STEPS; i++) {
        const edit = subject.draw(world.random);
        replica!.mutate((handle) => subject.apply(handle, edit, replica!.actor), i);
        model.apply(edit);
        same(look(subject, replica!), model.value, `after edit ${i}, ${JSON.stringify(edit)}`);
      }
    },
  },
  {
    promise: "P1",
    title: "replicas that take turns are one plain value",
    run(subject, seed) {
      const world = new World(subject, seed);
      const model = subject.model();
      for (let i = 0; i < STEPS; i++) {
        const replica = world.one();
        const edit = subject.draw(world.random);
        replica.mutate((handle) => subject.apply(handle, edit, replica.actor), 50 - i);
        model.apply(edit);
        const delta = replica.delta();
        for (const other of world.replicas) {
          if (delta !== undefined && other !== replica) other.merge(delta);
          same(look(subject, other), model.value, `after edit ${i}, ${JSON.stringify(edit)}`);
        }
      }
    },
  },
];

const lattice: readonly Case[] = [
  {
    promise: "P2",
    title: "merging is commutative",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(STEPS);
      const [a, b] = world.replicas;
      const [left, right] = [world.copy(a!), world.copy(b!)];
      left.merge(b!.encode());
      right.merge(a!.encode());
      agree(left, right, "a with b and b with a");
    },
  },
  {
    promise: "P2",
    title: "merging is associative",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(STEPS);
      const [a, b, c] = world.replicas;
      const left = world.copy(a!);
      left.merge(b!.encode());
      left.merge(c!.encode());
      const inner = world.copy(b!);
      inner.merge(c!.encode());
      const right = world.copy(a!);
      right.merge(inner.encode());
      agree(left, right, "(a with b) with c and a with (b with c)");
    },
  },
  {
    promise: "P2",
    title: "merging what is known changes nothing",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(STEPS);
      world.settle();
      for (const replica of world.replicas) {
        const before = world.copy(replica);
        const known = [...world.sent, before.encode()];
        for (const bytes of known) same(replica.merge(bytes), false, "nothing is new");
        agree(replica, before, "after merging all again");
      }
    },
  },
];

const convergence: readonly Case[] = [
  {
    promise: "P3",
    title: "replicas that have seen the same agree, whatever was lost, repeated or late",
    run(subject, seed) {
      const world = new World(subject, seed);
      for (let phase = 0; phase < 3; phase++) {
        world.run(STEPS);
        world.settle();
        for (const replica of world.replicas) agree(replica, world.replicas[0]!, "after settling");
      }
    },
  },
  {
    promise: "P3",
    title: "all deltas in any order are all states together",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(STEPS);
      const late = subject.open("observer");
      const order = [...world.sent];
      for (let i = order.length; i > 0; i--) {
        const [delta] = order.splice(world.random.below(i), 1);
        late.merge(delta!);
        if (world.random.chance(1, 3)) late.merge(delta!);
      }
      const states = subject.open("observer");
      for (const replica of world.replicas) states.merge(replica.encode());
      agree(late, states, "deltas and states");
    },
  },
  {
    promise: "P3",
    title: "a version tells of every change, and who has the same has the same value",
    run(subject, seed) {
      const world = new World(subject, seed);
      for (let i = 0; i < STEPS; i++) {
        const replica = world.one();
        const before = replica.version;
        if (world.edit(replica) !== undefined)
          same(replica.version.compare(before), "after", "the version, after a change");
        world.run(2, true);
        for (const other of world.replicas) {
          if (other.version.compare(replica.version) === "equal")
            agree(other, replica, "of one version");
        }
      }
    },
  },
  {
    promise: "P4",
    title: "to those who know what came before, a delta is as good as the state",
    run(subject, seed) {
      const world = new World(subject, seed);
      for (let i = 0; i < STEPS; i++) {
        world.run(3);
        const replica = world.one();
        const before = world.copy(replica);
        const delta = world.edit(replica, 2);
        if (delta !== undefined) before.merge(delta);
        agree(before, replica, "a delta");
      }
    },
  },
  {
    promise: "P5",
    title: "an encoded replica goes on as if nothing had been",
    run(subject, seed) {
      const world = new World(subject, seed);
      for (let i = 0; i < 5; i++) {
        world.run(STEPS / 4);
        const at = world.random.below(world.replicas.length);
        const replica = world.replicas[at]!;
        const decoded = subject.decode(replica.encode(), replica.actor);
        agree(decoded, replica, "decoded");
        world.replicas[at] = decoded;
      }
      world.settle();
      for (const replica of world.replicas) agree(replica, world.replicas[0]!, "after settling");
    },
  },
];

const collection: readonly Case[] = [
  {
    promise: "P6",
    title: "collecting what is stable changes no value, here or later",
    run(subject, seed) {
      const world = new World(subject, seed);
      const plain = new World(subject, seed);
      for (let phase = 0; phase < 4; phase++) {
        // The same run twice, once with collection at some of the replicas.
        for (const one of [world, plain]) one.run(STEPS / 2, true);
        const frontier = known(world);
        for (const [i, replica] of world.replicas.entries()) {
          const heard = world.replicas.every((other) => replica.version.includes(other.version));
          if (i === phase % 3 || !heard) continue;
          const before = replica.value;
          world.collect(replica, frontier);
          same(replica.value, before, "after collection");
        }
        for (const [i, replica] of world.replicas.entries()) {
          same(
            look(subject, replica),
            look(subject, plain.replicas[i]!),
            "beside a replica that collects nothing",
          );
        }
        for (const one of [world, plain]) one.settle();
        const all = VersionVector.empty.merge(world.replicas[0]!.version);
        for (const replica of world.replicas.slice(phase % 3)) world.collect(replica, all);
        for (const [i, replica] of world.replicas.entries()) {
          same(
            look(subject, replica),
            look(subject, plain.replicas[i]!),
            "after settling and collection",
          );
        }
        // Collection is an edit, too: everybody hears of it before the next phase.
        for (const one of [world, plain]) one.settle();
      }
    },
  },
];

/** What every replica has seen. */
function known<Value, Handle, Edit>(world: World<Value, Handle, Edit>): VersionVector {
  return world.replicas.map(({ version }) => version).reduce((all, version) => all.meet(version));
}

const identity: readonly Case[] = [
  {
    promise: "P7",
    title: "acts under one's own name that one does not know are refused",
    run(subject, seed) {
      const world = new World(subject, seed);
      const [replica] = world.replicas;
      world.change(replica);
      const backup = subject.decode(replica!.encode(), replica!.actor);
      const before = backup.encode();
      const delta = world.change(replica);
      if (delta === undefined) return;
      try {
        backup.merge(delta);
      } catch (error) {
        same(error instanceof CrdtError && error.code, "duplicateActor", "the refusal");
        same(backup.encode(), before, "the state after the refusal");
        return;
      }
      throw new ConformanceViolation("a replica took in its own future");
    },
  },
];

/** All cases. Run each with many seeds. */
export const conformance: readonly Case[] = [
  ...sequential,
  ...lattice,
  ...convergence,
  ...collection,
  ...identity,
  ...hostile,
];
