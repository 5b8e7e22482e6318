/** What cases are written with: a world, and sentences about what was seen in it. */

import type { NodeId, Process, RequestId } from "../process.ts";
import { type Case, ConformanceViolation, type Driver, type World } from "./driver.ts";
import { Nested } from "./nested.ts";
import {
  type Act,
  type Line,
  output,
  outputEagerly,
  reply,
  type ScriptWords,
  send,
  setTimer,
  type Sight,
  type Sighting,
} from "./script.ts";
import { Scripted } from "./scripted.ts";

/** A case before it is decided who plays it. */
export interface Scene {
  readonly duty: string;
  readonly title: string;
  readonly needs?: Case["needs"];
  /** Which processes play it; both if it does not say. */
  readonly cast?: "plain" | "nested";
  /** What a node runs, where it is not a scripted process. */
  readonly guest?: { readonly node: NodeId; readonly create: () => Process<ScriptWords> };
  play(stage: Stage): Promise<void>;
}

type SightOf<T extends Sight["type"]> = Extract<Sight, { type: T }> &
  Pick<Sighting, "step" | "now">;

const NODES: readonly NodeId[] = ["a", "b"];
/** Long enough for what must not happen to happen, if a driver does it at all. */
const WHILE_MS = 60;
/** Between attempts to get a message through. */
const AGAIN_MS = 15;
const ATTEMPTS = 200;

/** The plain case of a scene, and the one in which every node is a whole around a part. */
export function casesOf(scene: Scene): readonly Case[] {
  const { duty, title, needs = "nothing", cast } = scene;
  const plain = { duty, title, needs, run: (driver: Driver) => enact(scene, driver, false) };
  const embedded = `${title} (embedded)`;
  const nested = { ...plain, title: embedded, run: (d: Driver) => enact(scene, d, true) };
  if (cast === "plain") return [plain];
  return cast === "nested" ? [{ ...nested, title }] : [plain, nested];
}

async function enact(scene: Scene, driver: Driver, nested: boolean): Promise<void> {
  const parts = new Map<NodeId, Scripted>();
  const create = (node: NodeId): Process<ScriptWords> => {
    if (scene.guest?.node === node) return scene.guest.create();
    const whole = nested ? new Nested() : new Scripted();
    parts.set(node, whole instanceof Nested ? whole.part : whole);
    return whole;
  };
  const world = await driver.open(NODES, create);
  try {
    const stage = new Stage(scene.duty, world, parts, nested);
    await scene.play(stage);
    const overlaps = NODES.flatMap((node) => stage.sights(node, "overlapped"));
    stage.check(overlaps.length === 0, "K1: one step ends before the next begins");
  } finally {
    await world.close();
  }
}

export class Stage {
  readonly world: World;
  /** Whether the nodes are wholes around parts. */
  readonly nested: boolean;
  private readonly duty: string;
  private readonly parts: ReadonlyMap<NodeId, Scripted>;
  private tokens = 0;

  constructor(duty: string, world: World, parts: ReadonlyMap<NodeId, Scripted>, nested: boolean) {
    this.duty = duty;
    this.world = world;
    this.parts = parts;
    this.nested = nested;
  }

  /** Has a node perform `acts` in one step. */
  ask(node: NodeId, ...acts: readonly Act[]): RequestId {
    return this.world.request(node, acts);
  }

  /** The scripted process of a node in its present life. */
  part(node: NodeId): Scripted {
    return this.parts.get(node)!;
  }

  /** Lets the world go on until `holds`, which must come. */
  async until(claim: string, holds: () => boolean): Promise<void> {
    if (!(await this.world.until(holds))) this.fail(`it never happened that ${claim}`);
  }

  check(condition: boolean, claim: string): void {
    if (!condition) this.fail(`it does not hold that ${claim}`);
  }

  private fail(why: string): never {
    const tail = (node: NodeId) =>
      this.world
        .seen(node)
        .filter((seen) => seen.type !== "note" || seen.note.type !== "idle")
        .slice(-12)
        .map((seen) => `\n  ${node}: ${JSON.stringify(seen).slice(0, 200)}`)
        .join("");
    throw new ConformanceViolation(`${this.duty}: ${why}${tail("a")}${tail("b")}`);
  }

  // What was seen.

  outputs(node: NodeId): readonly string[] {
    return this.world.seen(node).flatMap((s) => (s.type === "output" ? [s.output.text] : []));
  }

  /** Texts of answers, in the order in which they came. */
  replies(node: NodeId): readonly string[] {
    return this.world.seen(node).flatMap((s) => (s.type === "reply" ? [s.response.text] : []));
  }

  repliesTo(node: NodeId, request: RequestId): readonly string[] {
    return this.world
      .seen(node)
      .flatMap((s) => (s.type === "reply" && s.request === request ? [s.response.text] : []));
  }

  /** Texts of messages that arrived. */
  letters(node: NodeId): readonly string[] {
    return this.sights(node, "message").map(({ text }) => text);
  }

  /** Reports of one kind, in all lives. */
  sights<T extends Sight["type"]>(node: NodeId, type: T): readonly SightOf<T>[] {
    return this.notes(node).filter((note): note is SightOf<T> => note.type === type);
  }

  /** Reports of one kind in the present life. */
  lately<T extends Sight["type"]>(node: NodeId, type: T): readonly SightOf<T>[] {
    return this.life(node).filter((note): note is SightOf<T> => note.type === type);
  }

  /** All reports of the present life, beginning with `started`. */
  life(node: NodeId): readonly Sighting[] {
    const notes = this.notes(node);
    return notes.slice(notes.findLastIndex(({ type }) => type === "started"));
  }

  notes(node: NodeId): readonly Sighting[] {
    return this.world.seen(node).flatMap((s) => (s.type === "note" ? [s.note] : []));
  }

  timersFired(node: NodeId, name: string): readonly SightOf<"timer">[] {
    return this.sights(node, "timer").filter((timer) => timer.name === name);
  }

  /** Up to where the present life has heard that its records are durable. */
  durable(node: NodeId): number {
    return this.lately(node, "durable").at(-1)?.position ?? 0;
  }

  /** The texts of all records persisted in the present life. */
  persisted(node: NodeId): readonly SightOf<"persisted">[] {
    return this.lately(node, "persisted");
  }

  /** The texts that the present life recovered, after checking their form. */
  recovered(node: NodeId): readonly string[] {
    const { lines } = this.lately(node, "started")[0]!;
    this.check(isImageThenLines(lines), "a checkpoint is recovered first, whole, and once");
    return lines.flatMap((line) => (line.type === "line" ? [line.text] : textsOf(line)));
  }

  // What is done often.

  token(what: string): string {
    return `${what}#${++this.tokens}`;
  }

  /** Waits until everything that a node has persisted is durable and reported so. */
  async settle(node: NodeId): Promise<void> {
    const token = this.token("settled");
    this.ask(node, output(token));
    await this.until("held effects leave in the end", () => this.outputs(node).includes(token));
    const last = this.persisted(node).at(-1)?.position ?? 0;
    await this.until("every record is reported durable", () => this.durable(node) >= last);
  }

  /** Lets a node go on for a while, in which what must not happen could. */
  async while(node: NodeId): Promise<void> {
    const token = this.token("while");
    this.ask(node, setTimer(token, WHILE_MS, [outputEagerly(token)]));
    await this.until("a timer fires", () => this.outputs(node).includes(token));
  }

  /** Sends from one node to another until something gets through. */
  async connect(from: NodeId, to: NodeId): Promise<void> {
    const token = this.token("hello");
    this.ask(from, setTimer(token, AGAIN_MS, [send(to, token)], ATTEMPTS));
    await this.until("a message gets through", () => this.letters(to).includes(token));
    this.ask(from, { type: "cancelTimer", name: token });
  }

  /** Waits until a node has answered, which it does in the order asked. */
  async answered(node: NodeId): Promise<void> {
    const token = this.token("answered");
    this.ask(node, reply(token));
    await this.until("a request is answered", () => this.replies(node).includes(token));
  }

  async restart(node: NodeId): Promise<void> {
    await this.world.crash(node);
    await this.world.start(node);
  }
}

function textsOf(line: Line): readonly string[] {
  return line.type === "image" ? line.texts : [];
}

function isImageThenLines(lines: readonly Line[]): boolean {
  const images = lines.findLastIndex(({ type }) => type === "image") + 1;
  return lines.every((line, i) => {
    if (line.type === "image") return i < images && line.first === (i === 0);
    return line.type === "line" && i >= images;
  });
}

/** Whether `part` is the beginning of `whole`. */
export function isPrefix(part: readonly string[], whole: readonly string[]): boolean {
  return part.length <= whole.length && part.every((text, i) => text === whole[i]);
}

/** Whether the texts of `order` occur in `texts` in that order, each exactly once. */
export function inOrderOnce(order: readonly string[], texts: readonly string[]): boolean {
  const found = texts.filter((text) => order.includes(text));
  return found.length === order.length && found.every((text, i) => text === order[i]);
}
