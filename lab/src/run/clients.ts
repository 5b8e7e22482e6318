/** Clients of a cluster: they ask at random times, where they think the answer is known. */

import type { NodeId } from "@quorate/kernel";

import { type Nemesis, pick, type Stage } from "../nemesis/nemesis.ts";

export class Clients implements Nemesis {
  private readonly thinkMs: number;
  private operations = 0;
  /** Where the last refusal pointed. */
  private hint: NodeId | undefined;

  constructor(thinkMs: number) {
    this.thinkMs = thinkMs;
  }

  /** A node that refused knows one that may not. */
  redirect(elsewhere: NodeId | undefined): void {
    this.hint = elsewhere;
  }

  act(stage: Stage): number {
    const { dice } = stage;
    // Now and then several come at once, so that batches form.
    const count = dice.chance(1, 8) ? 1 + dice.below(5) : 1;
    const node = this.choose(stage);
    for (let i = 0; i < count; i++) stage.act({ type: "ask", node, op: this.operations++ });
    return 1 + dice.below(2 * this.thinkMs);
  }

  private choose(stage: Stage): NodeId {
    const { dice, nodes } = stage;
    const { hint } = this;
    this.hint = undefined;
    if (hint !== undefined && stage.isUp(hint) && dice.chance(3, 4)) return hint;
    const leaders = stage.leaders();
    if (leaders.length > 0 && dice.chance(2, 3)) return pick(dice, leaders);
    return pick(dice, nodes);
  }
}
