/** What a node can be told to do about the engines of its groups. */

import { isEngineName, type Node } from "@quorate/host";
import * as v from "valibot";

import { done, type Operation, operation, refused } from "../http/operations.ts";
import type { ServiceRow } from "../node/catalogue.ts";

const MOVE_MS = 10_000;

/** `/consensus/move`: a group goes on in another engine's log. */
export function consensusOperations(
  node: Pick<Node, "groups">,
  rows: readonly ServiceRow[],
): readonly Operation[] {
  return [
    operation(
      "/consensus/move",
      v.strictObject({ group: v.string(), to: v.string() }),
      async ({ group: name, to }) => {
        const group = node.groups.find((each) => each.name === name);
        const engines = rows.find((row) => row.name === name)?.engines ?? [];
        if (group === undefined) {
          const names = node.groups.map((each) => each.name).join(", ");
          return refused(404, "unknownGroup", `"${name}" is no group; there is ${names}`);
        }
        if (!isEngineName(to) || !engines.includes(to)) {
          const reason = `${name} cannot run on "${to}", but on ${engines.join(" or ")}`;
          return refused(400, "unknownEngine", reason);
        }
        const moved = group.generation.engine !== to;
        const { engine, number } = moved ? await group.move(to, MOVE_MS) : group.generation;
        return done({ group: name, engine, generation: number, moved });
      },
    ),
  ];
}
