/** Why a command could not do what was asked, as data, and the exit status that says so. */

import { inspect } from "node:util";

/** Exit statuses of the command; `bug` is for what should never happen. */
export const EXIT = { fine: 0, failed: 1, usage: 2, bug: 70 } as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export type CliFault =
  /** The command line cannot be understood. */
  | { readonly code: "usage"; readonly reason: string }
  /** A setting is wrong; `source` is where it came from, as its author wrote it. */
  | {
      readonly code: "setting";
      readonly source: string;
      readonly value: unknown;
      readonly allowed: string;
    }
  /** Settings that are fine one by one contradict each other, or something they name is missing. */
  | { readonly code: "settings"; readonly reason: string }
  /** A node of a cluster refused to start or stopped for good. */
  | { readonly code: "node"; readonly node: string; readonly reason: string }
  /** A node found that the cluster has removed it. */
  | { readonly code: "removed"; readonly reason: string }
  /** No node could be asked; `absent`: nobody seems to be there at all. */
  | {
      readonly code: "unreachable";
      readonly endpoints: readonly string[];
      readonly reason: string;
      readonly absent: boolean;
    }
  /** A server understood and said no. */
  | { readonly code: "refused"; readonly endpoint: string; readonly reason: string }
  /** Whoever reads this was told already. */
  | { readonly code: "told" };

const ABSENT = ': is the cluster running? See "quorate up"';

/** The one error class of this package. Its message is the one line that a user reads. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly fault: CliFault;

  constructor(fault: CliFault) {
    super(describe(fault));
    this.fault = fault;
  }

  get status(): ExitStatus {
    return this.fault.code === "usage" ? EXIT.usage : EXIT.failed;
  }
}

/** What went wrong in one line, whatever was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().replaceAll(/\s*\n\s*/g, " ");
}

function describe(fault: CliFault): string {
  switch (fault.code) {
    case "setting":
      return `${fault.source} is ${shown(fault.value)}, but must be ${fault.allowed}`;
    case "node":
      return `${fault.node}: ${fault.reason}`;
    case "unreachable":
      return `no answer from ${fault.endpoints.join(", ")} (${fault.reason})${fault.absent ? ABSENT : ""}`;
    case "refused":
      return `${fault.endpoint}: ${fault.reason}`;
    case "told":
      return "";
    case "usage":
    case "removed":
    case "settings":
      return fault.reason;
  }
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : inspect(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
