/**
 * A log on a simulated disk beside a model of what it was told, for the tests
 * of this package. Every record carries its index in the model, so what comes
 * back can be compared byte by byte.
 */

import assert from "node:assert/strict";

import { StorageError } from "./errors.ts";
import { type SimulatedDisk } from "./simulated-disk.ts";
import { type WalOptions } from "./wal-options.ts";
import { Wal } from "./wal.ts";

export const DIRECTORY = "/wal";
const COMPACT = 0xffff_ffff;
const STAND_IN = 0xffff_fffe;

/** What the host of a log does. */
export type Step =
  | { readonly type: "append"; readonly group: number; readonly bytes: number }
  | { readonly type: "flush" }
  | { readonly type: "turns"; readonly count: number }
  | { readonly type: "checkpoint"; readonly group: number; readonly compact: boolean }
  | { readonly type: "idle" };

interface Appended {
  readonly group: number;
  readonly position: number;
  readonly id: number;
  readonly bytes: number;
}

/** Dice with a seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function payload(id: number, bytes: number): Uint8Array {
  const record = new Uint8Array(Math.max(4, bytes)).fill((id * 31 + 7) & 0xff);
  new DataView(record.buffer).setUint32(0, id);
  return record;
}

/** What stands in for a record of the model. */
export function standInFor(id: number): Uint8Array {
  const record = new Uint8Array(8);
  const view = new DataView(record.buffer);
  view.setUint32(0, STAND_IN);
  view.setUint32(4, id);
  return record;
}

/** Everything that was appended and may be recovered, in order. */
export class Model {
  all: Appended[] = [];
  durable = 0;
  /** Records whose stand-ins came back in the last recovery. */
  lost: number[] = [];
  private nextId = 0;
  private readonly standIns: boolean;

  /** @param standIns - Whether its records have stand-ins. */
  constructor(standIns = false) {
    this.standIns = standIns;
  }

  append(wal: Wal, group: number, bytes: number): void {
    const id = this.nextId++;
    const record = payload(id, bytes);
    const position = this.standIns
      ? wal.append(group, record, standInFor(id))
      : wal.append(group, record);
    this.all.push({ group, position, id, bytes: record.length });
  }

  of(group: number): Appended[] {
    return this.all.filter((each) => each.group === group);
  }

  /** The records that stand for all of a group so far: themselves, or one that counts them. */
  *checkpoint(group: number, compact: boolean): Generator<Uint8Array> {
    const mine = this.of(group);
    if (compact) {
      const record = new Uint8Array(8 + 4 * mine.length);
      const view = new DataView(record.buffer);
      view.setUint32(0, COMPACT);
      for (const [index, { id }] of mine.entries()) view.setUint32(8 + index * 4, id);
      yield record;
    } else for (const { id, bytes } of mine) yield payload(id, bytes);
  }

  /** Checks what a recovery brought: all of a prefix that holds everything durable. Then forgets the rest. */
  accept(recovered: ReadonlyMap<number, readonly Uint8Array[]>, exact = false): void {
    const ids = new Map<number, number[]>();
    this.lost = [];
    let total = 0;
    for (const [group, records] of recovered) {
      const list = records.flatMap((record) => this.idsIn(record));
      ids.set(group, list);
      total += list.length;
    }
    const prefix = this.all.slice(0, total);
    assert.equal(prefix.length, total, "no more comes back than was appended");
    for (const group of new Set([...ids.keys(), ...prefix.map((each) => each.group)])) {
      const expected = prefix.filter((each) => each.group === group).map((each) => each.id);
      assert.deepEqual(ids.get(group) ?? [], expected, `group ${group} is a prefix, in order`);
    }
    const durable = this.all.filter((each) => each.position <= this.durable).length;
    assert.ok(total >= durable, `${total} of ${durable} durable records came back`);
    if (exact) assert.equal(total, this.all.length);
    this.all = prefix;
    this.durable = prefix.at(-1)?.position ?? 0;
  }

  private idsIn(record: Uint8Array): number[] {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const id = view.getUint32(0);
    if (this.standIns && id === STAND_IN && record.length === 8) {
      const lost = view.getUint32(4);
      this.lost.push(lost);
      return [lost];
    }
    if (id !== COMPACT) {
      const known = this.all.find((each) => each.id === id);
      assert.ok(known !== undefined, "only what was appended comes back");
      assert.deepEqual(Buffer.from(record), Buffer.from(payload(id, known.bytes)));
      return [id];
    }
    const ids: number[] = [];
    for (let at = 8; at < record.length; at += 4) ids.push(view.getUint32(at));
    return ids;
  }
}

/** A log that was opened, and what came of it. */
export interface Opened {
  readonly wal: Wal;
  readonly recovered: Map<number, Uint8Array[]>;
  readonly failures: StorageError[];
  /** Lets the log's idle time pass. */
  readonly idle: () => void;
}

export async function open(
  disk: SimulatedDisk,
  model: Model = new Model(),
  options: Partial<WalOptions> = {},
): Promise<Opened> {
  const recovered = new Map<number, Uint8Array[]>();
  const failures: StorageError[] = [];
  let timer: (() => void) | undefined;
  const wal = await Wal.open(
    {
      directory: DIRECTORY,
      disk,
      segmentBytes: 2048,
      batchBytes: 1024,
      sliceBytes: 256,
      idleMarkMs: 0,
      startTimer: (_, callback) => {
        timer = callback;
        return () => {
          timer = undefined;
        };
      },
      onDurable: (position) => {
        assert.ok(position > model.durable, "positions only grow");
        model.durable = position;
      },
      onFailure: (error) => failures.push(error),
      ...options,
    },
    (group, record) => {
      const list = recovered.get(group);
      if (list === undefined) recovered.set(group, [record]);
      else list.push(record);
    },
  );
  return { wal, recovered, failures, idle: () => timer?.() };
}

export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Waits until nothing more is pending. */
export async function settle(wal: Wal): Promise<void> {
  for (let left = 1000; wal.pendingBytes > 0; left--) {
    assert.ok(left > 0, "pending bytes become durable");
    wal.flush();
    await turns(1);
  }
  await turns(4);
}

export async function play(
  opened: Opened,
  model: Model,
  steps: readonly Step[],
  disk?: SimulatedDisk,
): Promise<void> {
  const { wal } = opened;
  for (const step of steps) {
    // The dead do nothing more.
    if (disk?.crashed === true) return new Promise(() => undefined);
    if (step.type === "append") model.append(wal, step.group, step.bytes);
    else if (step.type === "flush") wal.flush();
    else if (step.type === "turns") await turns(step.count);
    else if (step.type === "idle") opened.idle();
    else wal.checkpoint(step.group, [...model.checkpoint(step.group, step.compact)]);
  }
}

/** Runs `work` until it is done or the disk crashes at its operation `at`; tells which. */
export async function crashAt(
  disk: SimulatedDisk,
  at: number,
  work: () => Promise<void>,
): Promise<"done" | "crashed"> {
  disk.fate = ({ index }) => (index === at ? "crash" : undefined);
  const crashed = new Promise<"crashed">((resolve) => {
    disk.onCrash = () => resolve("crashed");
  });
  return Promise.race([work().then(() => "done" as const), crashed]);
}

export async function fault(work: () => Promise<unknown>): Promise<StorageError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "expected a StorageError" });
}
