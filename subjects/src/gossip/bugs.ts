/**
 * Serf with one mistake at a time: the production class, one rule of it
 * changed. Each is named after the sentence that it breaks.
 */

import {
  type Dead,
  type GossipWords,
  Serf,
  type SerfConfig,
  type SerfState,
  type Suspect,
} from "@quorate/gossip";
import type { Context } from "@quorate/kernel";
import type { Bug } from "@quorate/lab";

type Ctx = Context<GossipWords>;

export interface Planted {
  readonly bug: Bug;
  make(config: SerfConfig): Serf;
}

/** Calls nobody dead. */
class Patient extends Serf {
  protected override onSuspicionOver(): void {}
}

/** Lets rumours of its death stand. */
class Resigned extends Serf {
  protected override onDead(ctx: Ctx, rumour: Dead): void {
    if (rumour.node === this.name) this.members.put({ ...this.me, state: "dead" }, ctx.now);
    else super.onDead(ctx, rumour);
  }
}

/** Raises the incarnation of whom it accuses, to be believed. */
class Overbearing extends Serf {
  protected override onProbeEnd(ctx: Ctx): void {
    const { probe } = this;
    super.onProbeEnd(ctx);
    if (probe === undefined || this.member(probe.node)?.state !== "suspect") return;
    const incarnation = probe.incarnation + 1;
    this.members.put({ ...this.member(probe.node)!, incarnation }, ctx.now);
    this.spread(ctx, { type: "suspect", node: probe.node, incarnation, from: this.name });
  }
}

/** Counts a rumour of an earlier incarnation. */
class Backward extends Serf {
  protected override onSuspect(ctx: Ctx, rumour: Suspect): void {
    const known = this.member(rumour.node);
    const older = known !== undefined && rumour.incarnation < known.incarnation;
    if (older && rumour.node !== this.name && known.state === "alive") {
      this.members.put({ ...known, incarnation: rumour.incarnation }, ctx.now);
    }
    super.onSuspect(ctx, rumour);
  }
}

/** Puts out what a push/pull repeats. */
class Repetitive extends Serf {
  protected override mergeState(ctx: Ctx, state: SerfState, ignorePast: boolean): void {
    super.mergeState(ctx, state, ignorePast);
    for (const { ltime, events } of state.events) {
      for (const { name, payload } of events) {
        const event = { type: "userEvent", ltime, name, payload, coalesce: false } as const;
        ctx.outputEagerly({ type: "userEvent", event });
      }
    }
  }
}

const bug = (
  name: string,
  sentence: string,
  breaks: readonly string[],
  scenarios: readonly string[],
): Bug => ({ name, sentence, breaks, scenarios });

export const gossipBugs: readonly Planted[] = [
  {
    bug: bug(
      "no-deaths",
      "a suspect that does not refute is declared dead (SWIM §4.2)",
      ["liveness"],
      ["swarm"],
    ),
    make: (config) => new Patient(config),
  },
  {
    bug: bug(
      "no-refutation",
      "a member that hears of its own death refutes it (SWIM §4.2)",
      ["I1"],
      ["swarm", "partitions"],
    ),
    make: (config) => new Resigned(config),
  },
  {
    bug: bug(
      "anybody-raises-incarnations",
      "only the member itself raises its incarnation (SWIM §4.2)",
      ["I2"],
      ["swarm"],
    ),
    make: (config) => new Overbearing(config),
  },
  {
    bug: bug(
      "earlier-incarnation-counts",
      "a later incarnation outweighs an earlier one (SWIM §4.2)",
      ["I3"],
      ["swarm", "partitions"],
    ),
    make: (config) => new Backward(config),
  },
  {
    bug: bug("events-repeat", "an event is put out once (Serf)", ["I7"], ["swarm", "partitions"]),
    make: (config) => new Repetitive(config),
  },
];
