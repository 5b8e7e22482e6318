/**
 * A disk in memory that fails as real ones do, for tests. What was written but
 * not synced may survive a power cut or not, sector by sector, also torn within
 * a sector; entries of a directory that was not synced likewise, entry by entry;
 * a sync that failed leaves its data readable but lost at the next power cut,
 * even if a later sync succeeds (fsyncgate). Every operation takes one turn of
 * the event loop, and any of them can be made to fail or to be the last.
 *
 * It assumes what the log assumes: bytes of a sector that are overwritten by
 * themselves survive, and a synced sector keeps what it has.
 */
import { basename, dirname } from "node:path";
import {} from "./disk.js";
const SECTOR_BYTES = 512;
/** The disk. After a crash it never calls back again; `restart` gives what survives. */
export class SimulatedDisk {
    /** Asked before every operation. */
    fate = () => undefined;
    /** Called once when the disk crashes. */
    onCrash = () => undefined;
    /** Operations so far. */
    operations = 0;
    /** Whether it crashed; whoever used it should be taken for dead. */
    crashed = false;
    directories = new Map();
    random;
    /** @param random - The dice for what survives, in [0, 1). */
    constructor(random = Math.random) {
        this.random = random;
        this.directories.set("/", { current: new Map(), durable: new Map() });
    }
    /**
     * The disk as the next process finds it.
     * @param powerCut - Whether the machine lost power, or only the process died.
     */
    restart(powerCut) {
        const next = new SimulatedDisk(this.random);
        const nodes = new Map();
        for (const [path, entries] of this.directories) {
            const current = new Map();
            const durable = new Map();
            for (const name of new Set([...entries.current.keys(), ...entries.durable.keys()])) {
                const [now, before] = [entries.current.get(name), entries.durable.get(name)];
                const node = powerCut && now !== before && this.random() < 0.5 ? before : now;
                const survivor = node === undefined ? undefined : this.survivor(node, powerCut, nodes);
                if (survivor !== undefined)
                    current.set(name, survivor);
                if (powerCut && survivor !== undefined)
                    durable.set(name, survivor);
                if (!powerCut && before !== undefined) {
                    durable.set(name, this.survivor(before, false, nodes));
                }
            }
            next.directories.set(path, { current, durable });
        }
        return next;
    }
    /** The content of a file, to look at or to damage in place; undefined if there is none. */
    peek(path) {
        const node = this.entries(path)?.current.get(basename(path));
        return node?.bytes.subarray(0, node.size);
    }
    /** Changes a file behind everybody's back, durably. */
    overwrite(path, content) {
        const entries = this.entries(path);
        const node = emptyNode();
        node.bytes = content.slice();
        node.durable = content.slice();
        node.size = content.length;
        node.durableSize = content.length;
        entries?.current.set(basename(path), node);
        entries?.durable.set(basename(path), node);
    }
    /** Removes a file behind everybody's back, durably. */
    remove(path) {
        this.entries(path)?.current.delete(basename(path));
        this.entries(path)?.durable.delete(basename(path));
    }
    /** The names in a directory. */
    names(path) {
        return [...(this.directories.get(path)?.current.keys() ?? [])].toSorted();
    }
    open(path, mode, done) {
        const finish = answer(done);
        this.run("open", path, finish.fail, () => {
            const entries = this.entries(path);
            const name = basename(path);
            let node = entries?.current.get(name);
            if (entries === undefined)
                return finish.fail(systemError("ENOENT", path));
            if (mode === "create") {
                if (node !== undefined)
                    return finish.fail(systemError("EEXIST", path));
                node = emptyNode();
                entries.current.set(name, node);
            }
            if (node === undefined)
                return finish.fail(systemError("ENOENT", path));
            finish.give(new SimulatedFile(this, path, node));
        });
    }
    rename(from, to, done) {
        this.run("rename", from, done, () => {
            const [source, target] = [this.entries(from), this.entries(to)];
            const node = source?.current.get(basename(from));
            if (source === undefined || target === undefined || node === undefined) {
                return done(systemError("ENOENT", from));
            }
            source.current.delete(basename(from));
            target.current.set(basename(to), node);
            done(null);
        });
    }
    unlink(path, done) {
        this.run("unlink", path, done, () => {
            const found = this.entries(path)?.current.delete(basename(path)) ?? false;
            done(found ? null : systemError("ENOENT", path));
        });
    }
    /** Directories survive without being synced: what lies in them matters more. */
    makeDirectory(path, done) {
        this.run("makeDirectory", path, done, () => {
            if (this.directories.has(path))
                return done(systemError("EEXIST", path));
            if (!this.directories.has(dirname(path)))
                return done(systemError("ENOENT", path));
            this.directories.set(path, { current: new Map(), durable: new Map() });
            done(null);
        });
    }
    list(path, done) {
        const finish = answer(done);
        this.run("list", path, finish.fail, () => {
            if (!this.directories.has(path))
                return finish.fail(systemError("ENOENT", path));
            const inner = [...this.directories.keys()].filter((each) => each !== "/");
            const folders = inner.filter((each) => dirname(each) === path).map((each) => basename(each));
            finish.give([...this.names(path), ...folders]);
        });
    }
    syncDirectory(path, done) {
        this.run("syncDirectory", path, done, () => {
            const entries = this.directories.get(path);
            if (entries === undefined)
                return done(systemError("ENOENT", path));
            entries.durable.clear();
            for (const [name, node] of entries.current)
                entries.durable.set(name, node);
            done(null);
        });
    }
    /**
     * Runs an operation in a turn of its own, unless the disk has crashed.
     * @param torn - What a crash in the middle of it does.
     */
    run(type, path, done, effect, torn = () => undefined) {
        setImmediate(() => {
            if (this.crashed)
                return;
            const fate = this.fate({ type, path, index: this.operations++ });
            if (fate === undefined)
                return effect();
            if (fate !== "crash") {
                if (type === "sync" || type === "writeDurably")
                    torn();
                return done(systemError(fate, path));
            }
            if (type !== "sync")
                torn();
            // What is asked of a crashing disk may have happened, or not.
            if (type === "rename" || type === "unlink" || type === "syncDirectory") {
                if (this.random() < 0.5)
                    this.silently(effect);
            }
            this.crashed = true;
            this.onCrash();
        });
    }
    /** A number in [0, 1). */
    dice() {
        return this.random();
    }
    silently(effect) {
        this.crashed = true;
        effect();
    }
    entries(path) {
        return this.directories.get(dirname(path));
    }
    survivor(node, powerCut, known) {
        let survivor = known.get(node);
        if (survivor !== undefined)
            return survivor;
        survivor = powerCut ? this.cutPower(node) : copyOf(node);
        known.set(node, survivor);
        return survivor;
    }
    cutPower(node) {
        const survivor = emptyNode();
        const grown = node.size !== node.durableSize && this.random() < 0.5;
        survivor.size = grown ? node.size : node.durableSize;
        survivor.bytes = new Uint8Array(survivor.size);
        survivor.bytes.set(node.durable.subarray(0, Math.min(survivor.size, node.durableSize)));
        for (const sector of node.dirty) {
            const chance = this.random();
            if (chance < 0.4)
                continue;
            const start = sector * SECTOR_BYTES;
            const whole = chance < 0.8 ? SECTOR_BYTES : Math.floor(this.random() * SECTOR_BYTES);
            const end = Math.min(start + whole, survivor.size);
            if (end > start)
                survivor.bytes.set(node.bytes.subarray(start, end), start);
        }
        survivor.durable = survivor.bytes.slice();
        survivor.durableSize = survivor.size;
        return survivor;
    }
}
/** An open file of the simulated disk. */
class SimulatedFile {
    disk;
    path;
    node;
    constructor(disk, path, node) {
        this.disk = disk;
        this.path = path;
        this.node = node;
    }
    read(into, length, position, done) {
        const finish = answer(done);
        this.disk.run("read", this.path, finish.fail, () => {
            const { node } = this;
            const part = node.bytes.subarray(position, Math.min(position + length, node.size));
            into.set(part);
            finish.give(part.length);
        });
    }
    write(from, length, position, done) {
        const apply = () => this.apply(from, length, position);
        const effect = () => {
            apply();
            done(null);
        };
        this.disk.run("write", this.path, done, effect, apply);
    }
    writeDurably(from, length, position, done) {
        const torn = () => {
            const part = this.disk.dice() < 0.3 ? Math.ceil(this.disk.dice() * length) : length;
            this.apply(from, part, position);
            // A failed sync: readable, believed clean, and not on the medium.
            if (this.disk.dice() < 0.5)
                this.node.dirty.clear();
        };
        const effect = () => {
            this.apply(from, length, position);
            const last = Math.floor((position + length - 1) / SECTOR_BYTES);
            for (let sector = Math.floor(position / SECTOR_BYTES); sector <= last; sector++) {
                this.settle(sector);
            }
            this.node.durableSize = Math.max(this.node.durableSize, position + length);
            done(null);
        };
        this.disk.run("writeDurably", this.path, done, effect, torn);
    }
    sync(done) {
        const effect = () => {
            for (const sector of this.node.dirty)
                this.settle(sector);
            this.node.durableSize = this.node.size;
            done(null);
        };
        this.disk.run("sync", this.path, done, effect, () => this.node.dirty.clear());
    }
    size(done) {
        const finish = answer(done);
        this.disk.run("size", this.path, finish.fail, () => finish.give(this.node.size));
    }
    close(done) {
        this.disk.run("close", this.path, done, () => done(null));
    }
    apply(from, length, position) {
        if (length === 0)
            return;
        const { node } = this;
        const end = position + length;
        node.bytes = grown(node.bytes, end);
        node.bytes.set(from.subarray(0, length), position);
        node.size = Math.max(node.size, end);
        const last = Math.floor((end - 1) / SECTOR_BYTES);
        for (let sector = Math.floor(position / SECTOR_BYTES); sector <= last; sector++) {
            node.dirty.add(sector);
        }
    }
    /** Puts a sector on the medium. */
    settle(sector) {
        const { node } = this;
        const start = sector * SECTOR_BYTES;
        const end = Math.min(start + SECTOR_BYTES, node.size);
        node.durable = grown(node.durable, end);
        node.durable.set(node.bytes.subarray(start, end), start);
        node.dirty.delete(sector);
    }
}
function emptyNode() {
    const nothing = new Uint8Array(0);
    return { bytes: nothing, size: 0, durable: nothing, durableSize: 0, dirty: new Set() };
}
function copyOf(node) {
    return {
        bytes: node.bytes.slice(),
        size: node.size,
        durable: node.durable.slice(),
        durableSize: node.durableSize,
        dirty: new Set(node.dirty),
    };
}
function grown(bytes, size) {
    if (bytes.length >= size)
        return bytes;
    const larger = new Uint8Array(Math.max(size, bytes.length * 2, 1024));
    larger.set(bytes);
    return larger;
}
function systemError(code, path) {
    return Object.assign(new Error(`${code}: simulated, ${path}`), { code });
}
function answer(done) {
    return {
        fail: (error) => done(error, undefined),
        give: (value) => done(null, value),
    };
}
//# sourceMappingURL=simulated-disk.js.map