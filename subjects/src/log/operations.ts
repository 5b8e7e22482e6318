/**
 * What clients ask of an ordered log, and whether the answers fit together: a
 * small key-value store that lives in the log. Proposals write, reads read what
 * the log says up to the index they were given.
 *
 * Every answer names a place in one log, so linearizability needs no search: an
 * operation must come after all that were answered before it was asked.
 */

import type { Entry, LogRequest, LogResponse } from "@quorate/consensus";
import { invariant, type NodeId, type Random } from "@quorate/kernel";
import type { Broken, Settled, World as AnyWorld } from "@quorate/lab";
import { Recorder, type Token } from "@quorate/lab/judge";

/** What operations need of a run, whatever is examined in it. */
type World = Pick<AnyWorld, "now" | "mark" | "wantsHistory">;

const KEYS = 4;

type Kind = "write" | "read" | "leaseRead" | "transfer";

interface Pending {
  readonly kind: Kind;
  readonly node: NodeId;
  readonly key: string;
  readonly value: string;
  readonly data: Uint8Array | undefined;
  /** Everything up to here was answered to somebody before this was asked. */
  readonly floor: number;
  readonly token: Token | undefined;
}

export class Operations {
  private readonly world: World;
  private readonly nodes: readonly NodeId[];
  private readonly leases: boolean;
  private readonly pending: Map<number, Pending> = new Map();
  /** Writes by their bytes, which travel through the log as they are. */
  private readonly written: Map<Uint8Array, Pending> = new Map();
  private readonly refused: Set<Uint8Array> = new Set();
  private readonly versions: Map<string, { readonly index: number; readonly value: string }[]> =
    new Map();
  private readonly recorder: Recorder | undefined;
  private floor = 0;

  constructor(world: World, nodes: readonly NodeId[], leases: boolean) {
    this.world = world;
    this.nodes = nodes;
    this.leases = leases;
    if (world.wantsHistory) this.recorder = new Recorder();
  }

  ask(op: number, dice: Random, node: NodeId): LogRequest {
    const key = `k${dice.below(KEYS)}`;
    const value = `${op}`;
    const { floor } = this;
    const begin = (kind: Kind, data: Uint8Array | undefined, token: Token | undefined): void => {
      this.pending.set(op, { kind, node, key, value, data, floor, token });
    };
    const draw = dice.below(100);
    if (draw < 3) {
      const to = dice.chance(1, 2) ? undefined : this.nodes[dice.below(this.nodes.length)]!;
      begin("transfer", undefined, undefined);
      return { type: "transfer", to };
    }
    if (draw < 40) {
      const lease = this.leases && dice.chance(1, 2);
      begin(lease ? "leaseRead" : "read", undefined, this.invoke(op, { type: "get", key }));
      return { type: "read", level: lease ? "lease" : "linearizable" };
    }
    const data = ascii(`${key}=${value}`);
    begin("write", data, this.invoke(op, { type: "put", key, value }));
    this.written.set(data, this.pending.get(op)!);
    return { type: "propose", data };
  }

  private invoke(op: number, request: Parameters<Recorder["invoke"]>[1]): Token | undefined {
    return this.recorder?.invoke(`c${op}`, request, this.world.now);
  }

  /** An entry is committed, for the first time anywhere. */
  committed(index: number, { data }: Entry): Broken | undefined {
    const write = this.written.get(data);
    if (write === undefined) return undefined;
    if (this.refused.has(data)) {
      const text = `${write.key}=${write.value} is committed at ${index}, but was refused for good`;
      return { claim: "L4", text };
    }
    const versions = this.versions.get(write.key) ?? [];
    this.versions.set(write.key, versions);
    versions.push({ index, value: write.value });
    return undefined;
  }

  answered(op: number, response: LogResponse, log: readonly Entry[]): Settled {
    const asked = this.pending.get(op);
    invariant(asked !== undefined, "what is answered was asked");
    this.pending.delete(op);
    switch (response.type) {
      case "committed":
        return this.wrote(asked, response.index, log);
      case "readable":
        return this.read(asked, response.index);
      case "transferred":
        this.world.mark("transferred");
        return { type: "served" };
      case "rejected": {
        const { definite, leader, reason } = response;
        if (reason === "overloaded") this.world.mark("overloaded");
        if (definite && asked.data !== undefined) this.refused.add(asked.data);
        if (definite) this.fail(asked);
        else this.lose(asked);
        return { type: "refused", elsewhere: leader };
      }
      default:
        return { type: "refused", elsewhere: undefined };
    }
  }

  private wrote(asked: Pending, index: number, log: readonly Entry[]): Settled {
    const entry = log[index - 1];
    if (entry?.data !== asked.data) {
      const text = `${asked.node} says that ${asked.key}=${asked.value} is committed at ${index}, where something else is`;
      return { type: "broken", broken: { claim: "L2", text } };
    }
    if (asked.token !== undefined) this.recorder?.complete(asked.token, this.world.now);
    this.floor = Math.max(this.floor, index);
    return { type: "served" };
  }

  private read(asked: Pending, index: number): Settled {
    this.world.mark(asked.kind === "leaseRead" ? "lease-read" : "read");
    if (asked.token !== undefined) {
      const value = this.valueAt(asked.key, index);
      this.recorder?.complete(asked.token, this.world.now, { value });
    }
    if (index < asked.floor) {
      const text = `${asked.node} lets a read see up to ${index}, though ${asked.floor} was answered before it was asked`;
      return { type: "broken", broken: { claim: "L3", text } };
    }
    this.floor = Math.max(this.floor, index);
    return { type: "served" };
  }

  private valueAt(key: string, index: number): string | null {
    const versions = this.versions.get(key) ?? [];
    return versions.findLast((version) => version.index <= index)?.value ?? null;
  }

  abandoned(op: number): void {
    const asked = this.pending.get(op);
    if (asked === undefined) return;
    this.pending.delete(op);
    this.lose(asked);
  }

  private lose({ kind, token }: Pending): void {
    if (kind === "write") this.world.mark("outcome-unknown");
    if (token !== undefined) this.recorder?.info(token);
  }

  private fail({ token }: Pending): void {
    if (token !== undefined) this.recorder?.fail(token, this.world.now);
  }

  history(): string {
    return this.recorder?.text() ?? "";
  }
}

function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
