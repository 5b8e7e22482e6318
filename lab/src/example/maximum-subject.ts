/**
 * The epidemic maximum as the lab examines it: the smallest complete subject.
 * `docs/lab.md` walks through it.
 */

import { type Context, type NodeId, type Random, type RequestId } from "@quorate/kernel";

import type { Cluster, Settings, Settled, Subject, Witness, World } from "../subject.ts";
import { plainText } from "../words.ts";
import { Maximum, type MaximumWords, type Request } from "./maximum.ts";

// region: bug
/** A planted bug: answers before the disk has what the answer says. */
class Hasty extends Maximum {
  protected override answer(ctx: Context<MaximumWords>, id: RequestId): void {
    ctx.replyEagerly(id, this.value);
  }
}
// endregion

// region: witness
/** Watches a run: feeds the clients, remembers what they were told. */
class MaximumWitness implements Witness<MaximumWords, Maximum> {
  private readonly world: World<MaximumWords, Maximum>;
  private readonly asked: Map<number, NodeId> = new Map();
  /** The highest number that each node ever answered. */
  private readonly told: Map<NodeId, number> = new Map();
  private highest = 0;

  constructor(world: World<MaximumWords, Maximum>) {
    this.world = world;
  }

  stepped(node: NodeId, { value }: Maximum): { claim: string; text: string } | undefined {
    const told = this.told.get(node) ?? 0;
    if (value >= told) return undefined;
    return { claim: "M1", text: `${node} answered ${told} and now holds ${value}` };
  }

  ask(op: number, dice: Random, node: NodeId): Request {
    this.asked.set(op, node);
    return dice.chance(1, 2) ? { type: "raise", value: op } : { type: "read" };
  }

  answered(op: number, value: number): Settled {
    const node = this.asked.get(op)!;
    if (value > this.highest) this.world.mark("raised");
    this.highest = Math.max(this.highest, value);
    this.told.set(node, Math.max(this.told.get(node) ?? 0, value));
    return { type: "served" };
  }

  missing(core: readonly NodeId[]): string | undefined {
    const values = core.map((node) => this.world.process(node)!.value);
    const highest = Math.max(...values);
    const behind = core.find((_, i) => values[i] !== highest);
    return behind === undefined ? undefined : `${behind} does not know ${highest}`;
  }
}
// endregion

// region: subject
export const maximum: Subject<MaximumWords, Maximum> = {
  name: "maximum",
  version: 1,
  summary: "a number that only grows, known to all by gossip",
  parameters: { nodes: { summary: "how many nodes", fallback: 3, min: 2, max: 10_000 } },
  claims: [{ id: "M1", text: "what a node answered it never forgets" }],
  marks: [{ name: "raised", text: "a client hears of a higher number than anybody before" }],
  bugs: [
    {
      name: "answers-before-durable",
      sentence: "an answer waits for the disk (kernel K4)",
      breaks: ["M1"],
      scenarios: ["crash-unsynced"],
    },
  ],
  words: {
    message: plainText,
    record: plainText,
    request: plainText,
    response: plainText,
    output: plainText,
    note: plainText,
    state: ({ value }) => `knows ${value}`,
  },
  open(settings: Settings, bug: string | undefined): Cluster<MaximumWords, Maximum> {
    const nodes = Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
    const Process = bug === undefined ? Maximum : Hasty;
    return {
      nodes,
      tolerates: { lost: 0, driftPermille: 100, clockSteps: true, wipe: false },
      releases: 1,
      patienceMs: 10_000,
      create: (id) => new Process(nodes.filter((other) => other !== id)),
      witness: (world) => new MaximumWitness(world),
    };
  },
};
// endregion
