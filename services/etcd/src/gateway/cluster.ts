/**
 * The Cluster service: who the members are, and changing them, in etcd's words.
 *
 * Where it must differ: a member that is added to vote begins as a learner and
 * votes by itself once it has caught up, so it never weakens the cluster; it is
 * shown as no learner, since nobody has to promote it. And a member has one peer
 * URL, since a node listens for the others in one place.
 */

import { type ServerCall, Status, type StatusCode } from "@quorate/grpc";
import { HostError, vacancy } from "@quorate/host";
import { type ChangeProblem, type MembershipChange } from "@quorate/consensus";

import {
  memberAddRequest,
  memberAddResponse,
  memberListRequest,
  memberListResponse,
  memberPromoteRequest,
  memberRemoveRequest,
  memberUpdateRequest,
} from "../wire/cluster-messages.ts";
import { type EtcdStore } from "../store/store.ts";
import { type Executor } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate } from "./leader-gate.ts";
import { type KnownMember, type MemberUrls, newId, type Roster } from "./members.ts";

/** Why the members stayed as they are; `quorum`: too few would be left to decide. */
export type MemberProblem = ChangeProblem | "quorum";

/**
 * Changes the members of the cluster; resolves to why they were not.
 * @throws HostError if it is not known whether they were.
 */
export type ChangeMembers = (change: MembershipChange) => Promise<MemberProblem | undefined>;

export interface ClusterServiceOptions {
  readonly roster: Roster;
  readonly change: ChangeMembers;
  readonly urlsAt: (address: string) => MemberUrls | undefined;
  readonly token: string;
  readonly store: EtcdStore;
  readonly executor: Executor;
  readonly headers: Headers;
}

type Refusal = readonly [StatusCode, string];

const REFUSALS: { readonly [P in MemberProblem]: Refusal } = {
  unknownMember: [Status.notFound, "etcdserver: member not found"],
  alreadyMember: [Status.failedPrecondition, "etcdserver: member ID already exist"],
  usedName: [Status.failedPrecondition, "etcdserver: member ID already exist"],
  wrongRole: [Status.failedPrecondition, "etcdserver: can only promote a learner member"],
  noVoters: [
    Status.failedPrecondition,
    "etcdserver: re-configuration failed due to not enough started members",
  ],
  lagging: [
    Status.failedPrecondition,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ],
  // etcd queues changes; here a second one is refused, to no effect, and may be tried again.
  outdated: [Status.unavailable, "etcdserver: unhealthy cluster"],
  pending: [Status.unavailable, "etcdserver: unhealthy cluster"],
  notReady: [Status.unavailable, "etcdserver: unhealthy cluster"],
  // Of moves between engines, which nobody asks for through etcd's interface.
  unknownEngine: [Status.unavailable, "etcdserver: unhealthy cluster"],
  sameEngine: [Status.unavailable, "etcdserver: unhealthy cluster"],
  quorum: [Status.unavailable, "etcdserver: unhealthy cluster"],
};
const BAD_URLS: Refusal = [Status.invalidArgument, "etcdserver: given member URLs are invalid"];
const URLS_TAKEN: Refusal = [Status.failedPrecondition, "etcdserver: Peer URLs already exists"];
/** The outcome is unknown. */
const TIMED_OUT = "etcdserver: request timed out";

export class ClusterService {
  private readonly options: ClusterServiceOptions;

  constructor(options: ClusterServiceOptions) {
    this.options = options;
  }

  register(gate: LeaderGate): void {
    const path = (method: string): string => `/etcdserverpb.Cluster/${method}`;
    gate.unary(path("MemberList"), (call, message) => this.list(call, message));
    gate.unary(path("MemberAdd"), (call, message) => this.add(call, message));
    gate.unary(path("MemberRemove"), (call, message) => this.remove(call, message));
    gate.unary(path("MemberUpdate"), (call, message) => this.update(call, message));
    gate.unary(path("MemberPromote"), (call, message) => this.promote(call, message));
  }

  private list(call: ServerCall, message: Buffer): void {
    const { linearizable } = memberListRequest.decode(message);
    const answer = (): void => this.respond(call, this.options.roster.members);
    if (linearizable) this.options.executor.whenReadable(call, answer);
    else answer();
  }

  private add(call: ServerCall, message: Buffer): void {
    const { peerUrls, isLearner } = memberAddRequest.decode(message);
    const { roster, token, store, headers } = this.options;
    const address = this.addressIn(call, peerUrls, undefined);
    if (address === undefined) return;
    const id = newId(peerUrls, token, Date.now());
    const node = vacancy(id);
    const as = isLearner ? "learner" : "voter";
    const change = {
      type: "add",
      node,
      as,
      address: roster.addressOf({ node, id }, address),
    } as const;
    this.change(call, change, () => {
      const member = { id, name: "", peerUrls, clientUrls: [], isLearner };
      const others = roster.members.filter((each) => each.id !== id);
      const members = [...others, member];
      const header = headers.at(store.revision);
      call.respond(memberAddResponse.toBytes({ header, member, members }));
    });
  }

  private remove(call: ServerCall, message: Buffer): void {
    const member = this.find(call, memberRemoveRequest.decode(message).id);
    if (member === undefined) return;
    this.change(call, { type: "remove", node: member.node }, () => {
      this.respond(
        call,
        this.options.roster.members.filter(({ id }) => id !== member.id),
      );
    });
  }

  private promote(call: ServerCall, message: Buffer): void {
    const member = this.find(call, memberPromoteRequest.decode(message).id);
    if (member === undefined) return;
    if (!member.isLearner) return refuse(call, REFUSALS.wrongRole);
    this.change(call, { type: "promote", node: member.node }, () => {
      this.respond(call, this.with({ ...member, isLearner: false }));
    });
  }

  private update(call: ServerCall, message: Buffer): void {
    const { id, peerUrls } = memberUpdateRequest.decode(message);
    const member = this.find(call, id);
    if (member === undefined) return;
    const address = this.addressIn(call, peerUrls, member);
    if (address === undefined) return;
    const described = this.options.roster.addressOf(member, address);
    this.change(call, { type: "describe", node: member.node, address: described }, () => {
      this.respond(call, this.with({ ...member, peerUrls }));
    });
  }

  private find(call: ServerCall, id: string): KnownMember | undefined {
    const member = this.options.roster.members.find((each) => each.id === id);
    if (member === undefined) refuse(call, REFUSALS.unknownMember);
    return member;
  }

  /** The members as they are after a change of one, of which this node may not know yet. */
  private with(member: KnownMember): readonly KnownMember[] {
    return this.options.roster.members.map((each) => (each.id === member.id ? member : each));
  }

  /** `HOST:PORT` of the one peer URL; refuses the call if there is none, or it is another's. */
  private addressIn(
    call: ServerCall,
    peerUrls: readonly string[],
    self: KnownMember | undefined,
  ): string | undefined {
    const { roster, urlsAt } = this.options;
    const address = peerUrls.length === 1 ? placeOf(peerUrls[0]) : undefined;
    if (address === undefined || urlsAt(address) === undefined) {
      refuse(call, BAD_URLS);
      return undefined;
    }
    const others = roster.members.filter(({ id }) => id !== self?.id);
    if (others.some((each) => each.peerUrls.some((url) => placeOf(url) === address))) {
      refuse(call, URLS_TAKEN);
      return undefined;
    }
    return address;
  }

  private change(call: ServerCall, change: MembershipChange, onDone: () => void): void {
    const { pending } = this.options.executor;
    pending.add(call);
    const settled = (refusal: Refusal | undefined): void => {
      if (!pending.settle(call)) return;
      if (refusal === undefined) onDone();
      else refuse(call, refusal);
    };
    this.options.change(change).then(
      (problem) => settled(problem && REFUSALS[problem]),
      () => settled([Status.unavailable, TIMED_OUT]),
    );
  }

  private respond(call: ServerCall, members: readonly KnownMember[]): void {
    const { store, headers } = this.options;
    const header = headers.at(store.revision);
    call.respond(memberListResponse.toBytes({ header, members }));
  }
}

/** Changes the members of one group, which is the cluster if it hosts no other. */
export function changeGroup(group: {
  reconfigure(changes: readonly MembershipChange[]): Promise<unknown>;
}): ChangeMembers {
  return async (change) => {
    try {
      await group.reconfigure([change]);
      return undefined;
    } catch (error) {
      if (error instanceof HostError && error.data.code === "changeRefused") {
        return error.data.problem;
      }
      throw error;
    }
  };
}

function refuse(call: ServerCall, [status, message]: Refusal): void {
  call.finish(status, message);
}

/** `http://HOST:PORT` → `HOST:PORT`. */
function placeOf(url: string | undefined): string | undefined {
  return /^https?:\/\/([^/?#\s]+:\d{1,5})\/?$/.exec(url ?? "")?.[1];
}
