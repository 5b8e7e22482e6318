/**
 * The segment being written and the next one. A segment is made aside, filled
 * with zeros and synced *before* it gets its name, so that writing to it later
 * changes no metadata, and its header is never torn. The name says that all
 * below its first sequence number was durable when it was given.
 */
import { join } from "node:path";
import {} from "./batch.js";
import {} from "./disk.js";
import { FRAME_HEADER_BYTES, SEAL, writeFrame } from "./frame.js";
import { encodeHeader, HEADER_BYTES, PREPARED_NAME, segmentName } from "./layout.js";
const ZEROS_BYTES = 1024 * 1024;
/** Makes an empty segment aside, durable but for its name. */
export async function prepareSegment(settings, capacity) {
    const { files, seed } = settings;
    const path = join(settings.directory, PREPARED_NAME);
    const file = await files.open(path, "create");
    try {
        const zeros = new Uint8Array(Math.min(capacity, ZEROS_BYTES));
        for (let at = 0; at < capacity; at += zeros.length) {
            await file.write(zeros, Math.min(zeros.length, capacity - at), at);
        }
        const header = encodeHeader({ type: "segment", seed, group: 0, argument: capacity });
        await file.write(header, header.length, 0);
        await file.sync();
    }
    finally {
        await file.close();
    }
    return { file: await files.open(path, "log"), capacity };
}
/** Gives a prepared segment its name, durably. */
export async function nameSegment(settings, segment, first) {
    const path = join(settings.directory, segmentName(first));
    await settings.files.rename(segment.file.path, path);
    await settings.files.syncDirectory(settings.directory);
    segment.file.path = path;
}
/** Writes the log's segments one after the other. */
export class SegmentWriter {
    settings;
    current;
    /** The first sequence number of the current segment, which is its name. */
    first;
    /** Where the next batch goes. */
    offset;
    prepared;
    /** The seal of the segment before this one, while it is being written. */
    sealing = Promise.resolve();
    constructor(settings, current, first, offset) {
        this.settings = settings;
        this.current = current;
        this.first = first;
        this.offset = offset;
    }
    get file() {
        return this.current.file;
    }
    /**
     * Whether a batch belongs here. The first one does however large it is, since
     * a segment may outgrow what was preallocated; so does a lone mark.
     */
    fits(batch) {
        if (batch.records === 0 || batch.first === this.first)
            return true;
        return this.offset + batch.size <= this.current.capacity;
    }
    /** Notes what was written; from half the segment on the next one is made ready. */
    advance(bytes) {
        this.offset += bytes;
        if (this.prepared === undefined && this.offset * 2 > this.current.capacity)
            void this.prepare();
    }
    /** Goes on in a new segment, once nothing is being written to this one. */
    async roll(first) {
        await this.sealing;
        const next = await (this.prepared ?? this.prepare());
        await nameSegment(this.settings, next, first);
        this.prepared = undefined;
        this.sealing = seal(this.current.file, this.offset, this.settings.seed, first);
        this.sealing.catch((error) => this.settings.onFailure(error));
        this.current = next;
        this.first = first;
        this.offset = HEADER_BYTES;
    }
    /** Closes the files; a segment without a name is removed. Call when nothing is being written. */
    async close() {
        await Promise.allSettled([this.sealing]);
        const [prepared] = await Promise.allSettled([this.prepared]);
        await this.current.file.close();
        if (prepared.status === "fulfilled" && prepared.value !== undefined) {
            await prepared.value.file.close();
            await this.settings.files.unlink(prepared.value.file.path);
        }
    }
    prepare() {
        this.prepared = prepareSegment(this.settings, this.settings.segmentBytes);
        this.prepared.catch((error) => this.settings.onFailure(error));
        return this.prepared;
    }
}
/** Says at a segment's end that the next one exists. */
async function seal(file, offset, seed, first) {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES);
    writeFrame(bytes, new DataView(bytes.buffer), 0, seed, SEAL, 0, first);
    await file.writeDurably(bytes, bytes.length, offset);
    await file.close();
}
//# sourceMappingURL=segment-writer.js.map