/**
 * What is done to a cluster from outside: faults and client operations. The
 * same words whether a nemesis does it, a person in the page, or a list that was
 * written down in an earlier run.
 */

import { type NodeId, type Process, unreachable, type Vocabulary } from "@quorate/kernel";

import type { Way } from "../simulator/network.ts";
import type { Simulation } from "../simulator/simulation.ts";

/** How the nodes outside a core are kept out of it: stopped, cut off, or cut off one way. */
export type Outside = "down" | "cut" | "deaf" | "mute";

export type Action =
  | { readonly type: "crash"; readonly node: NodeId }
  | { readonly type: "start"; readonly node: NodeId }
  | { readonly type: "wipe"; readonly node: NodeId }
  | { readonly type: "damage"; readonly node: NodeId }
  /** What the disk of a node holds of a region of the replicated state is damaged. */
  | { readonly type: "corrupt"; readonly node: NodeId; readonly region: number }
  | { readonly type: "upgrade"; readonly node: NodeId }
  | { readonly type: "pause"; readonly node: NodeId }
  | { readonly type: "resume"; readonly node: NodeId }
  | { readonly type: "stall"; readonly node: NodeId }
  | { readonly type: "release"; readonly node: NodeId }
  | { readonly type: "fill"; readonly node: NodeId }
  | { readonly type: "free"; readonly node: NodeId }
  | { readonly type: "jump"; readonly node: NodeId; readonly ms: number }
  | { readonly type: "clog"; readonly node: NodeId; readonly ms: number }
  | { readonly type: "sever"; readonly from: NodeId; readonly to: NodeId }
  | { readonly type: "mend"; readonly from: NodeId; readonly to: NodeId }
  | { readonly type: "partition"; readonly way: Way; readonly side: readonly NodeId[] }
  | { readonly type: "heal" }
  /** Operation `op` is asked of a node. */
  | { readonly type: "ask"; readonly node: NodeId; readonly op: number }
  /** Faults end within the core for good; the others are kept out. */
  | { readonly type: "calm"; readonly outside: Outside; readonly core: readonly NodeId[] };

/**
 * Does it, or does nothing where it makes no sense any more: in an edited run, a
 * node may be up that was down. `ask` and `calm` are the business of the run.
 */
export function perform<V extends Vocabulary, P extends Process<V>>(
  world: Simulation<V, P>,
  action: Exclude<Action, { readonly type: "ask" | "calm" }>,
): void {
  switch (action.type) {
    case "crash":
      return world.crash(action.node);
    case "start":
      return world.isUp(action.node) ? undefined : world.start(action.node);
    case "wipe":
      return world.isUp(action.node) ? undefined : world.wipe(action.node);
    case "damage":
      return world.damage(action.node);
    case "corrupt":
      return world.disk(action.node).corrupt(action.region);
    case "upgrade":
      return world.upgrade(action.node);
    case "pause":
      return world.pause(action.node);
    case "resume":
      return world.resume(action.node);
    case "stall":
      return world.stall(action.node);
    case "release":
      return world.release(action.node);
    case "fill":
      return world.fill(action.node);
    case "free":
      return world.free(action.node);
    case "jump":
      return world.jump(action.node, action.ms);
    case "clog":
      return world.clog(action.node, action.ms);
    case "sever":
      return world.sever(action.from, action.to);
    case "mend":
      return world.mend(action.from, action.to);
    case "partition":
      return world.partition(action.side, action.way);
    case "heal":
      return world.heal();
    default:
      return unreachable(action);
  }
}

/** Ends all faults within `core` and keeps the other nodes out of it. */
export function calmDown<V extends Vocabulary, P extends Process<V>>(
  world: Simulation<V, P>,
  core: readonly NodeId[],
  outside: Outside,
): void {
  world.fates.calm();
  world.heal();
  world.unclog();
  for (const node of world.nodes) {
    world.resume(node);
    world.release(node);
    world.free(node);
    if (outside === "down" && !core.includes(node)) world.crash(node);
  }
  if (outside === "cut") world.partition(core, "both");
  // Who is deaf hears nothing out of the core, who is mute cannot speak into it.
  if (outside === "deaf") world.partition(core, "out");
  if (outside === "mute") world.partition(core, "in");
  for (const node of core) if (!world.isUp(node)) world.start(node);
}

/** The action as a person would say it. */
export function actionText(action: Action): string {
  switch (action.type) {
    case "jump":
      return `${action.node}'s clock jumps ${action.ms} ms ahead`;
    case "corrupt":
      return `the disk of ${action.node} loses what it has of region ${action.region}`;
    case "clog":
      return `links of ${action.node} are clogged for ${action.ms} ms`;
    case "sever":
      return `cut ${action.from}>${action.to}`;
    case "mend":
      return `mend ${action.from}>${action.to}`;
    case "partition": {
      const side = action.side.join(" ");
      if (action.way === "both") return `cut off ${side}`;
      return `cut off ${side}, ${action.way}ward only`;
    }
    case "heal":
      return "heal all cuts";
    case "ask":
      return `client asks ${action.node} operation ${action.op}`;
    case "calm":
      return `faults end; the others are ${action.outside}, ${action.core.join(" ")} must converge`;
    case "stall":
    case "release":
    case "fill":
    case "free":
      return `${action.type} the disk of ${action.node}`;
    case "damage":
    case "wipe":
      return `${action.type} the disk of ${action.node}`;
    case "crash":
    case "start":
    case "upgrade":
    case "pause":
    case "resume":
      return `${action.type} ${action.node}`;
    default:
      return unreachable(action);
  }
}
