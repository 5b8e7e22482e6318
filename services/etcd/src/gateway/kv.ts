/** The KV service: the hot path of the gateway. */

import { Writer } from "@quorate/kernel";
import { type ServerCall } from "@quorate/grpc";

import {
  canPut,
  checkDeleteRange,
  checkPut,
  checkRange,
  checkTxn,
  isReadOnly,
} from "../store/check.ts";
import { requestCommand } from "../store/commands.ts";
import { type Failure, FAILURES } from "../store/errors.ts";
import { type RangeResult } from "../store/range.ts";
import { type TxnResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";
import { type RangeRequest, type TxnRequest } from "../wire/kv.ts";
import { readCompaction, readDeleteRange, readPut, readRange, readTxn } from "../wire/kv-codecs.ts";
import {
  writeCompactionResponse,
  writeDeleteRangeResponse,
  writePutResponse,
  writeRangeResponse,
  writeTxnResponse,
} from "../wire/kv-responses.ts";
import { type Executor, fail } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate } from "./leader-gate.ts";
import { type Quota } from "./quota.ts";

/** A buffer for responses that has grown beyond this is not kept. */
const KEPT_BYTES = 4 << 20;

export class KvService {
  private readonly store: EtcdStore;
  private readonly executor: Executor;
  private readonly headers: Headers;
  private readonly quota: Quota;
  /** Reused for every response: what is written is copied before the next one. */
  private writer = new Writer();

  constructor(store: EtcdStore, executor: Executor, headers: Headers, quota: Quota) {
    this.store = store;
    this.executor = executor;
    this.headers = headers;
    this.quota = quota;
  }

  register(gate: LeaderGate): void {
    const path = (method: string): string => `/etcdserverpb.KV/${method}`;
    gate.unary(path("Range"), (call, message) => this.range(call, message));
    gate.unary(path("Put"), (call, message) => this.put(call, message));
    gate.unary(path("DeleteRange"), (call, message) => this.deleteRange(call, message));
    gate.unary(path("Txn"), (call, message) => this.txn(call, message));
    gate.unary(path("Compact"), (call, message) => this.compact(call, message));
  }

  private range(call: ServerCall, message: Buffer): void {
    const request = readRange(message, 0, message.length);
    const refused = checkRange(request);
    if (refused !== undefined) return fail(call, refused);
    if (request.serializable) return this.answerRange(call, request);
    this.executor.whenReadable(call, () => this.answerRange(call, request));
  }

  private answerRange(call: ServerCall, request: RangeRequest): void {
    const result: RangeResult | Failure = this.store.range(request);
    if ("type" in result && result.type === "error") return fail(call, result);
    const writer = this.begin();
    writeRangeResponse(writer, this.headers.encodedAt(result.revision), result);
    this.respond(call);
  }

  private put(call: ServerCall, message: Buffer): void {
    const refused = checkPut(readPut(message, 0, message.length));
    if (refused !== undefined) return fail(call, refused);
    if (this.quota.exceeded) return fail(call, FAILURES.noSpace);
    this.executor.execute(call, requestCommand("put", message), (result) => {
      if (result.type !== "put") return;
      writePutResponse(this.begin(), this.headers.encodedAt(result.revision), result);
      this.respond(call);
    });
  }

  private deleteRange(call: ServerCall, message: Buffer): void {
    const refused = checkDeleteRange(readDeleteRange(message, 0, message.length));
    if (refused !== undefined) return fail(call, refused);
    this.executor.execute(call, requestCommand("deleteRange", message), (result) => {
      if (result.type !== "deleteRange") return;
      writeDeleteRangeResponse(this.begin(), this.headers.encodedAt(result.revision), result);
      this.respond(call);
    });
  }

  private txn(call: ServerCall, message: Buffer): void {
    const request = readTxn(message, 0, message.length);
    const refused = checkTxn(request);
    if (refused !== undefined) return fail(call, refused);
    // A transaction that only reads needs no place in the log.
    if (isReadOnly(request)) return this.readTxn(call, request);
    if (canPut(request) && this.quota.exceeded) return fail(call, FAILURES.noSpace);
    this.executor.execute(call, requestCommand("txn", message), (result) => {
      if (result.type === "txn") this.answerTxn(call, result);
    });
  }

  private readTxn(call: ServerCall, request: TxnRequest): void {
    this.executor.whenReadable(call, () => {
      const result = this.store.readTxn(request);
      if (result.type === "error") fail(call, result);
      else this.answerTxn(call, result);
    });
  }

  private answerTxn(call: ServerCall, result: TxnResult): void {
    writeTxnResponse(this.begin(), this.headers.encodedAt(result.revision), result);
    this.respond(call);
  }

  private compact(call: ServerCall, message: Buffer): void {
    const { physical } = readCompaction(message, 0, message.length);
    this.executor.execute(call, requestCommand("compact", message), (result) => {
      if (result.type !== "compact") return;
      if (physical) this.store.sweep(Infinity);
      writeCompactionResponse(this.begin(), this.headers.encodedAt(result.revision));
      this.respond(call);
    });
  }

  private begin(): Writer {
    // A response of many megabytes should not stay in memory for ever.
    if (this.writer.bytes.length > KEPT_BYTES) this.writer = new Writer();
    this.writer.length = 0;
    return this.writer;
  }

  private respond(call: ServerCall): void {
    call.respond(this.writer.bytes, 0, this.writer.length);
  }
}
