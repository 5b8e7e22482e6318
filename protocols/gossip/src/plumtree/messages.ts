/**
 * What epidemic broadcast trees say (Leitão, Pereira, Rodrigues 2007,
 * "Epidemic Broadcast Trees"), and how they are used.
 */

import type { NodeId, Speaks } from "@quorate/kernel";

import type { ViewMessage, ViewTimer } from "../hyparview/messages.ts";

/** Names a message: unique, and chosen by whoever sends it. A hash of the payload will do. */
export type BroadcastId = string;

export type TreeMessage =
  /** The payload itself, along the tree. */
  | {
      readonly type: "gossip";
      readonly id: BroadcastId;
      readonly payload: Uint8Array;
      readonly hops: number;
    }
  /** Messages that the sender has, for those off the tree. */
  | {
      readonly type: "iHave";
      readonly messages: readonly { readonly id: BroadcastId; readonly hops: number }[];
    }
  /** Send me that, and let us be neighbours in the tree. Without an id: only the latter. */
  | { readonly type: "graft"; readonly id: BroadcastId | undefined }
  /** I get it from elsewhere: do not send me payloads. */
  | { readonly type: "prune" };

export type BroadcastMessage =
  | TreeMessage
  | { readonly type: "view"; readonly message: ViewMessage };

export type BroadcastRequest =
  | { readonly type: "join"; readonly contact: NodeId }
  | { readonly type: "broadcast"; readonly id: BroadcastId; readonly payload: Uint8Array };

export type BroadcastResponse =
  | { readonly type: "done" }
  | { readonly type: "refused"; readonly reason: string };

export interface Delivered {
  readonly type: "delivered";
  readonly id: BroadcastId;
  readonly payload: Uint8Array;
  /** How many links it came along; 0 at its origin. */
  readonly hops: number;
}

export type BroadcastNote =
  /** The same payload came again: a link of the tree too many. */
  | { readonly type: "redundant"; readonly id: BroadcastId }
  /** A payload was asked for that the tree did not bring. */
  | { readonly type: "grafted"; readonly id: BroadcastId };

export type BroadcastWords = Speaks<{
  Message: BroadcastMessage;
  Timer: `view:${ViewTimer}` | "iHave" | `missing:${BroadcastId}`;
  Request: BroadcastRequest;
  Response: BroadcastResponse;
  Output: Delivered;
  Note: BroadcastNote;
}>;
