/**
 * A node of two-phase commit with a resource beside it, as small as it can be:
 * it holds no data, votes as the dice say, and keeps its word. The protocol in it
 * is the production class.
 */

import {
  type CommitOutput,
  type CommitRequest,
  type CommitResponse,
  type Outcome,
  type TwoPhaseCommit,
  type TwoPhaseMessage,
  type TwoPhaseNote,
  type TwoPhaseRecord,
  type TwoPhaseTimer,
  type TwoPhaseWords,
  type TxId,
} from "@quorate/commit";
import {
  type Context,
  Embedded,
  type Embedding,
  invariant,
  type NodeId,
  type Process,
  type RequestId,
  type Speaks,
} from "@quorate/kernel";

export type SiteRecord =
  | { readonly type: "commit"; readonly record: TwoPhaseRecord }
  /** The resource has refused a transaction, which it never takes back. */
  | { readonly type: "refused"; readonly tx: TxId };

/** What the node has done with a transaction, for good. */
export interface Done {
  readonly tx: TxId;
  readonly outcome: Outcome;
}

/** Users ask for a transaction among some nodes, and are told how it ended. */
export type SiteWords = Speaks<{
  Message: TwoPhaseMessage;
  Timer: TwoPhaseTimer;
  Record: SiteRecord;
  Request: readonly NodeId[];
  Response: Done;
  Output: Done;
  Note: TwoPhaseNote;
}>;

type Ctx = Context<SiteWords>;

export class Site implements Process<SiteWords>, Embedding<SiteWords, TwoPhaseWords> {
  readonly part: TwoPhaseCommit;
  private readonly refused: Set<TxId> = new Set();
  /** Who takes part in the transaction asked for, until it has a name. */
  private readonly asked: Map<RequestId, readonly NodeId[]> = new Map();
  /** What to ask of the part once it has finished what it is at (K1). */
  private next: { readonly id: RequestId; readonly request: CommitRequest }[] = [];

  constructor(part: TwoPhaseCommit) {
    this.part = part;
  }

  recover(record: SiteRecord): void {
    if (record.type === "commit") this.part.recover(record.record);
    else this.refused.add(record.tx);
  }

  onStart(ctx: Ctx): void {
    this.part.onStart(new Embedded(ctx, this));
  }

  onRequest(ctx: Ctx, id: RequestId, participants: readonly NodeId[]): void {
    this.asked.set(id, participants);
    this.part.onRequest(new Embedded(ctx, this), id, { type: "begin" });
    this.goOn(ctx);
  }

  onMessage(ctx: Ctx, from: NodeId, message: TwoPhaseMessage): void {
    this.part.onMessage(new Embedded(ctx, this), from, message);
    this.goOn(ctx);
  }

  onTimer(ctx: Ctx, timer: TwoPhaseTimer): void {
    this.part.onTimer(new Embedded(ctx, this), timer);
    this.goOn(ctx);
  }

  private goOn(ctx: Ctx): void {
    for (let asked = this.next.shift(); asked !== undefined; asked = this.next.shift()) {
      this.part.onRequest(new Embedded(ctx, this), asked.id, asked.request);
    }
  }

  // What the part says.

  message(message: TwoPhaseMessage): TwoPhaseMessage {
    return message;
  }

  timer(timer: TwoPhaseTimer): TwoPhaseTimer {
    return timer;
  }

  record(record: TwoPhaseRecord): SiteRecord {
    return { type: "commit", record };
  }

  note(note: TwoPhaseNote): TwoPhaseNote {
    return note;
  }

  reply(ctx: Ctx, id: RequestId, response: CommitResponse): void {
    switch (response.type) {
      case "begun": {
        const participants = this.asked.get(id)!;
        this.asked.delete(id);
        const request = { type: "commit", tx: response.tx, participants } as const;
        this.next.push({ id, request });
        return;
      }
      case "outcome":
        return ctx.reply(id, { tx: response.tx, outcome: response.outcome });
      case "rejected":
        return invariant(false, `nothing that this site asks is rejected as ${response.reason}`);
      case "noted":
        return;
    }
  }

  output(ctx: Ctx, output: CommitOutput): void {
    const { tx } = output;
    if (output.type === "settle") {
      ctx.output({ tx, outcome: output.outcome });
      this.next.push({ id: -1, request: { type: "applied", tx } });
      return;
    }
    const yes = !this.refused.has(tx) && ctx.choose(2) === 0;
    if (!yes && !this.refused.has(tx)) {
      this.refused.add(tx);
      ctx.persist({ type: "refused", tx });
      ctx.output({ tx, outcome: "aborted" });
    }
    this.next.push({ id: -1, request: { type: "vote", tx, yes } });
  }

  checkpoint(ctx: Ctx, records: Iterable<TwoPhaseRecord>): void {
    const refused = [...this.refused].map((tx) => ({ type: "refused", tx }) as const);
    const commit = [...records].map((record) => ({ type: "commit", record }) as const);
    ctx.checkpoint([...refused, ...commit]);
  }
}
