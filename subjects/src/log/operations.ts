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

import { Latest, type Tail } from "../tail.ts";

/** What operations need of a run, whatever is examined in it. */
type World = Pick<AnyWorld, "now" | "mark" | "wantsHistory">;

const KEYS = 4;
/** Of so many refusals it is known whom they concerned: more than there are while a log keeps an entry. */
const REFUSED = 1 << 15;

type Kind = "write" | "read" | "leaseRead" | "transfer";

interface Pending {
  readonly kind: Kind;
  readonly node: NodeId;
  /** The number of the key. */
  readonly key: number;
  /** What is written: names this operation and no other. */
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
  /** Writes that were refused for good. */
  private readonly refused: Latest<number, true> = new Latest(REFUSED);
  /** What was committed, by key; only for a history, since it grows for ever. */
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
    const key = dice.below(KEYS);
    const draw = dice.below(100);
    if (draw < 3) {
      const to = dice.chance(1, 2) ? undefined : this.nodes[dice.below(this.nodes.length)]!;
      this.begin(op, "transfer", node, key, undefined);
      return { type: "transfer", to };
    }
    if (draw < 40) {
      const lease = this.leases && dice.chance(1, 2);
      this.begin(op, lease ? "leaseRead" : "read", node, key, undefined);
      return { type: "read", level: lease ? "lease" : "linearizable" };
    }
    const data = writeOf(key, op);
    this.begin(op, "write", node, key, data);
    return { type: "propose", data };
  }

  private begin(
    op: number,
    kind: Kind,
    node: NodeId,
    key: number,
    data: Uint8Array | undefined,
  ): void {
    const token = this.invoke(op, kind, key);
    this.pending.set(op, { kind, node, key, data, floor: this.floor, token });
  }

  private invoke(op: number, kind: Kind, key: number): Token | undefined {
    if (this.recorder === undefined || kind === "transfer") return undefined;
    const request =
      kind === "write"
        ? ({ type: "put", key: `k${key}`, value: `${op}` } as const)
        : ({ type: "get", key: `k${key}` } as const);
    return this.recorder.invoke(`c${op}`, request, this.world.now);
  }

  /** An entry is committed, for the first time anywhere. */
  committed(index: number, { kind, data }: Entry): Broken | undefined {
    if (kind !== "command" || data.length === 0) return undefined;
    const op = opOf(data);
    if (this.refused.has(op)) {
      const text = `${textOf(data)} is committed at ${index}, but was refused for good`;
      return { claim: "L4", text };
    }
    if (this.recorder === undefined) return undefined;
    const key = `k${data[1]! - ZERO}`;
    const versions = this.versions.get(key) ?? [];
    this.versions.set(key, versions);
    versions.push({ index, value: `${op}` });
    return undefined;
  }

  answered(op: number, response: LogResponse, log: Tail<Entry>): Settled {
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
        if (definite && asked.data !== undefined) this.refused.set(op, true);
        if (definite) this.fail(asked);
        else this.lose(asked);
        return { type: "refused", elsewhere: leader };
      }
      default:
        return { type: "refused", elsewhere: undefined };
    }
  }

  private wrote(asked: Pending, index: number, log: Tail<Entry>): Settled {
    if (!log.hasForgotten(index) && log.at(index)?.data !== asked.data) {
      const text = `${asked.node} says that ${textOf(asked.data)} is committed at ${index}, where something else is`;
      return { type: "broken", broken: { claim: "L2", text } };
    }
    if (asked.token !== undefined) this.recorder?.complete(asked.token, this.world.now);
    this.floor = Math.max(this.floor, index);
    return { type: "served" };
  }

  private read(asked: Pending, index: number): Settled {
    this.world.mark(asked.kind === "leaseRead" ? "lease-read" : "read");
    if (asked.token !== undefined) {
      const value = this.valueAt(`k${asked.key}`, index);
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

const ZERO = 0x30;
const EQUALS = 0x3d;

/** The bytes of `k2=17`: operation 17 writes its number to key 2. */
function writeOf(key: number, op: number): Uint8Array {
  const digits = `${op}`;
  const data = new Uint8Array(3 + digits.length);
  data[0] = 0x6b;
  data[1] = ZERO + key;
  data[2] = EQUALS;
  for (let i = 0; i < digits.length; i++) data[3 + i] = digits.charCodeAt(i);
  return data;
}

/** The operation that wrote these bytes. */
function opOf(data: Uint8Array): number {
  let op = 0;
  for (let i = 3; i < data.length; i++) op = op * 10 + data[i]! - ZERO;
  return op;
}

function textOf(data: Uint8Array | undefined): string {
  return data === undefined ? "a read" : String.fromCharCode(...data);
}
