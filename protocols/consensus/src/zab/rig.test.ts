/**
 * One Zab node on a bench: a test speaks for everybody else, and sees all that the
 * node says and writes. Its disk does nothing until `sync`.
 */

import assert from "node:assert/strict";

import type { NodeId } from "@quorate/kernel";

import type { Configuration, Entry, Index, Term } from "../entry.ts";
import { founded, type Founding } from "../membership.ts";
import { LogRig } from "../rig.test.ts";
import { type ZabConfig, zabDefaults } from "./config.ts";
import type { Notification, Record, Streamed, Vote, ZabWords } from "./messages.ts";
import { Zab } from "./zab.ts";
import { NO_ZXID, type Zxid, zxidOf } from "./zxid.ts";

export const three: Configuration = founded({ voters: ["a", "b", "c"] });

/** `x@1`: the command x, proposed in epoch 1. */
export function entry(word: string): Entry {
  const [text = "", epoch = "1"] = word.split("@");
  return { term: Number(epoch), kind: "command", data: new TextEncoder().encode(text) };
}

export function entriesOf(words: string): readonly Entry[] {
  return words.split(" ").filter(Boolean).map(entry);
}

/** What a node in that epoch, with that history, has on its disk. */
export function disk(epoch: Term, words: string, from: NodeId = "c"): readonly Record[] {
  return [
    { type: "acceptedEpoch", epoch, from },
    { type: "history", index: 1, entries: entriesOf(words) },
    { type: "currentEpoch", epoch },
  ];
}

type Unnumbered<T> = T extends Streamed ? Omit<T, "epoch" | "session" | "number"> : never;

export class Rig extends LogRig<ZabWords, Zab> {
  /** Messages that the leader whom the node follows has sent in the session. */
  private number = 0;

  constructor(
    records: readonly Record[] = [],
    members: Founding = three,
    settings: Partial<ZabConfig> = {},
  ) {
    super(new Zab({ ...zabDefaults(members), ...settings }), records);
  }

  get zab(): Zab {
    return this.node;
  }

  notify(from: NodeId, more: Partial<Notification>): void {
    this.hear(from, {
      type: "notification",
      round: this.round,
      state: "looking",
      vote: undefined,
      acceptedEpoch: 0,
      commit: NO_ZXID,
      hears: true,
      ...more,
    });
  }

  /** The round that the node told last. */
  get round(): number {
    return this.lastTo("b", "notification").round;
  }

  /** The node votes for `leader`, which then says that it leads: follows it. */
  followIt(leader: NodeId, epoch: Term, session: number = 1): void {
    const vote: Vote = { peerEpoch: 99, zxid: zxidOf(99, 99), rank: 1, node: leader };
    this.notify(leader, { vote });
    this.notify(leader, { vote, state: "leading" });
    this.sync();
    this.beginSession(leader, epoch, session);
  }

  beginSession(leader: NodeId, epoch: Term, session: number): void {
    const { attempt } = this.lastTo(leader, "followerInfo");
    this.hear(leader, { type: "leaderInfo", epoch, session, attempt });
    this.number = 0;
  }

  /** The leader's next message in the session. */
  stream(leader: NodeId, message: Unnumbered<Streamed>, epoch: Term, session: number = 1): void {
    const number = ++this.number;
    this.hear(leader, { ...message, epoch, session, number });
  }

  /** Elects the node, alone with `peers`, and has them promise its epoch. */
  discover(...peers: readonly NodeId[]): void {
    for (const peer of peers) this.notify(peer, {});
    for (const peer of peers) this.notify(peer, { vote: this.lastTo(peer, "notification").vote });
    if (this.timers.has("finalize")) this.fire("finalize");
    assert.equal(this.zab.phase, "discovery");
    for (const peer of peers) {
      this.hear(peer, { type: "followerInfo", attempt: 1, acceptedEpoch: 0, acceptedFrom: "" });
    }
    this.sync();
  }

  /** `peer` promises the epoch that the node proposed to it, and tells its history. */
  promise(peer: NodeId, currentEpoch: Term, index: Index, ...ends: readonly Zxid[]): void {
    const { epoch, session } = this.lastTo(peer, "leaderInfo");
    this.hear(peer, { type: "ackEpoch", epoch, session, currentEpoch, index, held: index, ends });
  }

  /** `peer` has the history up to `index`, and has accepted NEWLEADER. */
  ack(peer: NodeId, index: Index, synced: boolean = true): void {
    const { epoch, session } = this.lastTo(peer, "sync");
    const term = this.zab.log.termAt(index);
    assert.ok(term !== undefined);
    this.hear(peer, { type: "ack", epoch, session, zxid: zxidOf(term, index), synced });
  }

  /** Leads, with the history that it has, and `peers` as followers with none. */
  lead(...peers: readonly NodeId[]): void {
    this.discover(...peers);
    for (const peer of peers) this.promise(peer, 0, 0, NO_ZXID);
    this.sync();
    for (const peer of peers) this.ack(peer, this.zab.lastIndex);
    assert.equal(this.zab.role, "leader");
  }

  get held(): readonly string[] {
    const { log } = this.zab;
    return log
      .slice(log.firstIndex, Infinity)
      .map(({ data, term }) => `${new TextDecoder().decode(data)}@${term}`);
  }

  /** The types of records written since the last `clear`. */
  get recordTypes(): readonly string[] {
    return this.records.map(({ type }) => type);
  }
}
