/** Response headers: who answers, at which revision and term. */

import { Writer } from "@quorate/kernel";

import { type HeaderMessage } from "../wire/header.ts";
import { type EncodedHeader, writeIdentity } from "../wire/kv-responses.ts";
import { type Roster } from "./members.ts";

export class Headers {
  private readonly roster: Pick<Roster, "clusterId" | "self">;
  private readonly term: () => number;
  /** The identity of `memberId`, encoded: it changes when a node becomes a member, if ever. */
  private identity: Uint8Array = new Uint8Array();
  private memberId = "";

  constructor(roster: Pick<Roster, "clusterId" | "self">, term: () => number) {
    this.roster = roster;
    this.term = term;
  }

  /** For messages encoded by description. */
  at(revision: number): HeaderMessage {
    const { clusterId, self } = this.roster;
    return { clusterId, memberId: self.id, revision, raftTerm: this.term() };
  }

  /** For messages encoded by hand. */
  encodedAt(revision: number): EncodedHeader {
    const { clusterId, self } = this.roster;
    if (self.id !== this.memberId) {
      const writer = new Writer();
      writeIdentity(writer, clusterId, self.id);
      this.identity = writer.finish();
      this.memberId = self.id;
    }
    return { identity: this.identity, revision, raftTerm: this.term() };
  }
}
