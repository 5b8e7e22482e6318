/** What can go wrong between nodes, as data. */

import type { ChangeProblem } from "@quorate/consensus";

export type HostErrorData =
  | { readonly code: "listen"; readonly address: string; readonly reason: string }
  | { readonly code: "refused"; readonly peer: string; readonly reason: string }
  | { readonly code: "configuration"; readonly reason: string }
  /** The cluster has removed this node, for ever. */
  | { readonly code: "removed"; readonly node: string }
  /** The disk has lost entries, and there is no other member that could send them again. */
  | { readonly code: "beyondRepair"; readonly group: string; readonly entries: number }
  | { readonly code: "stopped" }
  | { readonly code: "overloaded" }
  /** So many wait for a checkpoint already. */
  | { readonly code: "checkpointRefused"; readonly waiting: number }
  | { readonly code: "timeout"; readonly afterMs: number }
  | { readonly code: "sessionLost" }
  /** A change of membership or of the engine was not begun. */
  | {
      readonly code: "changeRefused";
      readonly problem: ChangeProblem;
      readonly node: string | undefined;
    }
  | { readonly code: "rejected"; readonly reason: string; readonly definite: boolean };

const CHANGE_PROBLEMS: { readonly [P in ChangeProblem]: (node: string) => string } = {
  unknownMember: (node) => `${node} is no member`,
  alreadyMember: (node) => `${node} is that already`,
  usedName: (node) => `${node} was a member before, and names are used once; choose another`,
  wrongRole: (node) => `only learners are promoted and only voters demoted; ${node} is not one`,
  noVoters: () => "nobody would be left to vote",
  lagging: (node) => `${node} has not caught up; try again later`,
  outdated: () => "somebody else has made a change meanwhile; look again",
  pending: () => "another change is not over yet; try again later",
  notReady: () => "the leader has only just been elected; try again",
  unknownEngine: () => "the leader's release does not know that engine",
  sameEngine: () => "that engine is the one in use",
};

export class HostError extends Error {
  override readonly name = "HostError";
  readonly data: HostErrorData;

  constructor(data: HostErrorData) {
    super(describe(data));
    this.data = data;
  }
}

function describe(data: HostErrorData): string {
  switch (data.code) {
    case "listen":
      return `cannot listen on ${data.address}: ${data.reason}`;
    case "refused":
      return `${data.peer} refused this node: ${data.reason}`;
    case "configuration":
      return data.reason;
    case "removed":
      return `${data.node} was removed from the cluster; to take part again it needs a new name and an empty directory`;
    case "beyondRepair":
      return `${data.entries} entries of ${data.group} are damaged, and no other member has them: restore the data directory from a copy`;
    case "stopped":
      return "the node has stopped";
    case "overloaded":
      return "the node is overloaded; try again later";
    case "checkpointRefused":
      return `${data.waiting} wait for the next checkpoint already; a snapshot that arrives holds it up: try again later`;
    case "timeout":
      return `no answer within ${data.afterMs} ms; whether the command was executed is unknown`;
    case "sessionLost":
      return "the session was forgotten; whether the command was executed is unknown";
    case "changeRefused":
      return `nothing was changed: ${CHANGE_PROBLEMS[data.problem](data.node ?? "a node")}`;
    case "rejected":
      return `rejected (${data.reason}); ${data.definite ? "it had no effect" : "whether it had an effect is unknown"}`;
  }
}
