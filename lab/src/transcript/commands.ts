/**
 * The commands of a script, one to a line:
 *
 * ```text
 * cluster a b c [name=value …]   found a cluster and start its nodes
 * start|crash|restart|wipe a     a node's life; a wiped disk is empty
 * fire a TIMER                   fire an armed timer, moving a's clock on to when it is due
 * advance a|* MS                 move a clock on, firing nothing
 * ask a WORDS                    a local request
 * deliver|drop|duplicate WHICH   messages under way
 * delay WHICH                    set them aside, for `deliver late WHICH`
 * settle [a b]                   deliver until nothing is under way (among these nodes)
 * cut a b / heal                 lose what is sent between two nodes from now on
 * hold a / release a             hold disk writes back; let them all through
 * sync a [N]                     complete the (first N) writes that are held back
 * busy a / idle a                gather inputs into one turn; end it
 * checkpoints a lost|kept        whether a's checkpoints are ever completed
 * choose a N…                    what a's dice show next
 * unreachable a b                tell a that b seems gone
 * show [a] / pending             a node's state; what is under way
 * ```
 *
 * WHICH is `all`, or `FROM>TO` (names, comma-separated, `*` for any), then
 * maybe a kind of message, then maybe a number (the n-th that matches) or
 * `last`. Before a command, `quietly` leaves out its trace, and `fatally`
 * says that it must stop a node.
 */

import { invariant, type NodeId, type Process, type Vocabulary } from "@quorate/kernel";

import type { Pending, World } from "./world.ts";

type Words = readonly string[];

/** Does what one line says. @throws Error for a line that makes no sense here. */
export function perform<V extends Vocabulary, P extends Process<V>>(
  world: World<V, P>,
  line: string,
): void {
  const words = line.trim().split(/\s+/);
  const [verb, ...rest] = words;
  invariant(verb !== undefined, "a line has a word");
  const [id = ""] = rest;
  switch (verb) {
    case "cluster":
      return found(world, rest);
    case "start":
      return world.start(id);
    case "crash":
      return world.crash(id);
    case "restart":
      if (world.node(id).process !== undefined) world.crash(id);
      return world.start(id);
    case "wipe":
      return world.wipe(id);
    case "fire":
      return world.fire(id, rest[1] ?? "");
    case "ask":
      return world.ask(id, rest.slice(1));
    case "unreachable":
      return world.unreachable(id, rest[1] ?? "");
    case "sync":
      return world.sync(id, rest[1] === undefined ? Infinity : number(rest[1]));
    case "idle":
      return world.idle(id);
    case "deliver":
      for (const pending of select(world, rest)) world.deliver(pending);
      return;
    case "drop":
      for (const pending of select(world, rest)) world.drop(pending);
      return;
    case "delay":
      for (const pending of select(world, rest)) world.delay(pending);
      return;
    case "duplicate":
      for (const pending of select(world, rest)) world.duplicate(pending);
      return;
    case "settle":
      return world.settle(rest.length > 0 ? rest : [...world.nodes.keys()]);
    default:
      arrange(world, verb, rest);
  }
}

/** Commands that change the world around the nodes, or only look at it. */
function arrange<V extends Vocabulary, P extends Process<V>>(
  world: World<V, P>,
  verb: string,
  rest: Words,
): void {
  const [id = "", second = ""] = rest;
  switch (verb) {
    case "advance":
      for (const node of id === "*" ? world.nodes.values() : [world.node(id)]) {
        node.now += number(second);
      }
      return;
    case "cut":
      world.sever(id, second);
      return world.sever(second, id);
    case "heal":
      return world.heal();
    case "hold":
      world.node(id).holding = true;
      return;
    case "release": {
      const node = world.node(id);
      node.holding = false;
      if (node.unsynced > 0) world.sync(id, Infinity);
      return;
    }
    case "busy":
      world.node(id).busy = true;
      return;
    case "checkpoints":
      world.node(id).losing = second === "lost";
      return;
    case "choose":
      world.node(id).choices.push(...rest.slice(1).map(number));
      return;
    case "show":
      return show(world, id === "" ? [...world.nodes.keys()] : rest);
    case "pending":
      for (const pending of world.pending) world.trace.heading(world.describe(pending));
      return;
    default:
      throw new Error(`there is no command ${verb}`);
  }
}

function found<V extends Vocabulary, P extends Process<V>>(world: World<V, P>, words: Words): void {
  const settings = new Map<string, string>();
  const ids: NodeId[] = [];
  for (const word of words) {
    const [name = "", value] = word.split("=");
    if (value === undefined) ids.push(name);
    else settings.set(name, value);
  }
  world.found(ids, settings);
}

function show<V extends Vocabulary, P extends Process<V>>(
  world: World<V, P>,
  ids: readonly NodeId[],
): void {
  for (const id of ids) {
    const { process, armed } = world.node(id);
    if (process === undefined) {
      world.trace.heading(`${id}: down`);
      continue;
    }
    const timers = armed.length === 0 ? "nothing" : armed.join(" ");
    world.trace.heading(`${id}: ${world.language.state(process)}; waits for ${timers}`);
  }
}

/** The messages that WHICH means. There must be one, lest a script rot unseen. */
function select<V extends Vocabulary, P extends Process<V>>(
  world: World<V, P>,
  words: Words,
): readonly Pending<V>[] {
  const late = words[0] === "late";
  const [which = "all", ...rest] = late ? words.slice(1) : words;
  const [senders = "", receivers = ""] = which === "all" ? ["*", "*"] : which.split(">");
  const ordinal = rest.find((word) => /^(\d+|last)$/.test(word));
  const kind = rest.find((word) => word !== ordinal && word !== "all");
  const is = (names: string, id: NodeId) => names === "*" || names.split(",").includes(id);
  const matching = world.pending.filter(
    ({ from, to, message, late: isLate }) =>
      isLate === late &&
      is(senders, from) &&
      is(receivers, to) &&
      (kind === undefined || world.language.kind(message) === kind),
  );
  const chosen =
    ordinal === undefined
      ? matching
      : matching.slice(ordinal === "last" ? -1 : number(ordinal) - 1).slice(0, 1);
  if (chosen.length === 0) throw new Error(`no message is ${words.join(" ")}`);
  return chosen;
}

function number(word: string): number {
  const value = Number(word);
  if (!Number.isSafeInteger(value)) throw new Error(`${word} is not a number`);
  return value;
}
