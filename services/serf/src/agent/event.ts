/** What an agent tells its handlers and clients, and how they pick. As in Serf. */

import type { Member, MemberChange } from "@quorate/gossip";

/** A query that this node may answer, within its time. */
export interface PendingQuery {
  readonly ltime: number;
  readonly id: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** By `performance.now()`. */
  readonly deadline: number;
}

export type AgentEvent =
  | {
      readonly type: "members";
      readonly change: MemberChange;
      readonly members: readonly Member[];
    }
  | {
      readonly type: "user";
      readonly ltime: number;
      readonly name: string;
      readonly payload: Uint8Array;
      readonly coalesce: boolean;
    }
  | { readonly type: "query"; readonly query: PendingQuery };

const MEMBER_EVENTS = [
  "member-join",
  "member-leave",
  "member-failed",
  "member-update",
  "member-reap",
] as const;

/** Serf's names of events. */
export type EventName = (typeof MEMBER_EVENTS)[number] | "user" | "query";

export function eventName(event: AgentEvent): EventName {
  return event.type === "members" ? `member-${event.change}` : event.type;
}

/** Which events somebody wants: `*`, a kind, or a user event or query of one name. */
export interface EventFilter {
  readonly event: EventName | "*";
  /** Of a user event or a query; any if undefined. */
  readonly name: string | undefined;
}

/**
 * Reads `member-join,user:deploy,query`; nothing means everything.
 * Undefined if one of them is no event.
 */
export function parseFilters(text: string): readonly EventFilter[] | undefined {
  const filters: EventFilter[] = [];
  for (const part of (text === "" ? "*" : text).split(",")) {
    const colon = part.indexOf(":");
    const kind = colon < 0 ? part : part.slice(0, colon);
    const name = colon < 0 ? undefined : part.slice(colon + 1);
    if (!isFilterable(kind) || (name !== undefined && kind !== "user" && kind !== "query")) {
      return undefined;
    }
    filters.push({ event: kind, name: name === "" ? undefined : name });
  }
  return filters;
}

function isFilterable(kind: string): kind is EventFilter["event"] {
  return ["*", "user", "query", ...MEMBER_EVENTS].includes(kind);
}

export function wants({ event, name }: EventFilter, occurred: AgentEvent): boolean {
  if (event === "*") return true;
  if (event !== eventName(occurred)) return false;
  if (name === undefined || occurred.type === "members") return true;
  return name === (occurred.type === "user" ? occurred.name : occurred.query.name);
}
