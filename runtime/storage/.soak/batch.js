/** Frames on their way to the disk: one buffer that is filled, written by one call, and used again. */
import { frameBytes, MARK, RECORD, writeFrame } from "./frame.js";
const FIRST_BYTES = 64 * 1024;
/** A batch of the log: a mark, then records. */
export class Batch {
    bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    view = viewOf(this.bytes);
    /** Bytes filled. */
    size = 0;
    /** Records in it. */
    records = 0;
    /** The sequence number in its mark: that of its first record. */
    first = 0;
    /** The sequence number of its last record; without records, that before its mark. */
    last = 0;
    /** Begins the batch: says that everything below `sequence` is durable by the time this is written. */
    begin(seed, sequence) {
        this.first = sequence;
        this.last = sequence - 1;
        this.size = writeFrame(this.bytes, this.view, 0, seed, MARK, 0, sequence);
    }
    /** Copies a record in. */
    add(seed, group, sequence, record) {
        this.reserve(this.size + frameBytes(record.length));
        const { bytes, view, size } = this;
        this.size = writeFrame(bytes, view, size, seed, RECORD, group, sequence, record);
        this.last = sequence;
        this.records++;
    }
    /** Empties the batch for the next use; a buffer beyond `keepBytes` is given back. */
    clear(keepBytes) {
        this.size = 0;
        this.records = 0;
        if (this.bytes.length > keepBytes)
            this.adopt(Buffer.allocUnsafeSlow(FIRST_BYTES));
    }
    reserve(bytes) {
        if (bytes <= this.bytes.length)
            return;
        const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.bytes.length * 2));
        larger.set(this.bytes.subarray(0, this.size));
        this.adopt(larger);
    }
    adopt(bytes) {
        this.bytes = bytes;
        this.view = viewOf(bytes);
    }
}
function viewOf(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
//# sourceMappingURL=batch.js.map