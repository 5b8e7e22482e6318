/** Bytes from outside: cut, damaged, made up. */

import { CrdtError } from "../errors.ts";
import { type Case, ConformanceViolation, same } from "./subject.ts";
import { World } from "./world.ts";

/** Merges into a copy. Fails if that is refused otherwise than it should be, or half done. */
function attempt<Value, Handle, Edit>(
  world: World<Value, Handle, Edit>,
  base: Uint8Array,
  bytes: Uint8Array,
): "taken" | "refused" {
  const victim = world.subject.decode(base, "victim");
  try {
    victim.merge(bytes);
  } catch (error) {
    if (!(error instanceof CrdtError)) {
      throw new ConformanceViolation(`refused with ${String(error)} for ${bytes.join(" ")}`);
    }
    same(victim.encode(), base, "the state after a refusal");
    return "refused";
  }
  // What was taken in is a state like any other.
  world.subject.decode(victim.encode(), "victim");
  void victim.value;
  return "taken";
}

export const hostile: readonly Case[] = [
  {
    promise: "P8",
    title: "bytes that were cut off are refused, and change nothing",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(20);
      const base = world.copy(world.replicas[0]!).encode();
      world.run(10);
      for (const whole of [world.change() ?? world.sent[0]!, world.one().encode()]) {
        for (let length = 0; length < whole.length; length += 1 + Math.floor(whole.length / 40)) {
          const result = attempt(world, base, whole.subarray(0, length));
          same(result, "refused", `${length} of ${whole.length} bytes`);
        }
      }
    },
  },
  {
    promise: "P8",
    title: "damaged bytes are refused or are another state, and nothing in between",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(20);
      const base = world.copy(world.replicas[0]!).encode();
      world.run(20);
      const { random } = world;
      for (let i = 0; i < 60; i++) {
        const whole = random.chance(1, 2) ? world.one().encode() : world.sent.at(-1);
        if (whole === undefined) continue;
        const damaged = whole.slice();
        for (let flips = 1 + random.below(3); flips > 0; flips--) {
          damaged[random.below(damaged.length)] = random.below(256);
        }
        attempt(world, base, damaged);
      }
    },
  },
  {
    promise: "P8",
    title: "lengths that promise more than there is allocate nothing",
    run(subject, seed) {
      const world = new World(subject, seed);
      world.run(20);
      const base = world.copy(world.replicas[0]!).encode();
      const whole = world.one().encode();
      for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 40)) {
        const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        const bytes = Uint8Array.from([...whole.subarray(0, at), ...huge, ...whole.subarray(at)]);
        attempt(world, base, bytes);
      }
    },
  },
];
