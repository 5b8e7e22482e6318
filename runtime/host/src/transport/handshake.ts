/**
 * The first two frames on a connection between nodes. The dialler says who it
 * is, whom it wants and what it can speak; the acceptor welcomes or refuses it,
 * with a reason a person can act on. Nothing else is exchanged before.
 */

import { bytes, type Codec, type NodeId, struct, text, uint, union } from "@quorate/kernel";

/** Versions of the frames and messages this build speaks. */
export const OLDEST_VERSION = 1;
export const NEWEST_VERSION = 1;

/** First bytes of every connection, so that strangers are recognised at once. */
export const MAGIC: Uint8Array = Uint8Array.from("QUORATE\n", (c) => c.charCodeAt(0));

/** Who a node is: its name, its cluster, and the data directory behind the name. */
export interface Identity {
  readonly node: NodeId;
  readonly cluster: string;
  /** Random, made with the directory: a wiped or replaced directory has another. */
  readonly directory: string;
}

export interface Hello {
  readonly magic: Uint8Array;
  readonly oldest: number;
  readonly newest: number;
  readonly identity: Identity;
  /** Whom the dialler believes it is talking to. */
  readonly to: NodeId;
}

export type Refusal =
  | "version"
  | "cluster"
  | "wrongNode"
  | "unknownNode"
  | "replacedDirectory"
  | "removedNode"
  /** A removal that may still be taken back: ask again. */
  | "leavingNode";

/** Whether a node was a member once and is none any more: for certain, or unless its removal is taken back. */
export type Departure = "certain" | "pending" | undefined;

export type Answer =
  | { readonly type: "welcome"; readonly version: number; readonly identity: Identity }
  | { readonly type: "refused"; readonly reason: Refusal; readonly text: string };

const identityCodec: Codec<Identity> = struct<Identity>({
  node: text,
  cluster: text,
  directory: text,
});

export const helloCodec: Codec<Hello> = struct<Hello>({
  magic: bytes,
  oldest: uint,
  newest: uint,
  identity: identityCodec,
  to: text,
});

const REFUSALS: readonly Refusal[] = [
  "version",
  "cluster",
  "wrongNode",
  "unknownNode",
  "replacedDirectory",
  "removedNode",
  "leavingNode",
];

const refusalCodec: Codec<Refusal> = {
  write: (writer, value) => writer.byte(REFUSALS.indexOf(value)),
  read: (reader) => REFUSALS[reader.byte()] ?? "version",
};

export const answerCodec: Codec<Answer> = union<Answer>({
  welcome: [1, { version: uint, identity: identityCodec }],
  refused: [2, { reason: refusalCodec, text }],
});

/**
 * Which directory each member was first met with. A member that comes back with
 * another has forgotten its votes and its log: letting it vote could undo what
 * was committed (Paxos Made Live §5; scenario S9).
 */
export interface KnownDirectories {
  /** Returns what was recorded for `node`, after recording `directory` durably if nothing was. */
  meet(node: NodeId, directory: string): string;
}

/**
 * Decides on a hello: `undefined` if it is welcome.
 *
 * @param departure - What is known of the removal of a node that is no member.
 */
export function judge(
  hello: Hello,
  own: Identity,
  members: ReadonlySet<NodeId>,
  known: KnownDirectories,
  departure: (node: NodeId) => Departure,
): Extract<Answer, { type: "refused" }> | undefined {
  const { identity } = hello;
  const refused = (reason: Refusal, why: string) =>
    ({ type: "refused", reason, text: why }) as const;
  if (hello.newest < OLDEST_VERSION || hello.oldest > NEWEST_VERSION) {
    return refused(
      "version",
      `${own.node} speaks protocol versions ${OLDEST_VERSION} to ${NEWEST_VERSION}, ${identity.node} ${hello.oldest} to ${hello.newest}`,
    );
  }
  if (identity.cluster !== own.cluster) {
    return refused(
      "cluster",
      `${identity.node} belongs to cluster ${identity.cluster}, ${own.node} to ${own.cluster}`,
    );
  }
  if (hello.to !== own.node) {
    return refused("wrongNode", `this is ${own.node}, not ${hello.to}: check the addresses`);
  }
  if (!members.has(identity.node)) {
    const { node } = identity;
    switch (departure(node)) {
      case "certain":
        return refused("removedNode", `${own.node} knows that ${node} was removed`);
      case "pending":
        return refused("leavingNode", `${own.node} does not know yet whether ${node} was removed`);
      case undefined:
        return refused("unknownNode", `${own.node} knows no member named ${node}`);
    }
  }
  return checkDirectory(identity, known);
}

/** The same check the other way round: a dialler must not trust a replaced acceptor either. */
export function checkDirectory(
  identity: Identity,
  known: KnownDirectories,
): Extract<Answer, { type: "refused" }> | undefined {
  const first = known.meet(identity.node, identity.directory);
  if (first === identity.directory) return undefined;
  return {
    type: "refused",
    reason: "replacedDirectory",
    text:
      `the data directory of ${identity.node} was wiped or replaced (it was ${first}, now ` +
      `${identity.directory}); it has forgotten its votes, so it must be removed and added anew`,
  };
}
