/** Two epidemic maxima in one process: the embedding of `docs/writing-a-protocol.md`. */

import {
  type Context,
  Embedded,
  type Embedding,
  type NodeId,
  type Process,
  type RequestId,
  type Speaks,
} from "@quorate/kernel";

import { Maximum, type MaximumWords, type Message, type Record } from "./maximum.ts";

// region: words
export type Kind = "software" | "settings";

/** The newest version of each kind that runs anywhere in a fleet. */
export interface Versions {
  readonly software: number;
  readonly settings: number;
}

export type FleetWords = Speaks<{
  Message: { readonly kind: Kind; readonly message: Message };
  Timer: `${Kind}:${MaximumWords["Timer"]}`;
  Record: { readonly kind: Kind; readonly record: Record };
  Request: Versions;
  Response: Versions;
  Note: { readonly kind: Kind; readonly note: MaximumWords["Note"] };
}>;
// endregion

// region: whole
type Ctx = Context<FleetWords>;

export class Fleet implements Process<FleetWords> {
  readonly software: Maximum;
  readonly settings: Maximum;

  constructor(peers: readonly NodeId[]) {
    this.software = new Maximum(peers);
    this.settings = new Maximum(peers);
  }

  recover({ kind, record }: FleetWords["Record"]): void {
    this[kind].recover(record);
  }

  onStart(ctx: Ctx): void {
    this.software.onStart(this.below(ctx, "software"));
    this.settings.onStart(this.below(ctx, "settings"));
  }

  onMessage(ctx: Ctx, from: NodeId, { kind, message }: FleetWords["Message"]): void {
    this[kind].onMessage(this.below(ctx, kind), from, message);
  }

  onTimer(ctx: Ctx, timer: FleetWords["Timer"]): void {
    const kind = timer === "software:gossip" ? "software" : "settings";
    this[kind].onTimer(this.below(ctx, kind));
  }

  /** Both parts hear of the versions; the answer waits for both their records (K4). */
  onRequest(ctx: Ctx, id: RequestId, { software, settings }: Versions): void {
    const raise = "raise" as const;
    this.software.onRequest(this.below(ctx, "software"), id, { type: raise, value: software });
    this.settings.onRequest(this.below(ctx, "settings"), id, { type: raise, value: settings });
    ctx.reply(id, { software: this.software.value, settings: this.settings.value });
  }

  /** The records of both parts: a checkpoint replaces the whole log. */
  image(): readonly FleetWords["Record"][] {
    return (["software", "settings"] as const).flatMap((kind) =>
      this[kind].image().map((record) => ({ kind, record })),
    );
  }

  private below(ctx: Ctx, kind: Kind): Context<MaximumWords> {
    return new Embedded<FleetWords, MaximumWords>(ctx, new Wrapping(this, kind));
  }
}
// endregion

// region: wrapping
class Wrapping implements Embedding<FleetWords, MaximumWords> {
  private readonly fleet: Fleet;
  private readonly kind: Kind;

  constructor(fleet: Fleet, kind: Kind) {
    this.fleet = fleet;
    this.kind = kind;
  }

  message(message: Message): FleetWords["Message"] {
    return { kind: this.kind, message };
  }

  timer(timer: MaximumWords["Timer"]): FleetWords["Timer"] {
    return `${this.kind}:${timer}`;
  }

  record(record: Record): FleetWords["Record"] {
    return { kind: this.kind, record };
  }

  note(note: MaximumWords["Note"]): FleetWords["Note"] {
    return { kind: this.kind, note };
  }

  reply(): void {
    // The fleet answers for both of its parts.
  }

  output(): void {
    // A maximum has none.
  }

  checkpoint(ctx: Ctx): void {
    ctx.checkpoint(this.fleet.image());
  }
}
// endregion
