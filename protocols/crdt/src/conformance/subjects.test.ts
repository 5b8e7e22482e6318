/** Every type of the package under the suite. */

import { type Random } from "@quorate/kernel";

import {
  boundedCounter,
  counter,
  disableWinsFlag,
  flag,
  growCounter,
  growSet,
  jsonDocument,
  type Json,
  list,
  lww,
  map,
  mapOf,
  mv,
  removeWinsSet,
  Replica,
  ROOT,
  set,
  tree,
  type TreeNode,
  twoPhaseSet,
  type Type,
  upDownCounter,
} from "../index.ts";
import { examine } from "./examine.test.ts";
import { type Model } from "./index.ts";

interface Sample<Value, Handle, Edit> {
  draw(random: Random): Edit;
  apply(handle: Handle, edit: Edit, actor: string): void;
  model(): Model<Edit>;
  look?(value: Value): unknown;
}

function examineType<Value, Handle, Edit>(
  name: string,
  type: Type<Value, Handle>,
  sample: Sample<Value, Handle, Edit>,
): void {
  examine({
    name,
    open: (actor) => new Replica(type, actor),
    decode: (bytes, actor) => Replica.decode(type, actor, bytes),
    ...sample,
  });
}

/** A model that is a value and a function of it. */
function modelOf<State, Edit>(
  state: State,
  apply: (state: State, edit: Edit) => State,
  read: (state: State) => unknown = (held) => held,
): Model<Edit> {
  let held = state;
  return {
    apply: (edit) => (held = apply(held, edit)),
    get value() {
      return read(held);
    },
  };
}

const LETTERS = ["x", "y", "z", "é", ""] as const;

function letter(random: Random): string {
  return LETTERS[random.below(LETTERS.length)]!;
}

examineType("growCounter", growCounter, {
  draw: (random) => random.below(5),
  apply: (handle, by) => handle.increment(by),
  model: () => modelOf(0, (sum, by: number) => sum + by),
});

examineType("upDownCounter", upDownCounter, {
  draw: (random) => random.below(9) - 4,
  apply: (handle, by) => (by < 0 ? handle.decrement(-by) : handle.increment(by)),
  model: () => modelOf(0, (sum, by: number) => sum + by),
});

examineType("counter", counter, {
  draw: (random) => (random.chance(1, 6) ? ("reset" as const) : random.below(9) - 4),
  apply(handle, edit) {
    if (edit === "reset") handle.reset();
    else if (edit < 0) handle.decrement(-edit);
    else handle.increment(edit);
  },
  model: () => modelOf(0, (sum, edit: number | "reset") => (edit === "reset" ? 0 : sum + edit)),
});

examineType("boundedCounter", boundedCounter, {
  draw: (random) => ({ by: random.below(9) - 4, to: ["a", "b", "c"][random.below(3)]! }),
  apply(handle, { by, to }) {
    // What an actor may take away depends on where rights are; each edit does what it did alone.
    if (by >= 0) handle.increment(by);
    else if (handle.rights() >= -by) handle.transfer(to, -by);
  },
  model: () => modelOf(0, (sum, { by }: { by: number; to: string }) => sum + Math.max(0, by)),
});

const registerEdit = (random: Random) => (random.chance(1, 5) ? undefined : letter(random));

examineType("lww", lww.string, {
  draw: registerEdit,
  apply: (handle, value) => (value === undefined ? handle.clear() : handle.set(value)),
  model: () => modelOf(undefined as string | undefined, (_, value: string | undefined) => value),
});

examineType("mv", mv.string, {
  draw: registerEdit,
  apply: (handle, value) => (value === undefined ? handle.clear() : handle.set(value)),
  model: () =>
    modelOf([] as string[], (_, value: string | undefined) => (value === undefined ? [] : [value])),
});

for (const [name, type] of [
  ["flag", flag],
  ["disableWinsFlag", disableWinsFlag],
] as const) {
  examineType<boolean, { enable(): void; disable(): void }, boolean>(name, type, {
    draw: (random) => random.chance(1, 2),
    apply: (handle, on) => (on ? handle.enable() : handle.disable()),
    model: () => modelOf(false, (_, on: boolean) => on),
  });
}

interface SetEdit {
  readonly element: string;
  readonly add: boolean;
}

const setEdit = (random: Random): SetEdit => ({
  element: letter(random),
  add: random.chance(2, 3),
});

function plainSet(held: ReadonlySet<string>, { element, add }: SetEdit): ReadonlySet<string> {
  const next = new Set(held);
  if (add) next.add(element);
  else next.delete(element);
  return next;
}

for (const [name, type] of [
  ["set", set.string],
  ["removeWinsSet", removeWinsSet.string],
] as const) {
  examineType<ReadonlySet<string>, { add(e: string): void; remove(e: string): void }, SetEdit>(
    name,
    type,
    {
      draw: setEdit,
      apply: (handle, { element, add }) => (add ? handle.add(element) : handle.remove(element)),
      model: () => modelOf(new Set<string>() as ReadonlySet<string>, plainSet),
    },
  );
}

examineType("growSet", growSet.number, {
  draw: (random) => random.below(7) - 3,
  apply: (handle, element) => handle.add(element),
  model: () =>
    modelOf(
      new Set<number>() as ReadonlySet<number>,
      (held, one: number) => new Set([...held, one]),
    ),
});

examineType("twoPhaseSet", twoPhaseSet.string, {
  draw: setEdit,
  apply: (handle, { element, add }) => void (add ? handle.add(element) : handle.remove(element)),
  model: () =>
    modelOf(
      { in: new Set<string>(), gone: new Set<string>() },
      (held, { element, add }: SetEdit) => {
        if (!add && held.in.delete(element)) held.gone.add(element);
        if (add && !held.gone.has(element)) held.in.add(element);
        return held;
      },
      (held) => held.in,
    ),
});

const todo = map({ title: lww.string, done: flag, votes: counter, tags: set.string });

type TodoEdit =
  | { readonly type: "create" | "remove"; readonly key: string }
  | { readonly type: "title" | "tag" | "untag"; readonly key: string; readonly text: string }
  | { readonly type: "done" | "vote" | "unvote"; readonly key: string };

interface PlainTodo {
  title: string | undefined;
  done: boolean;
  votes: number;
  tags: Set<string>;
}

const TODO_EDITS = ["create", "remove", "title", "tag", "untag", "done", "vote", "unvote"] as const;

examineType("mapOf(map)", mapOf(todo), {
  draw: (random): TodoEdit => ({
    type: TODO_EDITS[random.below(TODO_EDITS.length)]! as "title",
    key: letter(random),
    text: letter(random),
  }),
  apply(handle, edit) {
    const entry = handle.at(edit.key);
    // Parts alone do not keep an entry: it is edited as one, as an application would.
    if (edit.type !== "remove") handle.create(edit.key);
    if (edit.type === "remove") handle.remove(edit.key);
    else if (edit.type === "title") entry.title.set(edit.text);
    else if (edit.type === "tag") entry.tags.add(edit.text);
    else if (edit.type === "untag") entry.tags.remove(edit.text);
    else if (edit.type === "done") entry.done.enable();
    else if (edit.type === "vote") entry.votes.increment();
    else if (edit.type === "unvote") entry.votes.reset();
  },
  model: () =>
    modelOf(
      new Map<string, PlainTodo>(),
      (held, edit: TodoEdit) => {
        if (edit.type === "remove") {
          held.delete(edit.key);
          return held;
        }
        const entry = held.get(edit.key) ?? {
          title: undefined,
          done: false,
          votes: 0,
          tags: new Set(),
        };
        held.set(edit.key, entry);
        if (edit.type === "title") entry.title = edit.text;
        else if (edit.type === "tag") entry.tags.add(edit.text);
        else if (edit.type === "untag") entry.tags.delete(edit.text);
        else if (edit.type === "done") entry.done = true;
        else if (edit.type === "vote") entry.votes += 1;
        else if (edit.type === "unvote") entry.votes = 0;
        return held;
      },
      (held) => Object.fromEntries(held),
    ),
});

interface ListEdit {
  readonly type: "insert" | "remove" | "move" | "set";
  readonly at: number;
  readonly to: number;
  readonly text: string;
}

examineType("list", list(lww.string), {
  draw: (random): ListEdit => ({
    type: (["insert", "insert", "insert", "remove", "move", "set"] as const)[random.below(6)]!,
    at: random.below(1_000),
    to: random.below(1_000),
    text: letter(random),
  }),
  apply(handle, { type, at, to, text }) {
    const { length } = handle;
    if (type === "insert") handle.insert(at % (length + 1)).set(text);
    else if (length === 0) return;
    else if (type === "remove") handle.remove(at % length);
    else if (type === "move") handle.move(at % length, to % length);
    else handle.at(at % length).set(text);
  },
  model: () =>
    modelOf([] as string[], (held, { type, at, to, text }: ListEdit) => {
      if (type === "insert") return held.toSpliced(at % (held.length + 1), 0, text);
      if (held.length === 0) return held;
      if (type === "remove") return held.toSpliced(at % held.length, 1);
      if (type === "set") return held.with(at % held.length, text);
      const from = at % held.length;
      return held.toSpliced(from, 1).toSpliced(to % held.length, 0, held[from]!);
    }),
});

interface TreeEdit {
  readonly type: "create" | "move" | "remove" | "set";
  readonly at: number;
  readonly to: number;
  readonly index: number;
  readonly text: string;
}

/** The nodes of a tree, parents first. */
function flat<T extends { readonly children: readonly T[] }>(nodes: readonly T[]): readonly T[] {
  return nodes.flatMap((node) => [node, ...flat(node.children)]);
}

interface PlainNode {
  value: string | undefined;
  children: PlainNode[];
}

/** The tree without the names that the type chose. */
function shapeOf(nodes: readonly TreeNode<string | undefined>[]): unknown {
  return nodes.map(({ value, children }) => ({ value, children: shapeOf(children) }));
}

const treeType = tree(lww.string);

examineType("tree", treeType, {
  look: shapeOf,
  draw: (random): TreeEdit => ({
    type: (["create", "create", "move", "move", "remove", "set"] as const)[random.below(6)]!,
    at: random.below(1_000),
    to: random.below(1_000),
    index: random.below(1_000),
    text: letter(random),
  }),
  apply(handle, { type, at, to, index, text }) {
    const names = flat(handle.value).map(({ name }) => name);
    const parent = [ROOT, ...names][to % (names.length + 1)]!;
    if (type === "create") {
      const node = handle.create(parent, index % (handle.children(parent).length + 1));
      return handle.at(node).set(text);
    }
    if (names.length === 0) return;
    const node = names[at % names.length]!;
    if (type === "remove") handle.remove(node);
    else if (type === "set") handle.at(node).set(text);
    else {
      const others = handle.children(parent).filter((one) => one !== node).length;
      handle.move(node, parent, index % (others + 1));
    }
  },
  model: () =>
    modelOf<PlainNode, TreeEdit>(
      { value: undefined, children: [] },
      (root, { type, at, to, index, text }) => {
        const nodes = flat(root.children);
        const parent = [root, ...nodes][to % (nodes.length + 1)]!;
        if (type === "create") {
          parent.children.splice(index % (parent.children.length + 1), 0, {
            value: text,
            children: [],
          });
          return root;
        }
        if (nodes.length === 0) return root;
        const node = nodes[at % nodes.length]!;
        if (type === "set") node.value = text;
        else {
          if (type === "move" && (node === parent || flat(node.children).includes(parent)))
            return root;
          const old = [root, ...nodes].find(({ children }) => children.includes(node))!;
          old.children.splice(old.children.indexOf(node), 1);
          if (type === "move")
            parent.children.splice(index % (parent.children.length + 1), 0, node);
        }
        return root;
      },
      ({ children }) => children,
    ),
});

type JsonEdit = {
  readonly key: string;
  readonly other: string;
  readonly at: number;
  readonly to: number;
} & (
  | { readonly type: "set"; readonly value: Json }
  | { readonly type: "remove" | "insert" | "move" | "element" }
);

const JSON_VALUES: readonly Json[] = [1, "s", null, [], {}, [1, [2]], { p: { q: [] }, r: -0.5 }];

function isList(value: unknown): value is Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !isList(value);
}

examineType("json", jsonDocument, {
  draw: (random): JsonEdit => ({
    type: (["set", "set", "remove", "insert", "insert", "move", "element"] as const)[
      random.below(7)
    ]! as "set",
    key: letter(random),
    other: letter(random),
    at: random.below(1_000),
    to: random.below(1_000),
    value: JSON_VALUES[random.below(JSON_VALUES.length)]!,
  }),
  apply(handle, edit) {
    const { key, other, at, to } = edit;
    if (handle.kind !== "object") handle.set([], {});
    const array = handle.get([key]);
    if (edit.type === "set") handle.set(other === key ? [key] : [key, other], edit.value);
    else if (edit.type === "remove") handle.remove([key]);
    else if (!isList(array)) handle.set([key], [at]);
    else if (edit.type === "insert") handle.insert([key], at % (array.length + 1), to);
    else if (array.length === 0) return;
    else if (edit.type === "move") handle.move([key], at % array.length, to % array.length);
    else handle.set([key, at % array.length], to);
  },
  model: () =>
    modelOf(undefined as { [key: string]: Json } | undefined, (held, edit: JsonEdit) => {
      const { key, other, at, to } = edit;
      const next = { ...held };
      const array = next[key];
      if (edit.type === "set") {
        const inner = isObject(array) ? array : {};
        next[key] = other === key ? edit.value : { ...inner, [other]: edit.value };
      } else if (edit.type === "remove") delete next[key];
      else if (!isList(array)) next[key] = [at];
      else if (edit.type === "insert") next[key] = array.toSpliced(at % (array.length + 1), 0, to);
      else if (array.length === 0) return next;
      else if (edit.type === "move") {
        const from = at % array.length;
        next[key] = array.toSpliced(from, 1).toSpliced(to % array.length, 0, array[from]!);
      } else next[key] = array.with(at % array.length, to);
      return next;
    }),
});
