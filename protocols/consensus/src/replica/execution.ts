/**
 * What a replica does with a committed batch: the machine applies its commands,
 * each at most once, and remembers what came of them. Everything here is
 * replicated state: the same on every node that has seen the same entries.
 */

import { type Codec, MalformedInput, type NodeId } from "@quorate/kernel";

import type { Index } from "../entry.ts";
import { type Admission, Sessions } from "../sessions.ts";
import type { StateMachine } from "../state-machine.ts";
import { type PieceSink, type PieceSource, readPieces, type ReplicaState } from "./snapshots.ts";
import {
  type Batch,
  batchHead,
  type Item,
  OPEN_SESSION,
  type Outcome,
  outcomeCodec,
  type Seal,
} from "./words.ts";

export class Execution<R> {
  readonly machine: StateMachine<R>;
  private readonly outcome: Codec<Outcome<R>>;
  private readonly state: ReplicaState<R>;

  /** @param sessions - How many sessions of clients are remembered. */
  constructor(machine: StateMachine<R>, sessions: number) {
    this.machine = machine;
    this.outcome = Object.freeze(outcomeCodec(machine.results));
    this.state = {
      nodes: new Sessions(Infinity),
      clients: new Sessions(sessions),
      timeMs: 0,
      seal: undefined,
    };
  }

  /** The end of the log, once it was seen. */
  get seal(): Seal | undefined {
    return this.state.seal;
  }

  end(seal: Seal): void {
    this.state.seal = seal;
  }

  /** Says what to do with a batch that was committed. */
  admit({ client, epoch, sequence, timeMs }: Batch): Admission<Outcome<R>> {
    const { nodes } = this.state;
    this.state.timeMs = Math.max(this.state.timeMs, timeMs);
    if (epoch > nodes.epochOf(client)) {
      // Only a node's first batch begins the session of its new life (S2): others wait for that one.
      if (sequence > 1) return { type: "early" };
      nodes.open(client, epoch);
    }
    return nodes.admit(client, epoch, sequence);
  }

  /** Whether an encoded batch was executed already. Reads no more than its first words. */
  isDone(batch: Uint8Array): boolean {
    const { client, epoch, sequence } = batchHead(batch);
    return this.state.nodes.admit(client, epoch, sequence).type === "repeated";
  }

  /** Executes an admitted batch. */
  run(batch: Batch, index: Index): readonly Outcome<R>[] {
    const { client, sequence, acknowledged, items } = batch;
    const outcomes = items.map((item, i) => this.execute(item, index, i));
    this.state.nodes.record(client, sequence, acknowledged, outcomes);
    return outcomes;
  }

  private execute(item: Item, index: Index, offset: number): Outcome<R> {
    const { clients, timeMs } = this.state;
    const { session, sequence, command } = item;
    const at = { index, timeMs };
    if (session === "") return { type: "executed", result: this.machine.apply(command, at) };
    if (session === OPEN_SESSION) {
      const opened = `${index}.${offset}`;
      clients.open(opened, 0);
      return { type: "opened", session: opened };
    }
    const admission = clients.admit(session, 0, sequence);
    if (admission.type === "repeated") return admission.results?.[0] ?? { type: "sessionLost" };
    if (admission.type !== "next") return { type: "sessionLost" };
    const outcome = { type: "executed", result: this.machine.apply(command, at) } as const;
    // Asking for the next command acknowledges the one before.
    clients.record(session, sequence, sequence - 1, [outcome]);
    return outcome;
  }

  /** What came of a batch that was executed, if its node has not acknowledged that. */
  outcomesOf(client: NodeId, epoch: number, sequence: number): readonly Outcome<R>[] | undefined {
    const admission = this.state.nodes.admit(client, epoch, sequence);
    return admission.type === "repeated" ? (admission.results ?? []) : undefined;
  }

  /** The present state as a stream. */
  read(): PieceSource {
    return readPieces(this.machine, this.state, this.outcome);
  }

  /** @throws MalformedInput if the image was not whole. */
  restore(image: PieceSink | undefined): void {
    if (image === undefined) throw new MalformedInput("a snapshot's pieces come before its record");
    image.install(this.machine, this.state, this.outcome);
  }
}
