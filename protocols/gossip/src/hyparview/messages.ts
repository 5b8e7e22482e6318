/** What HyParView's nodes say to each other (Leitão, Pereira, Rodrigues 2007, algorithms 1 and 2). */

import type { NodeId, Speaks } from "@quorate/kernel";

export type ViewMessage =
  /** Take me in. Sent to any member. */
  | { readonly type: "join" }
  /** `node` has joined: a random walk of `ttl` more hops finds it neighbours. */
  | { readonly type: "forwardJoin"; readonly node: NodeId; readonly ttl: number }
  /** Be my neighbour; with `urgent`, because I have none. */
  | { readonly type: "neighbour"; readonly urgent: boolean }
  | { readonly type: "neighbourAnswer"; readonly accepted: boolean }
  /** We are no longer neighbours. */
  | { readonly type: "disconnect" }
  /** A sample of `origin`'s views, on a random walk. */
  | {
      readonly type: "shuffle";
      readonly origin: NodeId;
      readonly nodes: readonly NodeId[];
      readonly ttl: number;
    }
  | { readonly type: "shuffleAnswer"; readonly nodes: readonly NodeId[] }
  /** Still here. */
  | { readonly type: "keepAlive" };

export type ViewTimer = "shuffle" | "keepAlive" | "refill";

/** Changes of the active view: to whom gossip goes. */
export type ViewOutput =
  | { readonly type: "neighbourUp"; readonly node: NodeId }
  | { readonly type: "neighbourDown"; readonly node: NodeId };

export type ViewWords = Speaks<{
  Message: ViewMessage;
  Timer: ViewTimer;
  Request: { readonly type: "join"; readonly contact: NodeId };
  Response: { readonly type: "done" };
  Output: ViewOutput;
}>;

export interface ViewConfig {
  /** How many neighbours: fan-out plus one. All links are symmetric. */
  readonly activeMax: number;
  /** How many others are known, to replace neighbours that fail. More survive larger disasters. */
  readonly passiveMax: number;
  /** Hops of a join's random walk, and after which of them it enters passive views. */
  readonly activeWalk: number;
  readonly passiveWalk: number;
  /** How often views are mixed, and how many of each view are sent. */
  readonly shuffleMs: number;
  readonly shuffleActive: number;
  readonly shufflePassive: number;
  /** Neighbours say that they are there this often; one silent for three times as long is gone. */
  readonly keepAliveMs: number;
}

/** The paper's figures for 10,000 nodes. */
export const VIEW_DEFAULTS: ViewConfig = Object.freeze({
  activeMax: 5,
  passiveMax: 30,
  activeWalk: 6,
  passiveWalk: 3,
  shuffleMs: 10_000,
  shuffleActive: 3,
  shufflePassive: 4,
  keepAliveMs: 1000,
});
