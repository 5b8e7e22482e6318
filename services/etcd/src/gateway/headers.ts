/** Response headers: who answers, at which revision and term. */

import { Writer } from "@quorate/kernel";

import { type HeaderMessage } from "../wire/header.ts";
import { type EncodedHeader, writeIdentity } from "../wire/kv-responses.ts";
import { type Membership } from "./members.ts";

export class Headers {
  private readonly clusterId: string;
  private readonly memberId: string;
  private readonly identity: Uint8Array;
  private readonly term: () => number;

  constructor({ clusterId, self }: Membership, term: () => number) {
    this.clusterId = clusterId;
    this.memberId = self.id;
    this.term = term;
    const writer = new Writer();
    writeIdentity(writer, clusterId, self.id);
    this.identity = writer.finish();
  }

  /** For messages encoded by description. */
  at(revision: number): HeaderMessage {
    const { clusterId, memberId } = this;
    return { clusterId, memberId, revision, raftTerm: this.term() };
  }

  /** For messages encoded by hand. */
  encodedAt(revision: number): EncodedHeader {
    return { identity: this.identity, revision, raftTerm: this.term() };
  }
}
