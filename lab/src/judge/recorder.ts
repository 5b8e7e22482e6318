/** Writes histories down while a test runs, in the format that the judge reads. */

import { invariant } from "@quorate/kernel";

import type { Operation, Request, Status } from "./history.ts";
import type { Value } from "./models/key-value.ts";

/** What a get read, or whether a cas swapped; nothing for the others. */
export interface Answer {
  readonly value?: Value;
  readonly result?: boolean;
}

/** One operation begun, to be ended once. */
export interface Token {
  readonly operation: number;
}

/**
 * Records operations. The caller gives the times, all from one clock (virtual
 * time, or a counter): `call` before the request is sent, `ret` after the answer
 * is in. What is never ended is unknown.
 */
export class Recorder {
  private readonly operations: Operation[] = [];
  private readonly ended = new Set<number>();
  /** How many outcomes each client does not know. */
  private readonly lost = new Map<string, number>();

  /** A client is about to send a request. */
  invoke(client: string, request: Request, call: number): Token {
    const lost = this.lost.get(client) ?? 0;
    const name = lost === 0 ? client : `${client}+${lost}`;
    this.operations.push({ client: name, ...request, call });
    return { operation: this.operations.length - 1 };
  }

  /** The answer is in. A cas refused for its precondition is an answer, not a failure. */
  complete(token: Token, ret: number, answer: Answer = {}): void {
    this.end(token, "ok", ret, answer);
  }

  /** It certainly did not happen and never will. */
  fail(token: Token, ret: number): void {
    this.end(token, "fail", ret, {});
  }

  /**
   * Nobody knows: a timeout, a lost connection, an error that does not say. The client goes on under a
   * new name, since one who has not heard back is not one who waits his turn.
   */
  info(token: Token): void {
    const client = String(this.operations[token.operation]!.client);
    const name = client.replace(/\+\d+$/, "");
    this.lost.set(name, (this.lost.get(name) ?? 0) + 1);
    this.end(token, "info", null, {});
  }

  /** All operations so far, in the order of their calls. */
  history(): readonly Operation[] {
    return [...this.operations];
  }

  /** The same as text, one operation a line. */
  text(): string {
    return this.operations.map((operation) => `${JSON.stringify(operation)}\n`).join("");
  }

  private end({ operation: at }: Token, status: Status, ret: number | null, answer: Answer): void {
    const operation = this.operations[at]!;
    invariant(!this.ended.has(at), "an operation ends once");
    invariant(ret === null || ret >= operation.call, "an operation returns after its call");
    this.ended.add(at);
    // The answer is that of the request's own type, as the caller promised.
    this.operations[at] = { ...operation, ...answer, ret, status } as Operation;
  }
}
