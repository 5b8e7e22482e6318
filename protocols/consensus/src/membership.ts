/**
 * Changes of membership, the same for every engine: what may be asked, what the
 * configuration becomes, and why a change is refused. Pure functions; engines
 * decide how to get from one configuration to the next (Raft §6 and thesis §4
 * jointly or at once, Paxos by a stop-sign or after α slots, Zab by its own reconfiguration).
 */

import { type NodeId, unreachable } from "@quorate/kernel";

import type { Configuration, Traits } from "./entry.ts";
import { members } from "./quorum.ts";

/** One step of a change. A request lists several, to be made at once or not at all. */
export type MembershipChange =
  /**
   * A new node receives the log. `learner`: and no more. `voter`: and votes once
   * it has caught up, of which the log tells later by a `configuration` output.
   */
  | ({ readonly type: "add"; readonly node: NodeId; readonly as: "learner" | "voter" } & About)
  /** A learner votes from now on. Refused while it lags. */
  | { readonly type: "promote"; readonly node: NodeId }
  /** A voter receives the log from now on, and no more. */
  | { readonly type: "demote"; readonly node: NodeId }
  /** A member leaves for ever. The leader itself may. */
  | { readonly type: "remove"; readonly node: NodeId }
  /** These vote, and nobody else: learners among them are promoted, other voters leave. */
  | { readonly type: "replace"; readonly voters: readonly NodeId[] }
  /** A member is reached elsewhere, or should lead more or less readily. */
  | ({ readonly type: "describe"; readonly node: NodeId } & About);

/** What is left out stays as it is, or is what most members have. */
interface About {
  readonly address?: string | undefined;
  readonly priority?: number | undefined;
}

/** Why a change of membership, or a move to another engine, was not even begun. It certainly had no effect. */
export interface ChangeRefused {
  readonly type: "changeRefused";
  readonly problem: ChangeProblem;
  /** Whom the problem is about, if about one. */
  readonly node: NodeId | undefined;
}

export type ChangeProblem =
  /** Not a member. */
  | "unknownMember"
  /** Is what the change would make of it. */
  | "alreadyMember"
  /** Was a member before. Names are used once: give the node a new one. */
  | "usedName"
  /** Only learners are promoted, only voters demoted. */
  | "wrongRole"
  /** Nobody would be left to vote. */
  | "noVoters"
  /** Lags too far to vote without slowing everyone down. Ask again later. */
  | "lagging"
  /** The configuration is not, or no longer, the one that the change is based on. */
  | "outdated"
  /** Another change is not over yet. Ask again later. */
  | "pending"
  /** The leader has just been elected (Raft: R27). Ask again later. */
  | "notReady"
  /** A move to an engine that the leader does not know. */
  | "unknownEngine"
  /** A move to the engine that the log is on. */
  | "sameEngine";

const DEFAULT_PRIORITY = 1;

/** A configuration as people write it: voters, and what is unusual. */
export type Founding = Pick<Configuration, "voters"> & Partial<Configuration>;

/** The configuration of a new cluster. */
export function founded(founding: Founding): Configuration {
  return frozen({
    outgoing: [],
    learners: [],
    promotable: [],
    removed: [],
    traits: [],
    ...founding,
  });
}

/** What the log was told of a member, or of one that it was told nothing of. */
export function traitsOf({ traits }: Configuration, node: NodeId): Traits {
  return (
    traits.find((one) => one.node === node) ?? { node, address: "", priority: DEFAULT_PRIORITY }
  );
}

/**
 * What `configuration` becomes by `changes`, one after the other; not joint,
 * whatever the way there may be.
 *
 * @param isCaughtUp - Whether a learner holds so much of the log that it may vote.
 */
export function changed(
  configuration: Configuration,
  changes: readonly MembershipChange[],
  isCaughtUp: (node: NodeId) => boolean,
): Configuration | ChangeRefused {
  let next: Configuration = { ...configuration, outgoing: [] };
  for (const change of changes) {
    const result = changedOnce(next, change, isCaughtUp);
    if ("problem" in result) return result;
    next = result;
  }
  if (next.voters.length === 0) return refused("noVoters");
  if (changes.length === 0 || same(next, configuration)) return refused("alreadyMember");
  return frozen(next);
}

function changedOnce(
  now: Configuration,
  change: MembershipChange,
  isCaughtUp: (node: NodeId) => boolean,
): Configuration | ChangeRefused {
  if (change.type === "replace") return replaced(now, change.voters, isCaughtUp);
  const { node } = change;
  const isVoter = now.voters.includes(node);
  const isMember = members(now).includes(node);
  if (change.type === "add") {
    if (isMember) return refused("alreadyMember", node);
    if (now.removed.includes(node)) return refused("usedName", node);
    const promotable = change.as === "voter" ? [...now.promotable, node] : now.promotable;
    return described({ ...now, learners: [...now.learners, node], promotable }, change);
  }
  if (!isMember) return refused("unknownMember", node);
  switch (change.type) {
    case "promote":
      if (isVoter) return refused("wrongRole", node);
      if (!isCaughtUp(node)) return refused("lagging", node);
      return { ...without(now, node), voters: [...now.voters, node] };
    case "demote":
      if (!isVoter) return refused("wrongRole", node);
      return { ...without(now, node), learners: [...now.learners, node] };
    case "remove":
      return {
        ...without(now, node),
        removed: [...now.removed, node],
        traits: now.traits.filter((one) => one.node !== node),
      };
    case "describe":
      return described(now, change);
    default:
      return unreachable(change);
  }
}

function replaced(
  now: Configuration,
  voters: readonly NodeId[],
  isCaughtUp: (node: NodeId) => boolean,
): Configuration | ChangeRefused {
  let next: Configuration | ChangeRefused = now;
  for (const node of voters) {
    if (now.voters.includes(node)) continue;
    next = changedOnce(next, { type: "promote", node }, isCaughtUp);
    if ("problem" in next) return next;
  }
  for (const node of now.voters) {
    if (voters.includes(node)) continue;
    next = changedOnce(next, { type: "remove", node }, isCaughtUp);
    if ("problem" in next) return next;
  }
  return next;
}

/** What a learner that has caught up becomes by itself, if it was added as a voter to be. */
export function promoted(configuration: Configuration, node: NodeId): Configuration {
  return frozen({
    ...without(configuration, node),
    voters: [...configuration.voters, node],
  });
}

/**
 * Whether going from `before` to `after` at once keeps any majority of the one
 * and any of the other in touch: at most one voter comes or goes (thesis §4.1).
 */
export function isSingleStep(before: Configuration, after: Configuration): boolean {
  const come = after.voters.filter((node) => !before.voters.includes(node));
  const gone = before.voters.filter((node) => !after.voters.includes(node));
  return come.length + gone.length <= 1;
}

/** The configuration under which both `before` and `after` must agree (Raft §6). */
export function joint(before: Configuration, after: Configuration): Configuration {
  return frozen({ ...after, outgoing: before.voters });
}

/** The end of a joint change: only the new voters count. */
export function settled(configuration: Configuration): Configuration {
  return frozen({ ...configuration, outgoing: [] });
}

function described(
  now: Configuration,
  { node, address, priority }: { readonly node: NodeId } & About,
): Configuration {
  const before = traitsOf(now, node);
  const after = {
    node,
    address: address ?? before.address,
    priority: priority ?? before.priority,
  };
  const others = now.traits.filter((one) => one.node !== node);
  const usual = after.address === "" && after.priority === DEFAULT_PRIORITY;
  return { ...now, traits: usual ? others : [...others, after] };
}

/** `node` has no part in decisions, nor is it to have one. */
function without(configuration: Configuration, node: NodeId): Configuration {
  const rest = (nodes: readonly NodeId[]) => nodes.filter((one) => one !== node);
  const { voters, learners, promotable } = configuration;
  return {
    ...configuration,
    voters: rest(voters),
    learners: rest(learners),
    promotable: rest(promotable),
  };
}

function refused(problem: ChangeProblem, node?: NodeId): ChangeRefused {
  return { type: "changeRefused", problem, node };
}

function same(a: Configuration, b: Configuration): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(configuration: Configuration): Configuration {
  const { voters, outgoing, learners, promotable, removed, traits } = configuration;
  return {
    voters: voters.toSorted(),
    outgoing: outgoing.toSorted(),
    learners: learners.toSorted(),
    promotable: promotable.toSorted(),
    removed: removed.toSorted(),
    traits: traits.toSorted((a, b) => (a.node < b.node ? -1 : 1)),
  };
}

/** Sorted, so that every node writes it alike, and frozen, so that copies share it. */
function frozen(configuration: Configuration): Configuration {
  const result = sorted(configuration);
  for (const list of Object.values(result)) Object.freeze(list);
  for (const one of result.traits) Object.freeze(one);
  return Object.freeze(result);
}
