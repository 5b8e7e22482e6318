/**
 * What a node makes of rumours about members (SWIM §4.2): which one outweighs
 * which, what it tells on, and how it answers one about itself.
 */

import {
  type Address,
  type Incarnation,
  isPresent,
  type MemberRecord,
  type Name,
  sameBytes,
  sameVersions,
} from "../member.ts";
import type { Alive, Dead, Suspect } from "../messages.ts";
import { aliveOf, type Ctx, INCARNATION_MAX, SwimState } from "./state.ts";
import { Suspicion } from "./suspicion.ts";

export abstract class Rumours extends SwimState {
  /** Of each suspect, how long it has left. */
  readonly suspicions: Map<Name, Suspicion> = new Map();

  /** G10: a later incarnation outweighs everything; about itself a node knows best. */
  protected onAlive(ctx: Ctx, rumour: Alive): void {
    const { node, incarnation } = rumour;
    if (incarnation > INCARNATION_MAX) return;
    if (this.isMe(node)) return this.onAliveMe(ctx, rumour);
    const [protocolMin, protocolMax] = rumour.versions;
    if (!(protocolMin > 0 && protocolMin <= protocolMax)) {
      return ctx.note({ type: "ignored", what: `alive ${node}`, reason: "no protocol versions" });
    }
    const known = this.members.get(node);
    if (known !== undefined && known.address !== rumour.address) {
      if (!this.reclaims(ctx, known)) return this.conflict(ctx, known, rumour.address);
      ctx.note({ type: "reclaimed", node, address: rumour.address });
    } else if (known !== undefined && incarnation <= known.incarnation) {
      return;
    }
    const { address, meta, versions } = rumour;
    const record: MemberRecord = {
      name: node,
      address,
      incarnation,
      meta: known !== undefined && sameBytes(meta, known.meta) ? known.meta : meta,
      versions:
        known !== undefined && sameVersions(versions, known.versions) ? known.versions : versions,
      state: "alive",
    };
    const full = known === undefined && this.members.known >= this.config.membersMax;
    const refusal = full ? "too many members" : this.refusal(record);
    if (refusal !== undefined) {
      return ctx.note({ type: "ignored", what: `alive ${node}`, reason: refusal });
    }
    this.acquit(ctx, node);
    this.members.put(record, ctx.now);
    this.spread(ctx, rumour);
    if (known === undefined || !isPresent(known)) this.onMember(ctx, "join", record, known);
    else if (record.meta !== known.meta) this.onMember(ctx, "update", record, known);
  }

  /** A name may move to another address after a farewell, or when long dead (G14). */
  private reclaims(ctx: Ctx, known: MemberRecord): boolean {
    if (known.state === "left") return true;
    if (known.state !== "dead") return false;
    const { deadNodeReclaimMs, gossipToTheDeadMs } = this.config;
    const deadMs = ctx.now - this.members.sinceOf(known.name);
    // Where memberlist would have forgotten it, the name is free.
    if (deadMs > gossipToTheDeadMs) return true;
    return deadNodeReclaimMs > 0 && deadMs > deadNodeReclaimMs;
  }

  private conflict(ctx: Ctx, known: MemberRecord, claimed: Address): void {
    ctx.note({ type: "conflict", node: known.name, mine: known.address, theirs: claimed });
    this.onConflict(ctx, known, claimed);
  }

  /** Somebody says what this node is: outdated, right, or to be outdone. */
  private onAliveMe(ctx: Ctx, rumour: Alive): void {
    if (!this.stays) return;
    const { me } = this;
    if (rumour.address !== me.address) return this.conflict(ctx, me, rumour.address);
    if (rumour.incarnation < me.incarnation) return;
    const same = sameBytes(rumour.meta, me.meta) && sameVersions(rumour.versions, me.versions);
    // From an earlier life with other tags: equal incarnations, unequal contents.
    if (rumour.incarnation === me.incarnation && same) return;
    this.refute(ctx, rumour.incarnation);
  }

  /** G11: only the alive become suspect; a second accuser confirms. */
  protected onSuspect(ctx: Ctx, rumour: Suspect): void {
    const { node, incarnation, from } = rumour;
    const known = this.members.get(node);
    if (known === undefined || incarnation < known.incarnation) return;
    if (incarnation > INCARNATION_MAX) return;
    const suspicion = this.suspicions.get(node);
    if (suspicion !== undefined) {
      if (!suspicion.confirm(from)) return;
      ctx.note({ type: "confirmed", node, by: from });
      this.spread(ctx, rumour);
      return ctx.setTimer(`suspicion:${node}`, Math.max(0, suspicion.leftMs(ctx.now)));
    }
    if (known.state !== "alive") return;
    if (this.isMe(node)) return this.refute(ctx, incarnation);
    this.spread(ctx, rumour);
    this.members.put({ ...known, incarnation, state: "suspect" }, ctx.now);
    const doubt = new Suspicion(this.config, this.members, from, incarnation, ctx.now);
    this.suspicions.set(node, doubt);
    ctx.note({ type: "suspected", node, by: from });
    ctx.setTimer(`suspicion:${node}`, doubt.leftMs(ctx.now));
  }

  /** G12: the time to refute is over. */
  protected onSuspicionOver(ctx: Ctx, node: Name): void {
    const suspicion = this.suspicions.get(node);
    const known = this.members.get(node);
    if (suspicion === undefined || known?.state !== "suspect") return;
    if (!suspicion.prolonged && this.slept(ctx, ctx.now + suspicion.leftMs(ctx.now))) {
      // The refutation may be among what waits to be heard.
      suspicion.prolonged = true;
      this.adjustHealth(ctx, 1);
      return ctx.setTimer(`suspicion:${node}`, this.config.probeIntervalMs);
    }
    ctx.note({ type: "failed", node, confirmations: suspicion.confirmations });
    const { incarnation } = known;
    this.onDead(ctx, { type: "dead", node, incarnation, from: this.config.name });
  }

  /** G13: dead at once; `left` if it says so itself. */
  protected onDead(ctx: Ctx, rumour: Dead): void {
    const { node, incarnation, from } = rumour;
    const known = this.members.get(node);
    if (known === undefined || incarnation < known.incarnation) return;
    if (incarnation > INCARNATION_MAX) return;
    if (!isPresent(known)) return;
    if (this.isMe(node) && this.stays) return this.refute(ctx, incarnation);
    this.acquit(ctx, node);
    this.spread(ctx, rumour);
    const state = from === node ? "left" : "dead";
    const record: MemberRecord = { ...known, incarnation, state };
    this.members.put(record, ctx.now);
    ctx.note({ type: "died", node, from });
    this.onMember(ctx, "leave", record, known);
  }

  /** G15: this node is alive, whatever they say; that they say it is a bad sign. */
  protected refute(ctx: Ctx, accused: Incarnation): void {
    this.adjustHealth(ctx, 1);
    this.assertMe(ctx, Math.max(this.me.incarnation, accused) + 1, this.me.meta);
    ctx.note({ type: "refuted", incarnation: this.me.incarnation, health: this.health });
  }

  /** Says anew what this node is. */
  protected assertMe(ctx: Ctx, incarnation: Incarnation, meta: Uint8Array): void {
    const record: MemberRecord = {
      ...this.me,
      address: ctx.self,
      incarnation,
      meta,
      state: "alive",
    };
    this.members.put(record, ctx.now);
    this.spread(ctx, aliveOf(record));
  }

  /** What a push/pull tells: death is hearsay, so it only raises suspicion (G16). */
  protected onRecord(ctx: Ctx, record: MemberRecord): void {
    const { name: node, incarnation, state } = record;
    // Equal knowledge is one object in simulations; look no closer.
    if (this.members.get(node) === record) return;
    switch (state) {
      case "alive":
        return this.onAlive(ctx, aliveOf(record));
      case "left":
        return this.onDead(ctx, { type: "dead", node, incarnation, from: node });
      case "suspect":
      case "dead":
        return this.onSuspect(ctx, { type: "suspect", node, incarnation, from: this.config.name });
    }
  }

  private acquit(ctx: Ctx, node: Name): void {
    if (this.suspicions.delete(node)) ctx.cancelTimer(`suspicion:${node}`);
  }
}
