/**
 * The little of a file system that storage needs, so that tests can put a disk
 * beneath it that tears, lies, fills up and loses power. Callbacks, because the
 * log writes through it for every batch; the cold paths (opening, rolling,
 * checkpoints) go through `Files`, which makes promises of them and names what
 * failed and where.
 */
import { diskError, errnoOf } from "./errors.js";
/** The cold side of a disk: promises, and errors that name operation and path. */
export class Files {
    disk;
    constructor(disk) {
        this.disk = disk;
    }
    async open(path, mode) {
        const verb = mode === "create" ? "create" : "open";
        return new OpenFile(path, await got(verb, path, (done) => this.disk.open(path, mode, done)));
    }
    rename(from, to) {
        return settled("rename", from, (done) => this.disk.rename(from, to, done));
    }
    unlink(path) {
        return settled("delete", path, (done) => this.disk.unlink(path, done));
    }
    /** Makes a directory and says whether it was new. */
    makeDirectory(path) {
        return new Promise((resolve, reject) => {
            this.disk.makeDirectory(path, (error) => {
                if (error === null)
                    resolve(true);
                else if (errnoOf(error) === "EEXIST")
                    resolve(false);
                else
                    reject(diskError("create", path, error));
            });
        });
    }
    list(path) {
        return got("list", path, (done) => this.disk.list(path, done));
    }
    syncDirectory(path) {
        return settled("sync", path, (done) => this.disk.syncDirectory(path, done));
    }
    /**
     * The content of a small file, or undefined if there is none.
     * @param limit - Bytes beyond which the rest is left unread.
     */
    async readSmall(path, limit) {
        let file;
        try {
            file = await this.open(path, "read");
        }
        catch (error) {
            if (error instanceof Error && errnoOf(error.cause) === "ENOENT")
                return undefined;
            throw error;
        }
        try {
            return await file.read(0, Math.min(limit, await file.size()));
        }
        finally {
            await file.close();
        }
    }
    /** Writes a small file aside, makes it durable and renames it into place; `directory` holds both. */
    async replaceSmall(directory, path, content) {
        const aside = `${path}.tmp`;
        const names = await this.list(directory);
        if (names.some((name) => aside.endsWith(`/${name}`)))
            await this.unlink(aside);
        const file = await this.open(aside, "create");
        try {
            await file.write(content, content.length, 0);
            await file.sync();
        }
        finally {
            await file.close();
        }
        await this.rename(aside, path);
        await this.syncDirectory(directory);
    }
}
/** An open file with promises for the cold paths; `raw` is for the hot one. */
export class OpenFile {
    /** Under which name it is known; whoever renames it says so. */
    path;
    raw;
    constructor(path, raw) {
        this.path = path;
        this.raw = raw;
    }
    /** Reads `length` bytes at `position`, fewer only at the end of the file, into a buffer of their own. */
    async read(position, length) {
        const bytes = new Uint8Array(length);
        let filled = 0;
        while (filled < length) {
            const rest = filled === 0 ? bytes : bytes.subarray(filled);
            const at = position + filled;
            const count = await got("read", this.path, (done) => this.raw.read(rest, rest.length, at, done));
            if (count === 0)
                break;
            filled += count;
        }
        return filled === length ? bytes : bytes.subarray(0, filled);
    }
    write(from, length, position) {
        return settled("write", this.path, (done) => this.raw.write(from, length, position, done));
    }
    writeDurably(from, length, position) {
        return settled("write", this.path, (done) => this.raw.writeDurably(from, length, position, done));
    }
    sync() {
        return settled("sync", this.path, (done) => this.raw.sync(done));
    }
    size() {
        return got("measure", this.path, (done) => this.raw.size(done));
    }
    close() {
        return settled("close", this.path, (done) => this.raw.close(done));
    }
}
function settled(operation, path, run) {
    return new Promise((resolve, reject) => {
        run((error) => {
            if (error === null)
                resolve();
            else
                reject(diskError(operation, path, error));
        });
    });
}
function got(operation, path, run) {
    return new Promise((resolve, reject) => {
        run((error, value) => {
            if (error === null && value !== undefined)
                resolve(value);
            else
                reject(diskError(operation, path, error ?? new Error("no result")));
        });
    });
}
//# sourceMappingURL=disk.js.map