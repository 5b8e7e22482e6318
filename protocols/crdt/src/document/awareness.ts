/**
 * Who is there, and what they show of themselves: cursors, names. Soft state beside the document, as
 * y-protocols has it. Every client owns one state under a clock; null means gone.
 *
 * The caller owns time: it passes milliseconds in and calls {@link Awareness.tick} now and then.
 */

import { Reader } from "@quorate/kernel";

import { sameValue, type Value } from "./any.ts";
import { written } from "./encode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { takeCount, takeSmall, takeText, takeUint, writeText, writeUint } from "./wire.ts";

/** One's own state is announced again after this time without a change. */
export const RENEW_MS = 15_000;
/** Others are dropped after this time of silence. */
export const EXPIRE_MS = 30_000;

export type AwarenessState = Readonly<Record<string, Value>>;

export interface AwarenessChange {
  readonly added: readonly number[];
  /** Announced again; `changed` are those among them that differ. */
  readonly updated: readonly number[];
  readonly changed: readonly number[];
  readonly removed: readonly number[];
}

interface Meta {
  readonly clock: number;
  readonly at: number;
}

interface Entry {
  readonly client: number;
  readonly clock: number;
  readonly state: AwarenessState | null;
}

export interface AwarenessOptions {
  readonly client: number;
  /** Updates that would make more clients known than this are refused. Default: 10,000. */
  readonly maxClients?: number;
}

export class Awareness {
  readonly client: number;
  private readonly maxClients: number;
  private readonly known = new Map<number, AwarenessState>();
  private readonly metas = new Map<number, Meta>();

  constructor({ client, maxClients = 10_000 }: AwarenessOptions) {
    this.client = client;
    this.maxClients = maxClients;
  }

  /** The states of all clients that are there. */
  get states(): ReadonlyMap<number, AwarenessState> {
    return this.known;
  }

  /** Shows a state of one's own, or nothing any more. Send {@link encode} of what comes back. */
  show(state: AwarenessState | null, now: number): AwarenessChange {
    const before = this.known.get(this.client);
    this.put(
      { client: this.client, clock: (this.metas.get(this.client)?.clock ?? -1) + 1, state },
      now,
    );
    const own = [this.client];
    if (state === null) return { ...NOTHING, removed: before === undefined ? [] : own };
    if (before === undefined) return { ...NOTHING, added: own };
    return { ...NOTHING, updated: own, changed: sameValue(before, state) ? [] : own };
  }

  /** An update that tells others of these clients; of all that are there by default. */
  encode(clients: readonly number[] = [...this.known.keys()]): Uint8Array {
    const told = clients.filter((client) => this.metas.has(client));
    return written((writer) => {
      writeUint(writer, told.length);
      for (const client of told) {
        writeUint(writer, client);
        writeUint(writer, this.metas.get(client)!.clock);
        writeText(writer, JSON.stringify(this.known.get(client) ?? null));
      }
    });
  }

  /**
   * Takes in what others say.
   * @throws DocumentError `malformed`, `too-large`; nothing has changed then.
   */
  apply(update: Uint8Array, now: number): AwarenessChange {
    const entries = decodeEntries(update);
    const strangers = entries.filter(({ client }) => !this.metas.has(client)).length;
    if (this.metas.size + strangers > this.maxClients) {
      throw new DocumentError("too-large", `more than ${this.maxClients} clients`);
    }
    const change = {
      added: [] as number[],
      updated: [] as number[],
      changed: [] as number[],
      removed: [] as number[],
    };
    for (const entry of entries) this.hear(entry, now, change);
    return change;
  }

  private hear(
    entry: Entry,
    now: number,
    change: { added: number[]; updated: number[]; changed: number[]; removed: number[] },
  ): void {
    const { client, clock, state } = entry;
    const meta = this.metas.get(client);
    const before = this.known.get(client);
    const current = meta?.clock ?? 0;
    const isGone = current === clock && state === null && before !== undefined;
    if (clock <= current && !isGone && !(meta === undefined && clock === 0)) return;
    if (client === this.client && before !== undefined && state === null) {
      // Nobody else may say that we are gone: say again that we are here.
      this.put({ client, clock: clock + 1, state: before }, now);
      change.updated.push(client);
      return;
    }
    this.put(entry, now);
    if (state === null) {
      if (before !== undefined) change.removed.push(client);
    } else if (before === undefined) change.added.push(client);
    else {
      change.updated.push(client);
      if (!sameValue(before, state)) change.changed.push(client);
    }
  }

  /** Says goodbye for others, as a server does when their connection is gone. */
  remove(clients: readonly number[], now: number): AwarenessChange {
    const removed = clients.filter((client) => this.known.has(client));
    for (const client of removed) {
      this.put({ client, clock: this.metas.get(client)!.clock + 1, state: null }, now);
    }
    return { ...NOTHING, removed };
  }

  /** Renews one's own state and drops the silent. Call it every few seconds and tell others. */
  tick(now: number): AwarenessChange {
    const own = this.known.get(this.client);
    const meta = this.metas.get(this.client);
    const isDue = own !== undefined && meta !== undefined && now - meta.at >= RENEW_MS;
    const renewed = isDue ? this.show(own, now).updated : [];
    const removed: number[] = [];
    for (const [client, { at }] of this.metas) {
      if (client === this.client || now - at < EXPIRE_MS) continue;
      if (this.known.delete(client)) removed.push(client);
      // A client that was gone for as long again may be forgotten: its clock starts afresh with it.
      else if (now - at >= 2 * EXPIRE_MS) this.metas.delete(client);
    }
    return { ...NOTHING, updated: renewed, removed };
  }

  private put({ client, clock, state }: Entry, now: number): void {
    if (state === null) this.known.delete(client);
    else this.known.set(client, state);
    this.metas.set(client, { clock, at: now });
  }
}

const NOTHING: AwarenessChange = { added: [], updated: [], changed: [], removed: [] };

function decodeEntries(update: Uint8Array): readonly Entry[] {
  const reader = new Reader(update);
  try {
    const entries: Entry[] = [];
    for (let left = takeCount(reader); left > 0; left--) {
      const client = takeUint(reader);
      const clock = takeSmall(reader);
      entries.push({ client, clock, state: stateOf(takeText(reader)) });
    }
    if (reader.left > 0) throw new DocumentError("malformed", "bytes behind the update");
    return entries;
  } catch (error) {
    throw refusal(error);
  }
}

function stateOf(text: string): AwarenessState | null {
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state === "object" && !Array.isArray(state)) return state as AwarenessState | null;
  } catch {
    // Falls through to the refusal below: what is not JSON is no state either.
  }
  throw new DocumentError("malformed", "a state is an object in JSON, or null");
}
