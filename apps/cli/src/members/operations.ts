/** What a node can be told to do about the members of its cluster. */

import type { MembershipChange } from "@quorate/consensus";
import { isVacancy } from "@quorate/host";
import * as v from "valibot";

import { NODE_NAME } from "../cluster/members.ts";
import { hostPort, PEER_OFFSET } from "../cluster/ports.ts";
import { done, type Operation, operation, type Outcome, refused } from "../http/operations.ts";
import { type ClusterMembers, memberAt } from "./cluster-members.ts";

const name = v.pipe(v.string(), v.regex(NODE_NAME, "must be a node's name"));
/** A member of now may be a vacancy, too. */
const anyName = v.pipe(v.string(), v.regex(/^~?[A-Za-z0-9_.-]{1,63}$/, "must be a member's name"));
const address = v.pipe(
  v.string(),
  v.check(
    (text) => memberAt("", text) !== undefined && !text.includes("#"),
    "must be HOST:PORT, with room above the port for the node's others",
  ),
);

/** `/members/add`, `promote`, `remove`, `update`, and `claim` for nodes that start in a vacant place. */
export function memberOperations(members: ClusterMembers): readonly Operation[] {
  const change = async (...changes: readonly MembershipChange[]): Promise<Outcome> => {
    const refusal = await members.change(changes);
    if (refusal === undefined) return done({ members: members.list() });
    return refused(409, refusal.problem, refusal.reason);
  };
  /** Why nobody else can be where `asked` wants to be. */
  const taken = (place: string, asked: string): Outcome | undefined => {
    const found = members.list().find(({ name: other, host, portBase }) => {
      return other !== asked && hostPort(host, portBase + PEER_OFFSET) === place;
    });
    if (found === undefined) return undefined;
    const why = isVacancy(found.name)
      ? `${found.name} was added there and waits for its node: start that with --join, or remove ${found.name}`
      : `${found.name} is there`;
    return refused(409, "addressTaken", `${place} is taken: ${why}`);
  };
  return [
    operation(
      "/members/add",
      v.strictObject({ name, address, learner: v.optional(v.boolean(), false) }),
      async (body) => {
        const as = body.learner ? "learner" : "voter";
        const { name: node, address: at } = body;
        return taken(at, node) ?? change({ type: "add", node, as, address: at });
      },
    ),
    operation("/members/promote", v.strictObject({ name: anyName }), ({ name: node }) =>
      change({ type: "promote", node }),
    ),
    operation("/members/remove", v.strictObject({ name: anyName }), ({ name: node }) =>
      change({ type: "remove", node }),
    ),
    operation("/members/update", v.strictObject({ name: anyName, address }), async (body) => {
      const { name: node, address: at } = body;
      // What is remembered of the member stays with it.
      const [, note] = members.part(node)?.address.split("#") ?? [];
      const noted = note === undefined ? at : `${at}#${note}`;
      return taken(at, node) ?? change({ type: "describe", node, address: noted });
    }),
    operation(
      "/members/claim",
      v.strictObject({ name, vacancy: v.pipe(v.string(), v.check(isVacancy, "must be vacant")) }),
      async ({ name: node, vacancy }) => {
        const place = members.part(vacancy);
        if (place === undefined) {
          return refused(409, "unknownMember", `${vacancy} is no member, or not any more`);
        }
        const as = place.part === "learner" ? "learner" : "voter";
        const { address: at } = place;
        return change({ type: "remove", node: vacancy }, { type: "add", node, as, address: at });
      },
    ),
  ];
}
