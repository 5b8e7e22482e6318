/**
 * The members of a cluster as one of its nodes knows them now, and how they are
 * changed: in every group that the node hosts, one after the other, so that a
 * node takes part in all of them or, if something comes between, can be added
 * to the rest by asking again.
 *
 * The protocols keep a change safe; what they do not know is whether it is
 * wise. So a voter is removed only if enough of the others answer to go on
 * deciding, and a leader hands over before it goes.
 */

import type { ChangeProblem, MembershipChange } from "@quorate/consensus";
import type { MemberProblem } from "@quorate/etcd";
import { type Group, HostError, type Member as Part, parseAddress } from "@quorate/host";

import { type AskOptions, askStatus } from "../cluster/ask.ts";
import { isBlock, type Member } from "../cluster/members.ts";
import { hostPort, HTTP_OFFSET, PEER_OFFSET } from "../cluster/ports.ts";
import { pause } from "../terminal/pause.ts";

/** Why the members stayed as they are. */
export interface Refusal {
  readonly problem: MemberProblem;
  readonly reason: string;
}

type AnyGroup = Pick<Group<unknown>, "name" | "status" | "members" | "reconfigure" | "transfer">;

export interface ClusterMembersOptions {
  readonly self: string;
  readonly groups: () => readonly AnyGroup[];
  /** Where the members are that the log has no address of, and who they are before it says so. */
  readonly told: readonly Member[];
  readonly ask: AskOptions;
}

/** How long what passes by itself (an election, a change before this one) is waited for. */
const PATIENCE_MS = 3000;
const RETRY_MS = 100;
const TRANSFER_MS = 2000;

/** Pass by themselves. */
const PASSING: ReadonlySet<ChangeProblem> = new Set(["pending", "notReady", "outdated"]);
/** What a group says of a change that was made there before. */
const MADE: ReadonlySet<MemberProblem> = new Set(["alreadyMember", "unknownMember", "wrongRole"]);

export class ClusterMembers {
  private readonly options: ClusterMembersOptions;

  constructor(options: ClusterMembersOptions) {
    this.options = options;
  }

  /** Who takes part and where each is reached, by name. */
  list(): readonly Member[] {
    const { groups, told } = this.options;
    const parts = groups().flatMap(({ members }) => members);
    // A node whose groups have yet to hear of the cluster, or that has none, knows what it was told.
    if (parts.length === 0) return told;
    const known = new Map<string, Member>();
    for (const { node: name, address } of parts) {
      const member = memberAt(name, address) ?? told.find((each) => each.name === name);
      if (member !== undefined) known.set(name, member);
    }
    return [...known.values()].toSorted((a, b) => byName.compare(a.name, b.name));
  }

  /** What the log has of a member: its part and its address, as some group has them. */
  part(name: string): Part | undefined {
    const { groups } = this.options;
    return groups()
      .flatMap(({ members }) => members)
      .find(({ node }) => node === name);
  }

  /**
   * Makes `changes`, which concern one member, in every group at once or not at all.
   * @returns why not; undefined if they were made.
   * @throws HostError if that is not known, or the cluster does not work.
   */
  async change(changes: readonly MembershipChange[]): Promise<Refusal | undefined> {
    let made = false;
    let first: Refusal | undefined;
    for (const group of this.options.groups()) {
      const refusal = await this.changeIn(group, changes);
      if (refusal === undefined) made = true;
      else if (MADE.has(refusal.problem)) first ??= refusal;
      else return refusal;
    }
    return made ? undefined : first;
  }

  private async changeIn(
    group: AnyGroup,
    changes: readonly MembershipChange[],
  ): Promise<Refusal | undefined> {
    const deadline = performance.now() + PATIENCE_MS;
    let isDoubtful = false;
    for (;;) {
      try {
        const danger = await this.prepare(group, changes);
        if (danger !== undefined) return danger;
        await group.reconfigure(changes);
        return undefined;
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        const { data } = error;
        const late = performance.now() > deadline;
        if (data.code === "changeRefused") {
          // What an earlier attempt may have done, it has.
          if (isDoubtful && MADE.has(data.problem)) return undefined;
          if (late || !PASSING.has(data.problem)) {
            return { problem: data.problem, reason: error.message };
          }
        } else if (data.code === "rejected" && !late) isDoubtful ||= !data.definite;
        else throw error;
      }
      await pause(RETRY_MS);
    }
  }

  /** Looks whether a voter can go, and has it hand over if it leads. */
  private async prepare(
    group: AnyGroup,
    changes: readonly MembershipChange[],
  ): Promise<Refusal | undefined> {
    const leaving = changes.find(({ type }) => type === "remove");
    const { voters, leader } = group.status();
    if (leaving?.type !== "remove" || !voters.includes(leaving.node)) return undefined;
    const { node } = leaving;
    const left = voters.filter((name) => name !== node);
    if (left.length === 0) {
      const reason = `${node} is the last voter of ${group.name}: nobody would be left to decide`;
      return { problem: "noVoters", reason };
    }
    const danger = await this.dangerOf(group, node, left);
    if (danger !== undefined) return danger;
    // Best effort: a leader that is removed all the same hands over at its end.
    if (leader === node) await group.transfer(undefined, TRANSFER_MS).catch(() => undefined);
    return undefined;
  }

  /** Whether too few of `left` answer to decide anything. */
  private async dangerOf(
    group: AnyGroup,
    node: string,
    left: readonly string[],
  ): Promise<Refusal | undefined> {
    const answers = await Promise.all(left.map((name) => this.works(group, name)));
    const silent = left.filter((_, at) => answers[at] !== true);
    const needed = Math.floor(left.length / 2) + 1;
    if (left.length - silent.length >= needed) return undefined;
    const reason =
      `without ${node} only ${left.length - silent.length} of the ${left.length} voters of ${group.name} ` +
      `would be at work, and it takes ${needed}: bring ${silent.join(", ")} back, or remove that first`;
    return { problem: "quorum", reason };
  }

  /** Whether a voter answers and follows a leader of the group. */
  private async works(group: AnyGroup, name: string): Promise<boolean> {
    const { self, ask } = this.options;
    if (name === self) return group.status().leader !== undefined;
    const member = this.list().find((each) => each.name === name);
    if (member === undefined) return false;
    const asked = await askStatus(hostPort(member.host, member.portBase + HTTP_OFFSET), ask);
    if (asked.type === "silent" || asked.report.name !== name) return false;
    const seen = asked.report.groups.find((each) => each.name === group.name);
    return asked.report.healthy && seen?.leader !== null && seen !== undefined;
  }
}

/** A member whose address in the log is `HOST:PEERPORT`; undefined if that leaves no room for its ports. */
export function memberAt(name: string, address: string): Member | undefined {
  const peer = parseAddress(address);
  if (peer === undefined) return undefined;
  const portBase = peer.port - PEER_OFFSET;
  return isBlock(portBase) ? { name, host: peer.host, portBase } : undefined;
}

const byName = new Intl.Collator("en", { numeric: true });
