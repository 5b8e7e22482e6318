/**
 * Exactly-once execution, in the replicated state (Raft thesis §6.3, viewstamped
 * replication's client table): every replica remembers, for each session, the
 * last command it executed and the results its client has not acknowledged.
 *
 * A *session* numbers its batches 1, 2, 3, …. The one after the last is
 * executed; an earlier one has been executed already and is answered from
 * memory; a later one waits for what it follows (its sender sends again in
 * order). So whatever is sent twice is executed once, and in the order sent.
 */

import {
  type Codec,
  list,
  MalformedInput,
  type Reader,
  text,
  uint,
  type Writer,
} from "@quorate/kernel";

export type Admission<Result> =
  | { readonly type: "next" }
  | { readonly type: "repeated"; readonly results: readonly Result[] | undefined }
  | { readonly type: "early" }
  | { readonly type: "outlived" };

interface Session<Result> {
  /** Counts the lives of the client; a later one ends the earlier. */
  epoch: number;
  /** The last batch executed. */
  last: number;
  /** Results up to here were received and are forgotten. */
  acknowledged: number;
  readonly results: Map<number, readonly Result[]>;
}

export class Sessions<Result> {
  /** By name, the least recently used first. */
  private sessions: Map<string, Session<Result>> = new Map();
  private readonly capacity: number;

  /**
   * @param capacity - How many sessions are remembered; the least recently used is
   * forgotten first. `Infinity` where forgetting one would be a mistake.
   */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.sessions.size;
  }

  has(name: string): boolean {
    return this.sessions.has(name);
  }

  /** Begins a session, or a new life of it. */
  open(name: string, epoch: number): void {
    this.sessions.delete(name);
    this.sessions.set(name, { epoch, last: 0, acknowledged: 0, results: new Map() });
    for (const oldest of this.sessions.keys()) {
      if (this.sessions.size <= this.capacity) break;
      this.sessions.delete(oldest);
    }
  }

  /** Says what to do with a batch of a session. Every replica says the same. */
  admit(name: string, epoch: number, sequence: number): Admission<Result> {
    const session = this.sessions.get(name);
    if (session === undefined || session.epoch !== epoch) return { type: "outlived" };
    if (sequence === session.last + 1) return { type: "next" };
    if (sequence > session.last) return { type: "early" };
    return { type: "repeated", results: session.results.get(sequence) };
  }

  /** The epoch of a session, or -1. */
  epochOf(name: string): number {
    return this.sessions.get(name)?.epoch ?? -1;
  }

  /** The last batch executed in that life of a session, or 0. */
  lastOf(name: string, epoch: number): number {
    const session = this.sessions.get(name);
    return session?.epoch === epoch ? session.last : 0;
  }

  /** Remembers what an admitted batch gave, until its client acknowledges it. */
  record(name: string, sequence: number, acknowledged: number, results: readonly Result[]): void {
    const session = this.sessions.get(name);
    if (session === undefined) return;
    session.last = sequence;
    session.results.set(sequence, results);
    const received = Math.min(acknowledged, sequence);
    while (session.acknowledged < received) session.results.delete(++session.acknowledged);
    this.sessions.delete(name);
    this.sessions.set(name, session);
  }

  write(writer: Writer, result: Codec<Result>): void {
    const results = list(result);
    uint.write(writer, this.sessions.size);
    for (const [name, session] of this.sessions) {
      text.write(writer, name);
      uint.write(writer, session.epoch);
      uint.write(writer, session.last);
      uint.write(writer, session.acknowledged);
      uint.write(writer, session.results.size);
      for (const [sequence, values] of session.results) {
        uint.write(writer, sequence);
        results.write(writer, values);
      }
    }
  }

  /** Replaces everything by what `write` wrote. */
  read(reader: Reader, result: Codec<Result>): void {
    const results = list(result);
    const sessions = new Map<string, Session<Result>>();
    const count = uint.read(reader);
    if (count > this.capacity) throw new MalformedInput("more sessions than are remembered");
    for (let i = 0; i < count; i++) {
      const name = text.read(reader);
      const epoch = uint.read(reader);
      const last = uint.read(reader);
      const acknowledged = uint.read(reader);
      const kept = new Map<number, readonly Result[]>();
      for (let left = uint.read(reader); left > 0; left--) {
        kept.set(uint.read(reader), results.read(reader));
      }
      sessions.set(name, { epoch, last, acknowledged, results: kept });
    }
    this.sessions = sessions;
  }
}
