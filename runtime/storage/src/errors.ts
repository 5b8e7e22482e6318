/**
 * What the world can do to a data directory, as one closed union. Every fault
 * carries what a program needs to decide and reads as one line that tells an
 * operator what is wrong and what to do. Bugs are not here: those are
 * `InvariantViolation`s of the kernel.
 */

import { unreachable } from "@quorate/kernel";

/** To whom a data directory belongs. */
export interface Owner {
  readonly clusterId: string;
  readonly nodeId: string;
}

/** Everything that can be wrong with the disk or with what is on it. Offsets and sizes in bytes. */
export type StorageFault =
  | { readonly code: "locked"; readonly path: string; readonly pid: number }
  | {
      readonly code: "identityMismatch";
      readonly path: string;
      readonly expected: Owner;
      readonly found: Owner;
    }
  | { readonly code: "corruptIdentity"; readonly path: string; readonly reason: string }
  | { readonly code: "notADataDirectory"; readonly path: string; readonly found: string }
  | {
      readonly code: "unsupportedFormat";
      readonly path: string;
      readonly found: number;
      readonly supported: number;
    }
  | {
      readonly code: "corruptRecord";
      readonly path: string;
      readonly offset: number;
      readonly sequence?: number;
    }
  | { readonly code: "missingSegment"; readonly path: string; readonly sequence: number }
  | { readonly code: "corruptCheckpoint"; readonly path: string; readonly offset: number }
  | {
      readonly code: "missingCheckpoint";
      readonly path: string;
      readonly group: number;
      readonly sequence: number;
    }
  | { readonly code: "recordTooLarge"; readonly bytes: number; readonly limit: number }
  | { readonly code: "checkpointRecords"; readonly group: number; readonly cause: unknown }
  | { readonly code: "closed"; readonly path: string }
  | { readonly code: "diskFull"; readonly operation: string; readonly path: string }
  | {
      readonly code: "io";
      readonly operation: string;
      readonly path: string;
      readonly cause: unknown;
    };

/** The one error class of this package; `fault` tells which member of the union it is. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  /** What is wrong, with its data. */
  readonly fault: StorageFault;

  constructor(fault: StorageFault) {
    super(describe(fault), "cause" in fault ? { cause: fault.cause } : undefined);
    this.fault = fault;
  }

  /** The code of the fault, for a `switch`. */
  get code(): StorageFault["code"] {
    return this.fault.code;
  }
}

/** Names what failed: a full disk apart from everything else the system may report. */
export function diskError(operation: string, path: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = errnoOf(cause);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new StorageError({ code: "diskFull", operation, path });
  }
  return new StorageError({ code: "io", operation, path, cause });
}

/** The system's own code of an error (`ENOENT`), or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const FROM_PEERS =
  "restore it from a copy, or remove this node from the cluster and add another; nothing was modified";

function describe(fault: StorageFault): string {
  switch (fault.code) {
    case "locked":
      return `${fault.path} is in use by process ${fault.pid}: stop that process or choose another directory`;
    case "identityMismatch":
      return (
        `${fault.path} belongs to node "${fault.found.nodeId}" of cluster "${fault.found.clusterId}", not to node ` +
        `"${fault.expected.nodeId}" of cluster "${fault.expected.clusterId}": correct the settings or choose another directory`
      );
    case "corruptIdentity":
      return `${fault.path} cannot be understood (${fault.reason}): restore the file, or start this node anew in an empty directory`;
    case "notADataDirectory":
      return `${fault.path} is no data directory but contains "${fault.found}": choose an empty or a new directory`;
    case "unsupportedFormat":
      return `${fault.path} has format ${fault.found}, this version reads format ${fault.supported}: run the version that wrote it`;
    case "corruptRecord":
      return (
        `${fault.path} is damaged at offset ${fault.offset}` +
        `${fault.sequence === undefined ? "" : ` (record ${fault.sequence})`}, in acknowledged data that cannot be done without: ${FROM_PEERS}`
      );
    case "missingSegment":
      return `${fault.path} is missing, with all records from ${fault.sequence} on: ${FROM_PEERS}`;
    case "corruptCheckpoint":
      return `${fault.path} is damaged at offset ${fault.offset}: ${FROM_PEERS}`;
    case "missingCheckpoint":
      return `${fault.path}, the checkpoint of group ${fault.group} at ${fault.sequence}, is missing: ${FROM_PEERS}`;
    case "recordTooLarge":
      return `a record of ${fault.bytes} bytes is over the limit of ${fault.limit}: split it`;
    case "checkpointRecords":
      return `the records of a checkpoint of group ${fault.group} failed (${reasonOf(fault.cause)}): this is a bug, report it`;
    case "closed":
      return `${fault.path} is closed: open it again to write`;
    case "diskFull":
      return `no space left to ${fault.operation} ${fault.path}: free some and restart this node`;
    case "io":
      return `cannot ${fault.operation} ${fault.path} (${reasonOf(fault.cause)}): check the disk and its permissions, then restart this node`;
    default:
      return unreachable(fault);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
