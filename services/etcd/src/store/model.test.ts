/**
 * The store against a model that is slow and obvious: one array of all changes
 * ever made, searched from the end.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@quorate/kernel";
import { bytesOf } from "../wire/binary.ts";
import {
  type Compare,
  type KeyValue,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "../wire/kv.ts";
import { checkTxn } from "./check.ts";
import { compact, grant, op, put, rangeOf, remove, revoke, textOf, txn } from "./requests.test.ts";
import { EtcdStore } from "./store.ts";

/** An operation's answer in plain data, or the words of a refusal. */
type Answer = string | object;

const KEYS = ["a", "ab", "b", "b\0", "c", "d", "e", "\xff"];
const LEASES = ["1", "2f", "ffffffffffffffff"];

class Model {
  revision = 1;
  compacted = -1;
  changes: KeyValue[] = [];
  leases: Map<string, number> = new Map();
  private made: KeyValue[] = [];

  get now(): number {
    return this.revision + (this.made.length > 0 ? 1 : 0);
  }

  commit(): void {
    this.revision = this.now;
    this.changes.push(...this.made);
    this.made = [];
  }

  get(key: string, revision: number = Infinity): KeyValue | undefined {
    const kv = [...this.changes, ...this.made].findLast(
      (change) => change.key === key && change.modRevision <= revision,
    );
    return kv !== undefined && kv.version > 0 ? kv : undefined;
  }

  within(key: string, rangeEnd: string, revision: number = Infinity): KeyValue[] {
    return KEYS.toSorted()
      .filter((other) =>
        rangeEnd === "" ? other === key : other >= key && (rangeEnd === "\0" || other < rangeEnd),
      )
      .map((other) => this.get(other, revision))
      .filter((kv) => kv !== undefined);
  }

  put(request: PutRequest): Answer {
    const before = this.get(request.key);
    this.made.push({
      key: request.key,
      createRevision: before?.createRevision ?? this.revision + 1,
      modRevision: this.revision + 1,
      version: (before?.version ?? 0) + 1,
      value: request.ignoreValue ? before!.value : request.value,
      lease: request.ignoreLease ? before!.lease : request.lease,
    });
    return { revision: this.now, prev: request.prevKv ? plain(before) : undefined };
  }

  remove(key: string, rangeEnd: string): Answer {
    const gone = this.within(key, rangeEnd);
    for (const kv of gone) this.bury(kv.key);
    return { revision: this.now, gone: gone.map(plain) };
  }

  bury(key: string): void {
    const modRevision = this.revision + 1;
    const value = new Uint8Array(0);
    this.made.push({ key, createRevision: 0, modRevision, version: 0, value, lease: "" });
  }

  range(request: RangeRequest, negative: boolean = false): Answer {
    const { revision, limit } = request;
    if (revision > this.now) return "future";
    if ((revision > 0 || negative) && revision !== 0 && revision < this.compacted)
      return "compacted";
    const all = this.within(request.key, request.rangeEnd, revision > 0 ? revision : Infinity);
    let kvs = all.filter(
      (kv) => request.minModRevision === 0 || kv.modRevision >= request.minModRevision,
    );
    const sign = request.sortOrder === 0 ? 0 : request.sortOrder === 1 ? 1 : -1;
    kvs.sort((a, b) => sign * (a.modRevision - b.modRevision));
    const more = limit > 0 && kvs.length > limit;
    if (more) kvs = kvs.slice(0, limit);
    if (request.countOnly) return { revision: this.now, count: all.length, more: false, kvs: [] };
    return { revision: this.now, count: all.length, more, kvs: kvs.map(plain) };
  }

  holds(compare: Compare): boolean {
    const kvs = this.within(compare.key, compare.rangeEnd);
    const versions = kvs.length === 0 ? [0] : kvs.map((kv) => kv.version);
    const wanted = compare.operand?.type === "version" ? compare.operand.version : 0;
    return versions.every((version) =>
      compare.result === 0
        ? version === wanted
        : compare.result === 1
          ? version > wanted
          : compare.result === 2
            ? version < wanted
            : version !== wanted,
    );
  }

  /** The operations that a transaction will run, those of nested ones in brackets. */
  path(request: TxnRequest): {
    succeeded: boolean;
    ops: (RequestOp | ReturnType<Model["path"]>)[];
  } {
    const succeeded = request.compare.every((compare) => this.holds(compare));
    const ops = succeeded ? request.success : request.failure;
    return {
      succeeded,
      ops: ops.map((each) => (each.type === "txn" ? this.path(each.txn) : each)),
    };
  }

  refusalOf(path: ReturnType<Model["path"]>): string | undefined {
    const flat = (ops: (typeof path)["ops"]): RequestOp[] =>
      ops.flatMap((each) => ("ops" in each ? flat(each.ops) : [each]));
    const ops = flat(path.ops);
    for (const each of ops) {
      if (each.type !== "put") continue;
      if (each.put.ignoreValue && this.get(each.put.key) === undefined) return "key not found";
      if (each.put.lease !== "" && !this.leases.has(each.put.lease)) return "lease not found";
    }
    for (const each of ops) {
      const answer = each.type === "range" ? this.range(each.range, true) : "";
      if (typeof answer === "string" && answer !== "") return answer;
    }
    return undefined;
  }

  run(path: ReturnType<Model["path"]>): Answer {
    return {
      succeeded: path.succeeded,
      answers: path.ops.map((each) => {
        if ("ops" in each) return this.run(each);
        if (each.type === "put") return this.put(each.put);
        if (each.type === "range") return this.range(each.range);
        assert.equal(each.type, "deleteRange");
        const { key, rangeEnd } = each.deleteRange;
        return this.remove(key, rangeEnd);
      }),
    };
  }
}

function plain(kv: KeyValue | undefined): object | undefined {
  return kv && { ...kv, value: textOf(kv.value) };
}

/** An answer of the store in the form of the model's. */
function answerOf(result: ReturnType<EtcdStore["apply"]> | ReturnType<EtcdStore["range"]>): Answer {
  switch (result.type) {
    case "error":
      return /lease not found|key not found|compacted|future/.exec(result.message)![0];
    case "put":
      return { revision: result.revision, prev: plain(result.prevKv) };
    case "deleteRange":
      assert.equal(result.deleted, result.prevKvs.length);
      return { revision: result.revision, gone: result.prevKvs.map(plain) };
    case "range": {
      const { revision, count, more } = result;
      return { revision, count, more, kvs: result.kvs.map(plain) };
    }
    case "txn":
      return { succeeded: result.succeeded, answers: result.responses.map(answerOf) };
    default:
      return result.type;
  }
}

class Run {
  readonly random: Random;
  readonly model: Model = new Model();
  readonly store: EtcdStore = new EtcdStore();
  replica: EtcdStore = new EtcdStore();

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  apply(command: Uint8Array): Answer {
    const result = this.store.apply(command);
    assert.deepEqual(this.replica.apply(command), result);
    assert.equal(this.replica.digest(), this.store.digest());
    return answerOf(result);
  }

  step(): void {
    const { random, model, store } = this;
    const dice = random.below(100);
    if (dice < 25) this.put();
    else if (dice < 40) this.expect(store.range(this.range()), (request) => request);
    else if (dice < 50) this.remove();
    else if (dice < 75) this.txn();
    else if (dice < 85) this.lease();
    else if (dice < 90) this.restore();
    else if (dice < 94) {
      const revision = random.below(model.revision + 2);
      const answer = this.apply(compact(revision));
      const refused =
        revision <= model.compacted
          ? "compacted"
          : revision > model.revision
            ? "future"
            : undefined;
      assert.equal(answer, refused ?? "compact");
      if (refused === undefined) model.compacted = revision;
    } else if (dice < 97) store.sweep(random.chance(1, 2) ? 30 : Infinity);
    else this.changes();
    assert.equal(store.revision, model.revision);
  }

  private lastRange: RangeRequest = rangeOf({});

  private expect(
    result: ReturnType<EtcdStore["range"]>,
    of: (request: RangeRequest) => RangeRequest,
  ): void {
    assert.deepEqual(answerOf(result), this.model.range(of(this.lastRange)));
  }

  private key(): string {
    return KEYS[this.random.below(KEYS.length)]!;
  }

  private end(): string {
    const dice = this.random.below(10);
    return dice < 4 ? "" : dice < 6 ? "\0" : this.key();
  }

  private range(): RangeRequest {
    const { random, model } = this;
    const back = random.chance(1, 2) ? model.revision + 1 - random.below(20) : 0;
    this.lastRange = rangeOf({
      key: this.key(),
      rangeEnd: this.end(),
      limit: random.below(4) - 1,
      revision: back,
      sortOrder: random.below(3),
      // Without an order there is none to test: the limit would come first.
      sortTarget: 0,
      countOnly: random.chance(1, 6),
      minModRevision: random.chance(1, 4) ? random.below(model.revision + 1) : 0,
    });
    const { sortOrder } = this.lastRange;
    if (sortOrder !== 0) this.lastRange = { ...this.lastRange, sortTarget: 3 };
    return this.lastRange;
  }

  private putRequest(): PutRequest {
    const { random } = this;
    const ignoreValue = random.chance(1, 10);
    return {
      key: this.key(),
      value: bytesOf(ignoreValue ? "" : `v${random.below(1000)}`),
      lease: random.chance(1, 4) ? LEASES[random.below(LEASES.length)]! : "",
      prevKv: random.chance(1, 2),
      ignoreValue,
      ignoreLease: false,
    };
  }

  private put(): void {
    const { model } = this;
    const request = this.putRequest();
    const answer = this.apply(
      put(request.key, textOf(request.value), { ...request, value: textOf(request.value) }),
    );
    if (request.lease !== "" && !model.leases.has(request.lease)) {
      assert.equal(answer, "lease not found");
    } else if (request.ignoreValue && model.get(request.key) === undefined) {
      assert.equal(answer, "key not found");
    } else {
      assert.deepEqual(answer, model.put(request));
      model.commit();
    }
  }

  private remove(): void {
    const key = this.key();
    const end = this.end();
    assert.deepEqual(this.apply(remove(key, end, true)), this.model.remove(key, end));
    this.model.commit();
  }

  private ops(depth: number): RequestOp[] {
    return Array.from({ length: this.random.below(4) }, () => {
      const dice = this.random.below(10);
      if (dice < 4) return { type: "put", put: this.putRequest() };
      if (dice < 6) return op.remove(this.key(), this.end().replace("\0", ""), { prevKv: true });
      if (dice < 8 || depth === 2) return { type: "range", range: this.range() };
      return op.txn(this.request(depth + 1));
    });
  }

  private request(depth: number): TxnRequest {
    const { random } = this;
    const compare = Array.from({ length: random.below(3) }, () => ({
      key: this.key(),
      rangeEnd: this.end(),
      target: 0,
      result: random.below(4),
      operand: { type: "version", version: random.below(3) } as const,
    }));
    return { compare, success: this.ops(depth), failure: this.ops(depth) };
  }

  private txn(): void {
    const { model, store } = this;
    const request = this.request(0);
    if (checkTxn(request) !== undefined) {
      const before = store.digest();
      assert.equal(store.apply(txn(request)).type, "error");
      assert.equal(store.digest(), before);
      return;
    }
    const answer = this.apply(txn(request));
    const path = model.path(request);
    const refused = model.refusalOf(path);
    assert.deepEqual(answer, refused ?? model.run(path));
    model.commit();
  }

  private lease(): void {
    const { random, model } = this;
    const id = LEASES[random.below(LEASES.length)]!;
    if (!model.leases.has(id)) {
      assert.equal(this.apply(grant(id, 10)), "leaseGrant");
      model.leases.set(id, 10);
      return;
    }
    const keys = model.within("\0", "\0").filter((kv) => kv.lease === id);
    assert.deepEqual(
      this.store.leaseKeys(id),
      keys.map((kv) => kv.key),
    );
    if (random.chance(1, 2)) return;
    assert.equal(this.apply(revoke(id)), "leaseRevoke");
    for (const kv of keys) model.bury(kv.key);
    model.commit();
    model.leases.delete(id);
  }

  /** Puts a replica that was restored from an image in place of the one that applied all. */
  private restore(): void {
    const source = this.store.snapshot();
    const replica = new EtcdStore();
    const sink = replica.receive();
    for (let piece = source.next(); piece !== undefined; piece = source.next()) sink.write(piece);
    source.close();
    replica.install(sink);
    assert.equal(replica.digest(), this.store.digest());
    assert.deepEqual(replica.hashKv(), this.store.hashKv());
    this.replica = replica;
  }

  private changes(): void {
    const { model, random } = this;
    const from = Math.max(0, model.compacted) + random.below(5);
    const query = { from, key: "\0", rangeEnd: "\0", prevKv: true, maxEvents: 1 + random.below(9) };
    for (const store of [this.store, this.replica]) {
      const events: object[] = [];
      for (let next = from; next <= store.revision;) {
        const changes = store.changes({ ...query, from: next });
        assert.ok(changes.type === "changes");
        events.push(...changes.events);
        next = changes.next;
      }
      const expected = model.changes
        .filter((kv) => kv.modRevision >= from)
        .map((kv) => {
          const { modRevision, version, createRevision } = kv;
          const known = modRevision > model.compacted && createRevision !== modRevision;
          const prevKv = known ? model.get(kv.key, modRevision - 1) : undefined;
          return { type: version > 0 ? "put" : "delete", kv, prevKv };
        });
      assert.deepEqual(events, expected);
    }
  }
}

test("the store answers like an obvious model, and restored replicas like the store", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const run = new Run(seed);
    for (let step = 0; step < 150; step++) {
      try {
        run.step();
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}`, { cause: error });
      }
    }
  }
});
