/**
 * What is still in force of what was done to a cluster: who is down, paused or cut
 * off, whose disk stalls. From it follows what must be done to a cluster in one
 * state so that it is in the other.
 */

import type { NodeId } from "@quorate/kernel";

import type { Action } from "./action.ts";

type Flag = "down" | "paused" | "stalled" | "full" | "damaged";

/** What sets each state of a node, and what ends it; nothing mends a damaged disk but to wipe it. */
const FLAGS: { readonly [F in Flag]: readonly [sets: OnNode, ends: OnNode] } = {
  down: ["crash", "start"],
  paused: ["pause", "resume"],
  stalled: ["stall", "release"],
  full: ["fill", "free"],
  damaged: ["damage", "wipe"],
};

type OnNode = Exclude<
  Extract<Action, { readonly node: NodeId }>["type"],
  "jump" | "clog" | "ask" | "corrupt"
>;

type Corruption = Extract<Action, { readonly type: "corrupt" }>;

export class Standing {
  private readonly flags: Map<Flag, Set<NodeId>> = new Map();
  /** Cuts and partitions since the network was healed last, one taken back included. */
  private cuts: readonly Action[] = [];
  /** Until when the links of a node are clogged. */
  private readonly clogs: Map<NodeId, number> = new Map();
  /** One for each upgrade. */
  private upgrades: readonly NodeId[] = [];
  /** Of disks that were not wiped since. */
  private corruptions: readonly Corruption[] = [];

  /** Takes note of an action at `now`. */
  apply(now: number, action: Action): void {
    switch (action.type) {
      case "sever":
      case "mend":
      case "partition":
        this.cuts = [...this.cuts, action];
        return;
      case "heal":
        this.cuts = [];
        return;
      case "clog":
        this.clogs.set(action.node, now + action.ms);
        return;
      case "upgrade":
        this.upgrades = [...this.upgrades, action.node];
        return;
      case "corrupt":
        this.corruptions = [...this.corruptions, action];
        return;
      case "jump":
      case "ask":
      case "calm":
        return;
      default:
        return this.flag(action.type, action.node);
    }
  }

  private flag(type: OnNode, node: NodeId): void {
    for (const [flag, [sets, ends]] of entries(FLAGS)) {
      const nodes = this.nodes(flag);
      if (type === sets) nodes.add(node);
      if (type === ends) nodes.delete(node);
    }
    // The process is gone that was paused.
    if (type === "crash") this.nodes("paused").delete(node);
    if (type === "wipe") this.corruptions = this.corruptions.filter((each) => each.node !== node);
  }

  /** What leads from here to where `other` stands at `now`. */
  actionsTo(other: Standing, now: number): readonly Action[] {
    const actions: Action[] = [];
    if (this.cuts !== other.cuts) {
      if (this.cuts.length > 0) actions.push({ type: "heal" });
      actions.push(...other.cuts);
    }
    for (const node of other.upgrades.slice(this.upgrades.length)) {
      actions.push({ type: "upgrade", node });
    }
    actions.push(...other.corruptions.filter((each) => !this.corruptions.includes(each)));
    for (const [flag, [sets, ends]] of entries(FLAGS)) {
      const [before, after] = [this.nodes(flag), other.nodes(flag)];
      for (const node of after) if (!before.has(node)) actions.push({ type: sets, node });
      for (const node of before) if (!after.has(node)) actions.push({ type: ends, node });
    }
    for (const [node, until] of other.clogs) {
      if (until > now) actions.push({ type: "clog", node, ms: until - now });
    }
    return actions;
  }

  private nodes(flag: Flag): Set<NodeId> {
    const nodes = this.flags.get(flag) ?? new Set();
    this.flags.set(flag, nodes);
    return nodes;
  }
}

/** The entries of a record whose keys are all known. */
function entries<K extends string, T>(record: { readonly [key in K]: T }): readonly [K, T][] {
  return Object.entries(record) as [K, T][]; // Of a literal, whose keys are these.
}
