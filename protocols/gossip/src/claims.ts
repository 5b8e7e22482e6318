/**
 * Promises of membership, checked on a whole cluster from outside (invariants
 * I1–I6 of PROTOCOL.md). A simulator asks after every step, of the node that
 * took it.
 */

import type { NodeId } from "@quorate/kernel";

import { type Incarnation, isPresent, type Name } from "./member.ts";
import type { Swim } from "./swim/swim.ts";

export class GossipClaims {
  /** The highest incarnation that each member ever gave itself, over all its lives. */
  private readonly own: Map<Name, Incarnation> = new Map();
  /** What each life of a node last knew. */
  private readonly known: WeakMap<Swim, ReadonlyMap<Name, Incarnation>> = new WeakMap();

  /** Takes note of what a node says of itself. To be called after each of its steps. */
  witness({ me }: Swim): void {
    this.own.set(me.name, Math.max(this.own.get(me.name) ?? 0, me.incarnation));
  }

  /** Returns the first broken promise, or `undefined`. */
  check(id: NodeId, node: Swim): string | undefined {
    const { me } = node;
    if (!node.hasLeft && (me.state !== "alive" || me.address !== id)) {
      return `I1: ${id} takes itself for ${me.state} at ${me.address}`;
    }
    return this.records(id, node) ?? counts(id, node);
  }

  private records(id: NodeId, node: Swim): string | undefined {
    const before = this.known.get(node) ?? new Map<Name, Incarnation>();
    const after = new Map<Name, Incarnation>();
    for (const { name, incarnation, state } of node.members.all()) {
      if (incarnation > (this.own.get(name) ?? 0)) {
        return `I2: ${id} holds incarnation ${incarnation} of ${name}, which never was`;
      }
      // One that is gone may have been forgotten, or its name reclaimed, since the last look.
      if (incarnation < (before.get(name) ?? 0)) {
        return `I3: ${id} went back to incarnation ${incarnation} of ${name}`;
      }
      if ((state === "suspect") !== node.suspicions.has(name)) {
        return `I4: ${id} holds ${name} for ${state}, and its suspicion says otherwise`;
      }
      if (state === "alive" || state === "suspect") after.set(name, incarnation);
    }
    this.known.set(node, after);
    return undefined;
  }
}

function counts(id: NodeId, node: Swim): string | undefined {
  const records = node.members.all();
  const present = records.filter(isPresent).length;
  if (present !== node.members.present || records.length !== node.members.known) {
    return `I5: ${id} miscounts its members`;
  }
  if (node.health < 0 || node.health > 7) return `I6: ${id} feels ${node.health}`;
  return undefined;
}
