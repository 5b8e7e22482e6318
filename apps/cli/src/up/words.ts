/** What happens in a cluster that this command runs, as facts; told to people or to programs. */

/** A node of a cluster that serves. */
export interface ServingNode {
  readonly name: string;
  readonly pid: number;
  /** Addresses by purpose: `http`, `peer`, and each service. */
  readonly addresses: Readonly<Record<string, string>>;
}

export type UpEvent =
  | {
      readonly event: "ready";
      readonly nodes: readonly ServingNode[];
      /** Leader of each group. */
      readonly leaders: ReadonlyMap<string, string>;
    }
  | {
      readonly event: "exited";
      readonly name: string;
      readonly pid: number;
      readonly status: number | null;
      readonly signal: string | null;
      /** What it said, if it said anything. */
      readonly reason: string | undefined;
      /** When it is started again; undefined if it is left alone. */
      readonly restartInMs: number | undefined;
    }
  | { readonly event: "restarted"; readonly name: string; readonly pid: number }
  | {
      readonly event: "leader";
      readonly group: string;
      readonly leader: string;
      readonly term: number;
    }
  | {
      readonly event: "waiting";
      readonly names: readonly string[];
      readonly logs: readonly string[];
    }
  | { readonly event: "stopping" }
  | { readonly event: "stopped" };
