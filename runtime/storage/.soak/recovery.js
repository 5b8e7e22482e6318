/**
 * Reads a log back. One pass: first the latest checkpoint of every group, then
 * the segments in order, skipping what a checkpoint replaces.
 *
 * The one idea is how a *torn tail* (a crash while the last batch was being
 * written; nobody was told of it) is told from *damage* (of what somebody was
 * told is safe), after "Protocol-Aware Recovery for Consensus-Based Storage",
 * FAST 2018: by evidence written later. A batch is written only when all before
 * it is durable, and begins with a mark that says so. So where a frame is bad:
 *
 * - a later mark in the same segment, or a later segment, proves damage: an
 *   error, and nothing is changed;
 * - without such proof it is the torn tail, to be cut by `repairTail`.
 *
 * Damage of the very last batch is thus seen only once a mark follows it: the
 * log writes one when it has been idle, when it is closed and when it is opened.
 */
import { join } from "node:path";
import { readCheckpoint } from "./checkpoint-file.js";
import {} from "./disk.js";
import { StorageError } from "./errors.js";
import { FileWindow } from "./file-window.js";
import { CONTROL_GROUP, FrameCursor, MARK, PARTIAL, RECORD, SEAL, WHOLE } from "./frame.js";
import { checkpointName, decodeHeader, HEADER_BYTES, segmentName, sortNames, } from "./layout.js";
import { decodeManifest, Retention } from "./retention.js";
import { findTail } from "./tail.js";
/** Reads the log in a directory, once. */
export class Recovery {
    files;
    directory;
    visitor;
    retention = new Retention();
    cursor = new FrameCursor();
    manifest;
    seed;
    /** The sequence number expected next. */
    next = 1;
    /** Where the last mark was, in the segment being read, and where it ended. */
    markStart = 0;
    markEnd = 0;
    sealed = false;
    constructor(files, directory, visitor) {
        this.files = files;
        this.directory = directory;
        this.visitor = visitor;
    }
    /**
     * Reads everything and changes nothing.
     * @returns What was found, or the listing alone if there is no log yet.
     */
    async run() {
        const listing = sortNames(await this.files.list(this.directory));
        const { segments, checkpoints } = listing;
        const [first] = segments;
        if (first === undefined) {
            const latest = Math.max(0, ...checkpoints.map((checkpoint) => checkpoint.sequence));
            if (latest > 0)
                throw this.missing(latest);
            return listing;
        }
        for (const checkpoint of checkpoints) {
            const path = join(this.directory, checkpoint.name);
            await readCheckpoint(this.files, path, checkpoint, this.visitor);
            this.retention.group(checkpoint.group).checkpoint = checkpoint.sequence;
        }
        this.next = first;
        let tail;
        for (const [index, start] of segments.entries()) {
            tail = await this.readSegment(start, segments[index + 1]);
        }
        this.checkClaims(first);
        if (tail === undefined || this.seed === undefined)
            throw this.missing(first);
        const { seed, next, retention, manifest } = this;
        return { seed, next, retention, tail, listing, manifest };
    }
    async readSegment(start, following) {
        const path = join(this.directory, segmentName(start));
        this.retention.addSegment(path, start);
        const file = await this.files.open(path, "read");
        try {
            const window = new FileWindow(file, await file.size());
            const capacity = await this.readHeader(window);
            const offset = await this.readFrames(window, following ?? Number.MAX_SAFE_INTEGER);
            if (this.next !== following) {
                if (this.sealed)
                    throw this.missing(this.next);
                if (following !== undefined)
                    throw this.corrupt(path, offset);
            }
            if (following !== undefined) {
                return { path, capacity, offset, markStart: offset, vouched: true, garbageEnd: offset };
            }
            const seed = this.seed ?? 0;
            const { marked, garbageEnd } = await findTail(window, offset, seed, this.next);
            if (marked || this.checkpointsBeyond())
                throw this.corrupt(path, offset);
            const { markStart, markEnd } = this;
            return { path, capacity, offset, markStart, vouched: markEnd === offset, garbageEnd };
        }
        finally {
            await file.close();
        }
    }
    /** A segment's header was durable before it had a name, and so was its length. */
    async readHeader(window) {
        await window.load(0, HEADER_BYTES);
        const { path } = window.file;
        const header = decodeHeader(window.bytes, "segment", path);
        if (header === undefined || (this.seed ?? header.seed) !== header.seed) {
            throw this.corrupt(path, 0);
        }
        if (window.size < header.argument)
            throw this.corrupt(path, window.size);
        this.seed = header.seed;
        return header.argument;
    }
    /** Reads frames until one is bad or `limit` is reached; returns the offset behind the last good one. */
    async readFrames(window, limit) {
        const { cursor } = this;
        const seed = this.seed ?? 0;
        let offset = HEADER_BYTES;
        [this.markStart, this.markEnd, this.sealed] = [offset, offset, false];
        for (;;) {
            const at = offset - window.start;
            const status = cursor.read(window.bytes, window.view, at, window.size - offset, seed);
            if (status === PARTIAL && (await window.extend(offset, cursor.size)))
                continue;
            if (status !== WHOLE || cursor.sequence !== this.next)
                return offset;
            if (!this.accept(window, offset, limit))
                return offset;
            offset += cursor.size;
            if (cursor.kind === SEAL)
                return offset;
        }
    }
    /** Takes the frame in the cursor, whose sequence number fits; false if it cannot stand here. */
    accept(window, offset, limit) {
        const { cursor } = this;
        switch (cursor.kind) {
            case MARK:
                this.markStart = offset;
                this.markEnd = offset + cursor.size;
                return true;
            case SEAL:
                this.sealed = true;
                return true;
            case RECORD: {
                if (this.next === limit)
                    return false;
                const record = window.bytes.subarray(cursor.payloadStart, cursor.payloadEnd);
                if (cursor.group === CONTROL_GROUP) {
                    this.manifest = decodeManifest(record);
                    if (this.manifest === undefined)
                        return false;
                }
                else
                    this.visit(cursor.group, record);
                this.next++;
                return true;
            }
            default:
                return false;
        }
    }
    visit(group, record) {
        const state = this.retention.group(group);
        state.last = this.next;
        if (this.next < state.checkpoint)
            return;
        state.bytes += this.cursor.size;
        this.visitor(group, record);
    }
    /** Whether a checkpoint was finished, which waits for the disk, at a point beyond the log's end. */
    checkpointsBeyond() {
        for (const { checkpoint } of this.retention.groups.values()) {
            if (checkpoint > this.next)
                return true;
        }
        return false;
    }
    /** What the manifest says must exist, or without one, everything. */
    checkClaims(first) {
        const claimed = this.manifest?.first ?? 1;
        if (first > claimed)
            throw this.missing(claimed);
        for (const [group, sequence] of this.manifest?.checkpoints ?? []) {
            if (this.retention.group(group).checkpoint >= sequence)
                continue;
            const path = join(this.directory, checkpointName(group, sequence));
            throw new StorageError({ code: "missingCheckpoint", path, group, sequence });
        }
    }
    missing(sequence) {
        const path = join(this.directory, segmentName(sequence));
        return new StorageError({ code: "missingSegment", path, sequence });
    }
    corrupt(path, offset) {
        return new StorageError({ code: "corruptRecord", path, offset, sequence: this.next });
    }
}
//# sourceMappingURL=recovery.js.map