/**
 * An epidemic maximum: every node can be asked to raise a number, and all come
 * to know the highest by gossip (Demers et al. 1987). The protocol that
 * `docs/writing-a-protocol.md` builds.
 */

// region: imports
import {
  type Codec,
  type Context,
  int,
  type NodeId,
  type Process,
  type RequestId,
  type Speaks,
  struct,
} from "@quorate/kernel";
// endregion

// region: words
/** "Somebody asked for at least this." */
export interface Message {
  readonly value: number;
}

export interface Record {
  readonly value: number;
}

export type Request =
  | { readonly type: "raise"; readonly value: number }
  | { readonly type: "read" };

export type MaximumWords = Speaks<{
  Message: Message;
  Timer: "gossip";
  Record: Record;
  Request: Request;
  Response: number;
  Note: { readonly type: "raised"; readonly value: number };
}>;
// endregion

// region: protocol
type Ctx = Context<MaximumWords>;

const GOSSIP_MS = 50;
const CHECKPOINT_RECORDS = 10;

export class Maximum implements Process<MaximumWords> {
  /** The highest number this node has heard of. */
  value = 0;
  /** Records written since the last checkpoint. */
  private written = 0;
  private readonly peers: readonly NodeId[];

  constructor(peers: readonly NodeId[]) {
    this.peers = Object.freeze([...peers]);
  }

  recover(record: Record): void {
    this.value = record.value;
  }

  onStart(ctx: Ctx): void {
    ctx.setTimer("gossip", GOSSIP_MS, GOSSIP_MS);
  }

  onRequest(ctx: Ctx, id: RequestId, request: Request): void {
    if (request.type === "raise") this.raise(ctx, request.value);
    this.answer(ctx, id);
  }

  onMessage(ctx: Ctx, _from: NodeId, { value }: Message): void {
    this.raise(ctx, value);
  }

  onTimer(ctx: Ctx): void {
    const peer = this.peers[ctx.choose(this.peers.length)]!;
    ctx.sendEagerly(peer, { value: this.value });
    ctx.setTimer("gossip", GOSSIP_MS, GOSSIP_MS);
  }

  /** Records that stand for all that were written. */
  image(): readonly Record[] {
    return [{ value: this.value }];
  }

  protected answer(ctx: Ctx, id: RequestId): void {
    ctx.reply(id, this.value);
  }

  private raise(ctx: Ctx, value: number): void {
    if (value <= this.value) return;
    this.value = value;
    ctx.persist({ value });
    ctx.note({ type: "raised", value });
    if (++this.written < CHECKPOINT_RECORDS) return;
    this.written = 0;
    ctx.checkpoint(this.image());
  }
}
// endregion

// region: codec
export const messageCodec: Codec<Message> = struct<Message>({ value: int });
export const recordCodec: Codec<Record> = struct<Record>({ value: int });
// endregion
