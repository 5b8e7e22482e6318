/** The smallest durable process: the example of the packages' READMEs. */

// region: counter
import type { Context, Process, RequestId, Speaks } from "@quorate/kernel";

export type CounterWords = Speaks<{ Record: number; Request: number; Response: number }>;

export class Counter implements Process<CounterWords> {
  total = 0;

  recover(amount: number): void {
    this.total += amount;
  }
  onStart(): void {}
  onMessage(): void {}

  onRequest(ctx: Context<CounterWords>, id: RequestId, amount: number): void {
    this.total += amount;
    ctx.persist(amount);
    ctx.reply(id, this.total); // Leaves once the record is durable.
  }
}
// endregion
