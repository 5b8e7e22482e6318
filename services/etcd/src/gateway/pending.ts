/**
 * Calls that wait for the cluster, so that none waits for ever: a call without
 * an answer after the timeout is told that its outcome is unknown. Two
 * generations instead of a timer for each: a call waits between one and two
 * halves of the timeout beyond it at most.
 */

import { type ServerCall, Status } from "@quorate/grpc";

const GENERATIONS = 4;

export class PendingCalls {
  /** From the youngest to the oldest. */
  private generations: Set<ServerCall>[] = Array.from({ length: GENERATIONS }, () => new Set());
  private readonly timer: NodeJS.Timeout;

  /** @param timeoutMs - At least so long, and at most a third longer, may a call wait. */
  constructor(timeoutMs: number) {
    this.timer = setInterval(() => this.age(), Math.ceil(timeoutMs / (GENERATIONS - 1)));
    this.timer.unref();
  }

  get size(): number {
    return this.generations.reduce((sum, calls) => sum + calls.size, 0);
  }

  add(call: ServerCall): void {
    this.generations[0]!.add(call);
  }

  /** The call was answered. Returns false if it had been given up before. */
  settle(call: ServerCall): boolean {
    for (const calls of this.generations) if (calls.delete(call)) return !call.done;
    return false;
  }

  /** Ends everything that waits. */
  close(message: string): void {
    clearInterval(this.timer);
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
