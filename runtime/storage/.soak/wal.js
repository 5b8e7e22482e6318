/**
 * One write-ahead log for all replicated groups of a node. Records are copied
 * into a batch; one write makes the batch durable; what comes in meanwhile is
 * the next batch (group commit, DeWitt et al., "Implementation Techniques for
 * Main Memory Database Systems", SIGMOD 1984). So one sync serves everything
 * that was waiting, and no timer delays anything.
 *
 * It knows groups, records and sequence numbers, and no protocol. Sequence
 * numbers are dense over all groups; the log's own records take some of them.
 *
 * Any failure is final: after a failed sync nobody knows what is on the disk,
 * and a second try may succeed without having written (Rebello et al., "Can
 * Applications Recover from fsync Failures?", ATC 2020). The host must restart.
 */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { invariant } from "@quorate/kernel";
import { Batch } from "./batch.js";
import {} from "./checkpoint-file.js";
import { Checkpointer } from "./checkpointer.js";
import { Files } from "./disk.js";
import { diskError, StorageError } from "./errors.js";
import { CONTROL_GROUP, FRAME_HEADER_BYTES, frameBytes, MAX_RECORD_BYTES } from "./frame.js";
import { HEADER_BYTES, segmentName } from "./layout.js";
import { nodeDisk } from "./node-disk.js";
import { Recovery } from "./recovery.js";
import { Retention } from "./retention.js";
import { nameSegment, prepareSegment, SegmentWriter } from "./segment-writer.js";
import { repairTail } from "./tail.js";
import { newStatistics, } from "./wal-options.js";
const FIRST_SEGMENT_BYTES = 4 * 1024 * 1024;
const SPARE_BATCHES = 2;
/** The log, open for appending. */
export class Wal {
    /** What was done so far. */
    statistics = newStatistics();
    options;
    seed;
    batchBytes;
    idleMarkMs;
    startTimer;
    retention;
    segments;
    checkpointer;
    /** The sequence number of the next record. */
    next;
    /** All up to here is durable. */
    durable;
    /** All up to here is vouched for by a mark on disk. */
    marked;
    /** The batch being filled, those cut before it, the one being written, and empty ones. */
    filling = new Batch();
    cut = [];
    writing;
    spare = [];
    pending = 0;
    writeStarted = 0;
    closing = false;
    closed;
    failure;
    cancelIdle;
    /** Cold paths that wait for a batch to complete or fail. */
    waiters = [];
    /**
     * Opens a log, or begins one, and visits what it holds: for each group the
     * records of its latest checkpoint and then those appended after that was
     * begun, in order.
     * @throws StorageError if the log is damaged, incomplete or of another format. Nothing was modified then.
     */
    static async open(options, visitor) {
        const files = new Files(options.disk ?? nodeDisk);
        const { directory } = options;
        if (await files.makeDirectory(directory))
            await files.syncDirectory(dirname(directory));
        const found = await new Recovery(files, directory, visitor).run();
        const recovered = "tail" in found ? found : undefined;
        const listing = "tail" in found ? found.listing : found;
        if (recovered === undefined && options.mustExist === true) {
            const path = join(directory, segmentName(1));
            throw new StorageError({ code: "missingSegment", path, sequence: 1 });
        }
        for (const name of listing.unfinished)
            await files.unlink(join(directory, name));
        await files.syncDirectory(directory);
        const wal = await Wal.start(options, files, recovered ?? (await begin(options, files)));
        const checkpoints = recovered?.manifest?.checkpoints;
        const newer = listing.checkpoints.some(({ group, sequence }) => checkpoints?.get(group) !== sequence);
        if (newer || listing.replaced.length > 0 || wal.retention.deletable > 0)
            wal.checkpointer.tidy();
        return wal;
    }
    static async start(options, files, recovered) {
        const { seed, next, tail } = recovered;
        const file = await files.open(tail.path, "log");
        let offset;
        try {
            offset = await repairTail(file, seed, next, tail);
        }
        catch (error) {
            await file.close();
            throw error;
        }
        return new Wal(options, files, recovered, (wal) => {
            const { directory, segmentBytes = 64 * 1024 * 1024 } = options;
            const onFailure = (error) => wal.fail(error);
            const current = { file, capacity: tail.capacity };
            const { first } = recovered.retention.segments.at(-1) ?? { first: 1 };
            const settings = { files, directory, seed, segmentBytes, onFailure };
            return new SegmentWriter(settings, current, first, offset);
        });
    }
    constructor(options, files, recovered, segments) {
        this.options = options;
        this.seed = recovered.seed;
        this.next = recovered.next;
        this.durable = this.next - 1;
        this.marked = this.durable;
        this.retention = recovered.retention;
        this.batchBytes = options.batchBytes ?? 4 * 1024 * 1024;
        this.idleMarkMs = options.idleMarkMs ?? 100;
        this.startTimer = options.startTimer ?? startTimer;
        this.segments = segments(this);
        const { directory, sliceBytes = 1024 * 1024 } = options;
        this.checkpointer = new Checkpointer({
            files,
            directory,
            seed: this.seed,
            retention: this.retention,
            sliceBytes,
            durableBelow: (sequence) => this.durableBelow(sequence),
            appendManifest: () => this.put(CONTROL_GROUP, this.retention.encodeManifest()),
            statistics: this.statistics,
            onFailure: (error) => this.fail(error),
        });
    }
    /** Bytes appended and not yet durable, for back-pressure. */
    get pendingBytes() {
        return this.pending;
    }
    /** The last position that is durable. Everything recovered is. */
    get durablePosition() {
        return this.durable;
    }
    /** The group that keeps the oldest segment from being deleted: the one to checkpoint, if any. */
    get oldestGroup() {
        return this.retention.holder;
    }
    /** Bytes in all segments' records of this group since its last checkpoint began. */
    logBytes(group) {
        return this.retention.groups.get(group)?.bytes ?? 0;
    }
    /**
     * Copies a record into the batch being filled. It is not written before `flush`.
     * @param group - A 32-bit unsigned integer below 0xFFFFFFFF.
     * @returns Its position; positions only grow, with gaps.
     * @throws StorageError what failed before; `closed`; `recordTooLarge` beyond 64 MiB.
     */
    append(group, record) {
        this.refuseIfOver();
        invariant(group >>> 0 === group && group !== CONTROL_GROUP, "a group is a uint32 below the last");
        if (record.length > MAX_RECORD_BYTES) {
            const [bytes, limit] = [record.length, MAX_RECORD_BYTES];
            throw new StorageError({ code: "recordTooLarge", bytes, limit });
        }
        const position = this.put(group, record);
        const state = this.retention.group(group);
        state.last = position;
        state.bytes += frameBytes(record.length);
        return position;
    }
    /** Writes what was appended, unless a write is in flight: then it follows when that completes. */
    flush() {
        if (this.writing === undefined && this.failure === undefined)
            this.writeNext();
    }
    /**
     * Replaces all that the group appended so far by these records, some time later.
     * They are pulled a slice per turn of the event loop, so they must not change
     * meanwhile. Recovering them must be equivalent to recovering what they
     * replace, since a crash or `close` may leave either. A checkpoint that waits
     * is dropped for a newer one of the same group.
     * @throws StorageError what failed before; `closed`.
     */
    checkpoint(group, records) {
        this.refuseIfOver();
        invariant(group >>> 0 === group && group !== CONTROL_GROUP, "a group is a uint32 below the last");
        this.retention.group(group).bytes = 0;
        this.checkpointer.begin(group, this.next, records);
    }
    /** Completes what was appended, gives up unfinished checkpoints, vouches for the last batch and closes the files. */
    close() {
        this.closed ??= this.finish();
        return this.closed;
    }
    async finish() {
        this.closing = true;
        this.cancelIdle?.();
        const stopped = this.checkpointer.stop();
        await this.drain();
        await stopped;
        await this.drain();
        if (this.failure === undefined && this.marked < this.durable) {
            this.writeMark();
            await this.drain();
        }
        try {
            await this.segments.close();
        }
        catch (error) {
            this.fail(error);
        }
    }
    async drain() {
        for (;;) {
            this.flush();
            if (this.writing === undefined)
                return;
            await this.nextCompletion();
        }
    }
    async durableBelow(sequence) {
        while (this.durable < sequence - 1) {
            if (this.failure !== undefined)
                return false;
            this.flush();
            await this.nextCompletion();
        }
        return this.failure === undefined;
    }
    nextCompletion() {
        return new Promise((resolve) => {
            this.waiters.push(resolve);
        });
    }
    refuseIfOver() {
        if (this.failure !== undefined)
            throw this.failure;
        if (this.closing)
            throw new StorageError({ code: "closed", path: this.options.directory });
    }
    put(group, record) {
        const bytes = frameBytes(record.length);
        if (this.filling.records > 0 && this.filling.size + bytes > this.batchBytes) {
            this.cut.push(this.filling);
            this.filling = this.spare.pop() ?? new Batch();
        }
        const { filling } = this;
        const sequence = this.next++;
        if (filling.size === 0)
            filling.begin(this.seed, sequence);
        filling.add(this.seed, group, sequence, record);
        this.pending += bytes;
        return sequence;
    }
    writeNext() {
        let batch = this.cut.shift();
        if (batch === undefined) {
            if (this.filling.size === 0)
                return;
            batch = this.filling;
            this.filling = this.spare.pop() ?? new Batch();
        }
        this.writing = batch;
        if (this.segments.fits(batch))
            this.writeBatch(batch);
        else
            void this.roll(batch);
    }
    writeBatch(batch) {
        this.writeStarted = performance.now();
        const { file, offset } = this.segments;
        file.raw.writeDurably(batch.bytes, batch.size, offset, this.onWritten);
    }
    async roll(batch) {
        try {
            await this.segments.roll(batch.first);
        }
        catch (error) {
            this.writing = undefined;
            return this.fail(error);
        }
        this.retention.addSegment(this.segments.file.path, batch.first);
        this.statistics.segmentsCreated++;
        this.writeBatch(batch);
    }
    onWritten = (error) => {
        const batch = this.writing;
        this.writing = undefined;
        if (batch === undefined)
            return;
        if (error !== null)
            return this.fail(diskError("write", this.segments.file.path, error));
        if (this.failure !== undefined)
            return this.wake();
        const durationMs = performance.now() - this.writeStarted;
        const { size: bytes, records, first, last } = batch;
        this.segments.advance(bytes);
        this.durable = last;
        this.marked = first - 1;
        this.recycle(batch);
        // The disk goes on before anybody is told, so that it works while they do.
        this.writeNext();
        const { statistics } = this;
        statistics.syncs++;
        statistics.bytes += bytes;
        if (records > 0) {
            statistics.batches++;
            statistics.records += records;
            this.pending -= bytes - FRAME_HEADER_BYTES;
        }
        this.options.onSync?.(durationMs, bytes);
        if (records > 0)
            this.options.onDurable(last);
        this.wake();
        if (!this.closing)
            this.cancelIdle ??= this.startTimer(this.idleMarkMs, this.onIdle);
    };
    /** Vouches for the last batch when nothing followed it for a while. */
    onIdle = () => {
        this.cancelIdle = undefined;
        if (this.failure !== undefined || this.closing || this.marked === this.durable)
            return;
        const idleMs = performance.now() - this.writeStarted;
        if (this.writing !== undefined || this.filling.size > 0 || idleMs < this.idleMarkMs * 0.9) {
            this.cancelIdle = this.startTimer(this.idleMarkMs, this.onIdle);
        }
        else
            this.writeMark();
    };
    writeMark() {
        this.filling.begin(this.seed, this.next);
        this.writeNext();
    }
    recycle(batch) {
        batch.clear(2 * this.batchBytes);
        if (this.spare.length < SPARE_BATCHES)
            this.spare.push(batch);
    }
    wake() {
        if (this.waiters.length === 0)
            return;
        for (const waiter of this.waiters.splice(0))
            waiter();
    }
    /** Makes a failure final. What is not the world's is a bug, and stops the process. */
    fail(error) {
        if (!(error instanceof StorageError)) {
            setImmediate(() => {
                throw error;
            });
        }
        if (this.failure === undefined) {
            this.failure = diskError("use", this.options.directory, error);
            this.cancelIdle?.();
            this.cut.length = 0;
            void this.checkpointer.stop();
            this.options.onFailure(this.failure);
        }
        this.wake();
    }
}
/** Makes the first segment of a log that does not exist yet. */
async function begin(options, files) {
    const { directory, segmentBytes = FIRST_SEGMENT_BYTES } = options;
    const seed = randomBytes(4).readUInt32LE(0);
    const settings = { files, directory, seed };
    const capacity = Math.min(segmentBytes, FIRST_SEGMENT_BYTES);
    const segment = await prepareSegment(settings, capacity);
    await nameSegment(settings, segment, 1);
    await segment.file.close();
    const retention = new Retention();
    const { path } = segment.file;
    retention.addSegment(path, 1);
    const [offset, markStart, garbageEnd] = [HEADER_BYTES, HEADER_BYTES, HEADER_BYTES];
    const tail = { path, capacity, offset, markStart, vouched: true, garbageEnd };
    return { seed, next: 1, retention, tail, manifest: undefined };
}
function startTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
}
//# sourceMappingURL=wal.js.map