/**
 * The replicated state behind `lin-kv` and `txn-list-append`: a map of JSON values
 * and one of lists. Commands and results are JSON texts, as they come from clients.
 */

import type { Applied, SnapshotSink, SnapshotSource, StateMachine } from "@quorate/consensus";
import { type Codec, crc32c, MalformedInput, text, utf8 } from "@quorate/kernel";

import { type Body, ERROR, errorBody } from "../messages.ts";

export type Command =
  | { readonly type: "read"; readonly key: unknown }
  | { readonly type: "write"; readonly key: unknown; readonly value: unknown }
  | {
      readonly type: "cas";
      readonly key: unknown;
      readonly from: unknown;
      readonly to: unknown;
      readonly create: boolean;
    }
  | { readonly type: "txn"; readonly txn: readonly (readonly [string, unknown, unknown])[] };

type Texts = readonly (readonly [key: string, value: string])[];

export class Documents implements StateMachine<string> {
  readonly results: Codec<string> = text;
  /** JSON texts by JSON text, so that equal values are equal keys. */
  private documents: Map<string, string> = new Map();

  apply(command: Uint8Array, _at: Applied): string {
    return JSON.stringify(this.answer(JSON.parse(decode(command)) as Command));
  }

  private answer(command: Command): Body {
    switch (command.type) {
      case "read": {
        const value = this.documents.get(keyOf(command.key));
        return value === undefined
          ? missing(command.key)
          : { type: "read_ok", value: parse(value) };
      }
      case "write":
        this.documents.set(keyOf(command.key), JSON.stringify(command.value));
        return { type: "write_ok" };
      case "cas":
        return this.compareAndSet(command);
      case "txn":
        return { type: "txn_ok", txn: command.txn.map((step) => this.perform(step)) };
    }
  }

  private compareAndSet({ key, from, to, create }: Extract<Command, { type: "cas" }>): Body {
    const name = keyOf(key);
    const before = this.documents.get(name);
    if (before === undefined && !create) return missing(key);
    if (before !== undefined && before !== JSON.stringify(from)) {
      const found = `${JSON.stringify(key)} is ${before}, not ${JSON.stringify(from)}`;
      return errorBody(ERROR.preconditionFailed, found);
    }
    this.documents.set(name, JSON.stringify(to));
    return { type: "cas_ok" };
  }

  private perform([type, key, value]: readonly [string, unknown, unknown]): unknown {
    const name = keyOf(key);
    const list = parse(this.documents.get(name) ?? "null") as readonly unknown[] | null;
    if (type === "r") return [type, key, list];
    this.documents.set(name, JSON.stringify([...(list ?? []), value]));
    return [type, key, value];
  }

  snapshot(): SnapshotSource {
    return new Pages([...this.documents]);
  }

  receive(): SnapshotSink {
    return new Received();
  }

  install(image: SnapshotSink): void {
    // The sink is one of ours.
    this.documents = new Map((image as Received).entries);
  }

  digest(): number {
    const entries = [...this.documents].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return crc32c(utf8(JSON.stringify(entries)));
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function keyOf(key: unknown): string {
  return JSON.stringify(key);
}

function parse(value: string): unknown {
  return JSON.parse(value);
}

function missing(key: unknown): Body {
  return errorBody(ERROR.keyDoesNotExist, `there is no ${JSON.stringify(key)}`);
}

const ENTRIES_A_PAGE = 1_000;

class Pages implements SnapshotSource {
  private readonly entries: Texts;
  private at = 0;

  constructor(entries: Texts) {
    this.entries = entries;
  }

  next(): Uint8Array | undefined {
    if (this.at >= this.entries.length) return undefined;
    const page = this.entries.slice(this.at, (this.at += ENTRIES_A_PAGE));
    return utf8(JSON.stringify(page));
  }

  close(): void {
    this.at = this.entries.length;
  }
}

class Received implements SnapshotSink {
  readonly entries: (readonly [string, string])[] = [];

  write(piece: Uint8Array): void {
    try {
      this.entries.push(...(JSON.parse(decode(piece)) as Texts));
    } catch {
      throw new MalformedInput("a page of documents is not JSON");
    }
  }
}
