/** How a log is opened, and what it counts. */
import {} from "./disk.js";
import {} from "./errors.js";
/** Counters before anything happened. */
export function newStatistics() {
    return {
        records: 0,
        bytes: 0,
        batches: 0,
        syncs: 0,
        segmentsCreated: 0,
        segmentsDeleted: 0,
        checkpoints: 0,
        checkpointBytes: 0,
    };
}
//# sourceMappingURL=wal-options.js.map