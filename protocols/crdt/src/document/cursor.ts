/** Positions that stay put while the text around them changes, in the form that Yjs editors exchange. */

import { Reader } from "@quorate/kernel";

import { type Branch, NONE, UNOPENED } from "./branch.ts";
import { GC, REDONE, TYPE, UNCOUNTED, DELETED } from "./content.ts";
import { type Doc } from "./doc.ts";
import { written } from "./encode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { Nested } from "./nested.ts";
import { type Store } from "./store.ts";
import { checkIndex } from "./typing.ts";
import { type SharedType } from "./view.ts";
import { takeInt, takeSmall, takeText, takeUint, writeInt, writeText, writeUint } from "./wire.ts";

export interface Id {
  readonly client: number;
  readonly clock: number;
}

/** A place next to a unit, or at an end of a shared type. */
export type Cursor =
  | { readonly type: "unit"; readonly id: Id; readonly side: Side }
  | { readonly type: "root"; readonly name: string; readonly side: Side }
  | { readonly type: "nested"; readonly id: Id; readonly side: Side };

/** Which neighbour a cursor sticks to: what is inserted right there goes to its other side. */
export type Side = "left" | "right";

/** A cursor at a position of a text or a list. */
export function cursorAt(view: SharedType, index: number, side: Side = "right"): Cursor {
  const { doc, branch } = view;
  const { store } = doc;
  const list = store.children(branch);
  checkIndex(index, list.length);
  const unit = side === "left" ? index - 1 : index;
  if (unit >= 0 && unit < list.length) {
    const item = store.seek(list, unit + 1);
    const clock = store.clock[item]! + store.offset - 1;
    return { type: "unit", id: { client: store.logs[store.client[item]!]!.id, clock }, side };
  }
  if (branch.item === NONE) return { type: "root", name: branch.name, side };
  const client = store.logs[store.client[branch.item]!]!.id;
  return { type: "nested", id: { client, clock: store.clock[branch.item]! }, side };
}

/**
 * Where a cursor is now: the shared type and the position in it. Undefined when what it points to is
 * unknown here, or has been collected.
 */
export function resolveCursor(
  doc: Doc,
  cursor: Cursor,
): { readonly target: Nested; readonly index: number } | undefined {
  const { store } = doc;
  if (cursor.type === "root") return endOf(doc, store.root(cursor.name), cursor.side);
  const found = follow(store, cursor.id);
  if (found === NONE || store.kind(found) === GC) return undefined;
  if (cursor.type === "nested") {
    if (store.kind(found) !== TYPE) return undefined;
    return endOf(doc, store.content[found] as Branch, cursor.side);
  }
  const { branch } = store.sequenceOf(found);
  const inside = store.offset + (cursor.side === "left" ? 1 : 0);
  const isGone = (store.flags[found]! & (DELETED | UNCOUNTED)) !== 0;
  return {
    target: new Nested(doc, branch),
    index: store.positionOf(found) + (isGone ? 0 : inside),
  };
}

function endOf(doc: Doc, branch: Branch, side: Side): { target: Nested; index: number } {
  const length = branch.kind === UNOPENED ? 0 : (branch.children?.length ?? 0);
  return { target: new Nested(doc, branch), index: side === "left" ? 0 : length };
}

/** The item that holds an id, or what undo steps made of it, with the unit inside in `store.offset`. */
function follow(store: Store, id: Id): number {
  const log = store.knownLog(id.client);
  if (log === undefined || log.next <= id.clock) return NONE;
  let item = store.find(log.index, id.clock);
  let offset = id.clock - store.clock[item]!;
  while ((store.flags[item]! & REDONE) !== 0) {
    const [client, clock] = store.redone.get(item)!;
    item = store.find(client, clock + offset);
    offset = clock + offset - store.clock[item]!;
  }
  store.offset = offset;
  return item;
}

/** The bytes of a cursor, as `Y.encodeRelativePosition` makes them. */
export function encodeCursor(cursor: Cursor): Uint8Array {
  return written((writer) => {
    if (cursor.type === "root") {
      writer.byte(1);
      writeText(writer, cursor.name);
    } else {
      writer.byte(cursor.type === "unit" ? 0 : 2);
      writeUint(writer, cursor.id.client);
      writeUint(writer, cursor.id.clock);
    }
    writeInt(writer, cursor.side === "left" ? -1 : 0);
  });
}

/** @throws DocumentError `malformed`. */
export function decodeCursor(bytes: Uint8Array): Cursor {
  const reader = new Reader(bytes);
  try {
    const tag = takeUint(reader);
    if (tag > 2) throw new DocumentError("malformed", `no cursor has the tag ${tag}`);
    const place =
      tag === 1
        ? { type: "root" as const, name: takeText(reader) }
        : {
            type: tag === 0 ? ("unit" as const) : ("nested" as const),
            id: { client: takeUint(reader), clock: takeSmall(reader) },
          };
    const side = reader.left > 0 && takeInt(reader) < 0 ? "left" : "right";
    return { ...place, side };
  } catch (error) {
    throw refusal(error);
  }
}
