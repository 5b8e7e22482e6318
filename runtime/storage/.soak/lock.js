/**
 * The lock of a data directory, against a second process. The one idea is
 * Dekker's: raise your flag, then look. Each process makes a file whose *name*
 * says who it is (pid, start time, boot), and only then looks for others. Of
 * two that start together at least one sees the other, so never do both go on;
 * it may happen that neither does.
 *
 * Since a name never changes its meaning, there is nothing to take over: the
 * flag of a dead process, or of one whose pid was given to another, is known by
 * its start time and removed by whoever sees it. There is no half-written lock.
 *
 * It guards one machine and one pid namespace: not a network file system, not
 * two containers that share a volume.
 */
import fs from "node:fs";
import { join } from "node:path";
import {} from "./disk.js";
import { errnoOf, StorageError } from "./errors.js";
/** Locks held by this process, for systems that tell no start times. */
const held = new Set();
/** Whether a name in a data directory is that of a lock. */
export function isLockName(name) {
    return parseName(name) !== undefined;
}
/** A lock that is held until it is released. */
export class DirectoryLock {
    files;
    path;
    /**
     * Takes the lock.
     * @throws StorageError `locked` if a living process has it.
     */
    static async take(files, directory, processes) {
        const self = processes.self();
        const name = nameOf(self);
        const path = join(directory, name);
        await raise(files, path, self);
        held.add(path);
        const lock = new DirectoryLock(files, path);
        try {
            for (const other of await files.list(directory)) {
                const owner = parseName(other);
                if (owner === undefined || other === name)
                    continue;
                const otherPath = join(directory, other);
                if (processes.alive(owner)) {
                    throw new StorageError({ code: "locked", path: directory, pid: owner.pid });
                }
                await removeStale(files, otherPath);
            }
        }
        catch (error) {
            await lock.release();
            throw error;
        }
        return lock;
    }
    constructor(files, path) {
        this.files = files;
        this.path = path;
    }
    /** Gives the lock back. */
    async release() {
        held.delete(this.path);
        await this.files.unlink(this.path);
    }
}
async function raise(files, path, self) {
    try {
        const file = await files.open(path, "create");
        await file.close();
    }
    catch (error) {
        if (!(error instanceof Error) || errnoOf(error.cause) !== "EEXIST")
            throw error;
        // Where start times are told, only this very process can have made it; elsewhere a dead namesake can.
        if (self.started !== "0" || held.has(path)) {
            throw new StorageError({ code: "locked", path, pid: self.pid });
        }
    }
}
/** Two that start together may both find it. */
async function removeStale(files, path) {
    try {
        await files.unlink(path);
    }
    catch (error) {
        if (!(error instanceof Error) || errnoOf(error.cause) !== "ENOENT")
            throw error;
    }
}
function nameOf({ pid, started, boot }) {
    return `lock.${pid}.${started}.${boot}`;
}
function parseName(name) {
    const [, pid, started, boot] = /^lock\.(\d{1,10})\.(\d{1,20})\.([0-9a-f]{1,8})$/.exec(name) ?? [];
    if (pid === undefined || started === undefined || boot === undefined)
        return undefined;
    return { pid: Number(pid), started, boot };
}
/** The processes of this machine, by /proc where there is one. */
export const machineProcesses = {
    self() {
        const { pid } = process;
        return { pid, started: statusOf(pid)?.started ?? "0", boot: bootOf() };
    },
    alive({ pid, started, boot }) {
        if (boot !== bootOf())
            return false;
        if (started !== "0") {
            const status = statusOf(pid);
            return status?.started === started && status.state !== "Z" && status.state !== "X";
        }
        try {
            process.kill(pid, 0);
            return true;
        }
        catch (error) {
            return errnoOf(error) === "EPERM";
        }
    },
};
/** State and start time (fields 3 and 22 of /proc/pid/stat, behind a name that may hold anything). */
function statusOf(pid) {
    const text = readText(`/proc/${pid}/stat`);
    const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields?.[0], fields?.[19]];
    return state === undefined || started === undefined ? undefined : { state, started };
}
function bootOf() {
    return readText("/proc/sys/kernel/random/boot_id")?.slice(0, 8) ?? "0";
}
function readText(path) {
    try {
        return fs.readFileSync(path, "utf8");
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=lock.js.map