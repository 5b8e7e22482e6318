/**
 * What the world can do to a data directory, as one closed union. Every fault
 * carries what a program needs to decide and reads as one line that tells an
 * operator what is wrong and what to do. Bugs are not here: those are
 * `InvariantViolation`s of the kernel.
 */
import { unreachable } from "@quorate/kernel";
/** The one error class of this package; `fault` tells which member of the union it is. */
export class StorageError extends Error {
    name = "StorageError";
    /** What is wrong, with its data. */
    fault;
    constructor(fault) {
        super(describe(fault), "cause" in fault ? { cause: fault.cause } : undefined);
        this.fault = fault;
    }
    /** The code of the fault, for a `switch`. */
    get code() {
        return this.fault.code;
    }
}
/** Names what failed: a full disk apart from everything else the system may report. */
export function diskError(operation, path, cause) {
    if (cause instanceof StorageError)
        return cause;
    const code = errnoOf(cause);
    if (code === "ENOSPC" || code === "EDQUOT") {
        return new StorageError({ code: "diskFull", operation, path });
    }
    return new StorageError({ code: "io", operation, path, cause });
}
/** The system's own code of an error (`ENOENT`), or undefined. */
export function errnoOf(error) {
    if (!(error instanceof Error) || !("code" in error))
        return undefined;
    return typeof error.code === "string" ? error.code : undefined;
}
const FROM_PEERS = "restore this node from its peers; nothing was modified";
function describe(fault) {
    switch (fault.code) {
        case "locked":
            return `${fault.path} is in use by process ${fault.pid}: stop that process or choose another directory`;
        case "identityMismatch":
            return (`${fault.path} belongs to node "${fault.found.nodeId}" of cluster "${fault.found.clusterId}", not to node ` +
                `"${fault.expected.nodeId}" of cluster "${fault.expected.clusterId}": correct the settings or choose another directory`);
        case "corruptIdentity":
            return `${fault.path} cannot be understood (${fault.reason}): restore the file, or start this node anew in an empty directory`;
        case "notADataDirectory":
            return `${fault.path} is no data directory but contains "${fault.found}": choose an empty or a new directory`;
        case "unsupportedFormat":
            return `${fault.path} has format ${fault.found}, this version reads format ${fault.supported}: run the version that wrote it`;
        case "corruptRecord":
            return (`${fault.path} is damaged at offset ${fault.offset}` +
                `${fault.sequence === undefined ? "" : ` (record ${fault.sequence})`}, where acknowledged data lay: ${FROM_PEERS}`);
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
function reasonOf(cause) {
    return cause instanceof Error ? cause.message : String(cause);
}
//# sourceMappingURL=errors.js.map