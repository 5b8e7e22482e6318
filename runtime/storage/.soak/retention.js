/**
 * Which group still needs which part of the log, and the manifest: a record of
 * the log itself that says which segments and checkpoints must exist. Whatever
 * is deleted is deleted only after a manifest that allows it is durable, so
 * recovery can tell "deleted because nobody needed it" from "lost".
 */
import { readUint53, writeUint53 } from "./frame.js";
/** Keeps account of groups and segments. */
export class Retention {
    groups = new Map();
    /** Oldest first; the last is being written. */
    segments = [];
    /** The state of a group, made at its first mention. */
    group(group) {
        let state = this.groups.get(group);
        if (state === undefined) {
            state = { bytes: 0, last: 0, checkpoint: 0 };
            this.groups.set(group, state);
        }
        return state;
    }
    /** Adds a segment behind the others, which closes the account of the one before it. */
    addSegment(path, first) {
        const full = this.segments.at(-1);
        if (full !== undefined) {
            for (const [group, { last }] of this.groups) {
                if (last >= full.first)
                    full.lastOf.set(group, Math.min(last, first - 1));
            }
        }
        this.segments.push({ path, first, lastOf: new Map() });
    }
    /** How many of the oldest segments hold nothing that a group needs. The one being written stays. */
    get deletable() {
        const count = this.segments.findIndex((segment) => this.holderOf(segment) !== undefined);
        return count === -1 ? this.segments.length - 1 : Math.min(count, this.segments.length - 1);
    }
    /** A group whose records keep the oldest segment alive, or undefined if there is none. */
    get holder() {
        const oldest = this.segments[0];
        return oldest === undefined || this.segments.length === 1 ? undefined : this.holderOf(oldest);
    }
    /** The manifest that allows deleting `deletable` segments and all but the latest checkpoints. */
    encodeManifest() {
        const entries = [...this.groups].filter(([, state]) => state.checkpoint > 0);
        const bytes = new Uint8Array(12 + entries.length * 12);
        const view = new DataView(bytes.buffer);
        writeUint53(view, 0, this.segments[this.deletable]?.first ?? 1);
        view.setUint32(8, entries.length, true);
        let at = 12;
        for (const [group, { checkpoint }] of entries) {
            view.setUint32(at, group, true);
            writeUint53(view, at + 4, checkpoint);
            at += 12;
        }
        return bytes;
    }
    holderOf(segment) {
        for (const [group, last] of segment.lastOf) {
            if (last >= this.group(group).checkpoint)
                return group;
        }
        return undefined;
    }
}
/** Reads a manifest, or undefined if these bytes are none. */
export function decodeManifest(bytes) {
    if (bytes.length < 12)
        return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = view.getUint32(8, true);
    if (bytes.length !== 12 + count * 12)
        return undefined;
    const checkpoints = new Map();
    for (let at = 12; at < bytes.length; at += 12) {
        checkpoints.set(view.getUint32(at, true), readUint53(view, at + 4));
    }
    return { first: readUint53(view, 0), checkpoints };
}
//# sourceMappingURL=retention.js.map