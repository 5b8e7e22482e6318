/** A shared type inside another, of a kind that only its reader knows what to do with. */

import { type Branch } from "./branch.ts";
import { type Doc, type ViewClass, viewOf } from "./doc.ts";

export class Nested {
  private readonly doc: Doc;
  /** The branch in the core, for the parts of this package. */
  readonly branch: Branch;

  constructor(doc: Doc, branch: Branch) {
    this.doc = doc;
    this.branch = branch;
  }

  /** The name of an element, a hook or a root; else empty. */
  get name(): string {
    return this.branch.name;
  }

  /** True when {@link as} would open it. */
  is(View: ViewClass<object>): boolean {
    return this.branch.kind === View.kind;
  }

  /**
   * Opens it as a view; always the same one.
   * @throws DocumentError `wrong-type` when it is of another kind.
   */
  as<V extends object>(View: ViewClass<V>): V {
    return viewOf(this.doc, this.branch, View);
  }
}
