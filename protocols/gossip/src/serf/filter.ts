/** Whether a query is for this node. */

import type { Name } from "../member.ts";
import { find } from "./expression.ts";
import type { QueryFilter, Tags } from "./messages.ts";

/** All filters hold. One that cannot be understood does not. */
export function isMeant(filters: readonly QueryFilter[], name: Name, tags: Tags): boolean {
  return filters.every((filter) => {
    switch (filter.type) {
      case "nodes":
        return filter.names.includes(name);
      case "tag":
        return find(filter.expression, tags[filter.tag] ?? "") === true;
      default:
        return false;
    }
  });
}
