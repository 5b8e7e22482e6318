/**
 * Calls that wait for the cluster, so that none waits for ever: a call without
 * an answer after the timeout is told that its outcome is unknown. Calls age in
 * generations, which spares each a timer of its own: one waits for at least the
 * timeout and at most a third longer.
 */

import { type ServerCall, Status } from "@quorate/grpc";

import { type Clock } from "./clock.ts";

/** What waits: a call, as far as it matters here. */
export type WaitingCall = Pick<ServerCall, "done" | "finish">;

const GENERATIONS = 4;

export class PendingCalls {
  /** From the youngest to the oldest. */
  private generations: Set<WaitingCall>[] = Array.from({ length: GENERATIONS }, () => new Set());
  private readonly stopAging: () => void;

  /** @param timeoutMs - At least so long, and at most a third longer, may a call wait. */
  constructor(timeoutMs: number, clock: Clock) {
    this.stopAging = clock.every(Math.ceil(timeoutMs / (GENERATIONS - 1)), () => this.age());
  }

  get size(): number {
    return this.generations.reduce((sum, calls) => sum + calls.size, 0);
  }

  add(call: WaitingCall): void {
    this.generations[0]!.add(call);
  }

  /** The call waits no more. Returns false if it has ended: given up, cancelled or past its deadline. */
  settle(call: WaitingCall): boolean {
    for (const calls of this.generations) if (calls.delete(call)) return !call.done;
    return false;
  }

  /** Ends everything that waits. */
  close(message: string): void {
    this.stopAging();
    for (const calls of this.generations) {
      for (const call of calls) call.finish(Status.unavailable, message);
      calls.clear();
    }
  }

  private age(): void {
    const oldest = this.generations.pop()!;
    for (const call of oldest) call.finish(Status.unavailable, "etcdserver: request timed out");
    oldest.clear();
    this.generations.unshift(oldest);
  }
}
