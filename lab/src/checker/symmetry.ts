/**
 * Exact symmetry reduction: of all states that differ only in which of several
 * like nodes is which, one stands for all. It is the least, as a list of integers,
 * of the images under every permutation, so it does not depend on the order of
 * the search (sorting nodes by their own state alone would leave ties, and ties
 * make a count depend on it).
 *
 * Few nodes are simply tried in every order. For many, two things spare most
 * permutations. Nodes are first sorted by what they look like with all names of
 * their like taken away, which no permutation changes; only nodes that look the
 * same are tried in more than one order. And nodes that may change places without
 * anything changing are tried in one order only.
 */

import { invariant, type NodeId, type Process, type Vocabulary } from "@quorate/kernel";

import { Interner, isSame } from "./interning.ts";
import { lowLane } from "./lanes.ts";
import type { Model } from "./model.ts";
import { renamed, type Renaming } from "./renaming.ts";
import type { Body, Space } from "./space.ts";

/** A place for each node: `to[i]` is where node `i` goes. Nodes that are unlike all others stay. */
type Permutation = readonly number[];

/** What a permutation makes of numbers, worked out as needed. */
interface Images {
  readonly renaming: Renaming;
  readonly to: Permutation;
  readonly locals: number[];
  readonly letters: number[];
  readonly histories: number[];
}

/** With at most so many like nodes every order is tried. */
const FEW = 4;

/** Takes the place of every name when nodes are compared. */
const ANYBODY = "anybody";
const SELF = "self";

export class Canon<V extends Vocabulary, P extends Process<V>, H> {
  private readonly space: Space<V, P, H>;
  private readonly ids: readonly NodeId[];
  /** Indices of the nodes that are alike. */
  private readonly alike: readonly number[];
  private readonly fields: ReadonlySet<string>;
  private readonly images = new Map<string, Images>();
  private readonly looks: Interner<unknown> = new Interner();
  /** By number of a node's state or of a message: what it looks like, seen from each node. */
  private readonly localLooks: number[][] = [];
  private readonly letterLooks: number[][] = [];
  /** All permutations, if there are few. */
  private readonly all: readonly Images[] | undefined;
  /** How many states the last one stands for, itself included; only where every order is tried. */
  orbit = 1;
  private best: number[] = [];
  private candidate: number[] = [];

  constructor(space: Space<V, P, H>, model: Model<V, P, H>) {
    this.space = space;
    this.ids = model.nodes;
    const { nodes = [], alike = [] } = model.symmetry ?? {};
    this.alike = nodes.map((id) => model.nodes.indexOf(id));
    this.fields = new Set(alike);
    for (const node of this.alike) {
      const isAlike = isSame(asksOf(model, this.ids[node]!), asksOf(model, nodes[0]!));
      invariant(isAlike, `${this.ids[node]} is asked the same as the nodes that it is like`);
    }
    if (this.alike.length > FEW) return;
    const orders = arrangementsOf(this.alike.map((node) => [node]));
    this.all = orders.map((order) => this.imagesOf(this.permutationOf(order)));
  }

  /** Replaces a state, in place, by the one that stands for it. Fingerprints are not kept up. */
  reduce(body: Body): void {
    const all = this.all ?? this.orders(body).map((order) => this.imagesOf(order));
    let fixing = 0;
    for (let i = 0; i < all.length; i++) {
      this.apply(body, all[i]!);
      if (this.isCandidate(body)) fixing++;
      if (i > 0 && !isLess(this.candidate, this.best)) continue;
      const { best } = this;
      this.best = this.candidate;
      this.candidate = best;
    }
    for (let i = 0; i < body.length; i++) body.data[body.at + i] = this.best[i]!;
    if (this.all !== undefined) this.orbit = all.length / fixing;
  }

  private isCandidate(body: Body): boolean {
    for (let i = 0; i < body.length; i++) {
      if (body.data[body.at + i] !== this.candidate[i]) return false;
    }
    return true;
  }

  /** The permutations that sort the nodes by looks, one of each set that has the same image. */
  private orders(body: Body): readonly Permutation[] {
    const groups = new Map<number, number[]>();
    for (const node of this.alike) {
      const look = this.lookOf(body, node);
      const group = groups.get(look);
      if (group === undefined) groups.set(look, [node]);
      else group.push(node);
    }
    let orders: readonly (readonly number[])[] = [[]];
    for (const look of [...groups.keys()].toSorted((a, b) => a - b)) {
      const arrangements = arrangementsOf(this.twinsOf(body, groups.get(look)!));
      orders = orders.flatMap((order) =>
        arrangements.map((arrangement) => order.concat(arrangement)),
      );
    }
    return orders.map((order) => this.permutationOf(order));
  }

  /** `order`: which of the like nodes comes first, second, … */
  private permutationOf(order: readonly number[]): Permutation {
    const to = this.ids.map((_, i) => i);
    for (const [i, node] of order.entries()) to[node] = this.alike[i]!;
    return to;
  }

  /** Divides nodes into sets within which any two may change places and nothing changes. */
  private twinsOf(body: Body, nodes: readonly number[]): readonly (readonly number[])[] {
    const sets: number[][] = [];
    for (const node of nodes) {
      const home = sets.find(([first]) => this.areTwins(body, first!, node));
      if (home === undefined) sets.push([node]);
      else home.push(node);
    }
    return sets;
  }

  private areTwins(body: Body, a: number, b: number): boolean {
    const to = this.ids.map((_, i) => (i === a ? b : i === b ? a : i));
    this.apply(body, this.imagesOf(to));
    return this.isCandidate(body);
  }

  /**
   * What a node is like, and what all others and all messages have to do with it, as a hash. It
   * does no harm if two that look different share one: both are tried in every order then.
   */
  private lookOf({ data, at, length }: Body, node: number): number {
    const { layout } = this.space;
    let sum = lowLane(0, this.localLook(data[at + node]!, node));
    for (let i = layout.length; i < length; i++) {
      sum = (sum + lowLane(1, this.letterLook(data[at + i]!, node))) | 0;
    }
    for (let i = 0; i < layout.nodes; i++) {
      if (i !== node) sum = (sum + lowLane(2, this.localLook(data[at + i]!, node))) | 0;
    }
    return sum;
  }

  private localLook(local: number, node: number): number {
    const looks = (this.localLooks[local] ??= []);
    return (looks[node] ??= this.looks.intern(
      this.faceless(this.space.locals.states.at(local), node),
    ));
  }

  private letterLook(letter: number, node: number): number {
    const looks = (this.letterLooks[letter] ??= []);
    return (looks[node] ??= this.looks.intern(
      this.faceless(this.space.locals.letters.at(letter), node),
    ));
  }

  /** A value with one node named as itself and its like not told apart. */
  private faceless(value: object, node: number): unknown {
    const names = new Map(
      this.alike.map((i) => [this.ids[i]!, i === node ? SELF : ANYBODY] as const),
    );
    const indices = this.ids.map((_, i) => (i === node ? -1 : this.alike.includes(i) ? -2 : i));
    return { look: renamedLocal(value, { names, fields: this.fields, merge: true }, indices) };
  }

  private imagesOf(to: Permutation): Images {
    const key = to.join(" ");
    let images = this.images.get(key);
    if (images === undefined) {
      const names = new Map(to.map((target, i) => [this.ids[i]!, this.ids[target]!] as const));
      const renaming = { names, fields: this.fields, merge: false };
      images = { renaming, to, locals: [], letters: [], histories: [] };
      this.images.set(key, images);
    }
    return images;
  }

  /** Makes `candidate` the image of a state. */
  private apply({ data, at, length }: Body, images: Images): void {
    const { layout } = this.space;
    const { candidate } = this;
    candidate.length = length;
    for (let i = 0; i < layout.length; i++) candidate[i] = data[at + i]!;
    for (let i = 0; i < layout.nodes; i++) {
      candidate[images.to[i]!] = this.localImage(data[at + i]!, images);
    }
    const { history } = layout;
    candidate[history] = this.historyImage(data[at + history]!, images);
    for (let i = 0; i < layout.nodes; i++) {
      const place = layout.asked[i]!;
      if (place >= 0) candidate[layout.asked[images.to[i]!]!] = data[at + place]!;
    }
    for (let i = layout.length; i < length; i++) {
      candidate[i] = this.letterImage(data[at + i]!, images);
    }
    sortTail(candidate, layout.length);
  }

  private localImage(local: number, { renaming, to, locals }: Images): number {
    const known = locals[local];
    if (known !== undefined) return known;
    const image = renamedLocal(this.space.locals.states.at(local), renaming, to);
    return (locals[local] = this.space.locals.intern(image.node, image));
  }

  private letterImage(letter: number, { renaming, to, letters }: Images): number {
    return (letters[letter] ??= this.space.locals.letters.intern(
      renamedLocal(this.space.locals.letters.at(letter), renaming, to),
    ));
  }

  private historyImage(history: number, { renaming, histories }: Images): number {
    return (histories[history] ??= this.space.histories.intern(
      renamed(this.space.histories.at(history), renaming),
    ));
  }
}

function asksOf<V extends Vocabulary, P extends Process<V>, H>(
  model: Model<V, P, H>,
  id: NodeId,
): readonly unknown[] {
  return (model.asks ?? []).filter(({ node }) => node === id).map(({ request }) => request);
}

/** Renames what names nodes, and moves the indices that our own records hold beside. */
function renamedLocal<T extends object>(value: T, renaming: Renaming, to: readonly number[]): T {
  const moved: { [field: string]: unknown } = {};
  for (const [field, entry] of Object.entries(value)) {
    const isIndex = field === "node" || field === "from" || field === "to";
    moved[field] =
      isIndex && typeof entry === "number" ? to[entry] : renamed<unknown>(entry, renaming);
  }
  return moved as T; // Field by field the same shape.
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}

/** Sorts by insertion: messages on their way are few. */
function sortTail(numbers: number[], from: number): void {
  for (let i = from + 1; i < numbers.length; i++) {
    const number = numbers[i]!;
    let place = i;
    while (place > from && numbers[place - 1]! > number) {
      numbers[place] = numbers[place - 1]!;
      place--;
    }
    numbers[place] = number;
  }
}

/** Every order of nodes, where those of one set are not told apart. */
function arrangementsOf(sets: readonly (readonly number[])[]): readonly (readonly number[])[] {
  if (sets.every((set) => set.length === 0)) return [[]];
  return sets.flatMap((set, i) => {
    const [first, ...others] = set;
    if (first === undefined) return [];
    const left = sets.map((other, j) => (i === j ? others : other));
    return arrangementsOf(left).map((rest) => [first].concat(rest));
  });
}
