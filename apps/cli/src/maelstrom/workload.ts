/** What a workload of Maelstrom needs: a node that hears letters and answers clients. */

import type { NodeId } from "@quorate/kernel";

import type { Body } from "./messages.ts";

/** What a node may do. */
export interface Port {
  readonly self: NodeId;
  /** All nodes, this one included. */
  readonly nodes: readonly NodeId[];
  /** Sends to another node. The body's `type` is the workload's business. */
  send(to: NodeId, body: Body): void;
}

/** A node of one workload. */
export interface WorkloadNode {
  /** A client asks; `answer` is called once, or never. */
  ask(body: Body, answer: (body: Body) => void): void;
  /** Another node says something. */
  hear(from: NodeId, body: Body): void;
  stop(): void;
}

export type StartNode = (port: Port) => WorkloadNode;
