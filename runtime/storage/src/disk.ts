/**
 * The little of a file system that storage needs, so that tests can put a disk
 * beneath it that tears, lies, fills up and loses power. Callbacks, because the
 * log writes through it for every batch; the cold paths (opening, rolling,
 * checkpoints) go through `Files`, which makes promises of them and names what
 * failed and where.
 */

import { diskError, errnoOf } from "./errors.ts";

/** Called once, with what went wrong or null. */
export type Done = (error: Error | null) => void;
/** Called once, with what went wrong or null and the result. */
export type Got<T> = (error: Error | null, value: T | undefined) => void;

/**
 * How a file is opened: `create` makes a new one (an existing one is an error)
 * for reading and writing, `read` only reads, `log` reads and overwrites an
 * existing file, mostly by `writeDurably`.
 */
export type OpenMode = "create" | "read" | "log";

/** One open file. Offsets and lengths in bytes; the caller never writes one file twice at a time. */
export interface DiskFile {
  /** Reads up to `length` bytes at `position` into the front of `into`; gives the count, 0 at the end. */
  read(into: Uint8Array, length: number, position: number, done: Got<number>): void;
  /** Writes the first `length` bytes of `from` at `position`, wholly; durable only after `sync`. */
  write(from: Uint8Array, length: number, position: number, done: Done): void;
  /** As `write`, and durable when it is done. The file must be open as `log`. */
  writeDurably(from: Uint8Array, length: number, position: number, done: Done): void;
  /** Makes the file's content and size durable. */
  sync(done: Done): void;
  size(done: Got<number>): void;
  close(done: Done): void;
}

/** A file system. Entries made, renamed or removed are durable after `syncDirectory`. */
export interface Disk {
  open(path: string, mode: OpenMode, done: Got<DiskFile>): void;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string, done: Done): void;
  unlink(path: string, done: Done): void;
  /** Makes one directory; an existing one is an error (`EEXIST`). */
  makeDirectory(path: string, done: Done): void;
  /** The names in a directory, in no order. */
  list(path: string, done: Got<readonly string[]>): void;
  syncDirectory(path: string, done: Done): void;
}

/** The cold side of a disk: promises, and errors that name operation and path. */
export class Files {
  private readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const verb = mode === "create" ? "create" : "open";
    return new OpenFile(
      path,
      await got<DiskFile>(verb, path, (done) => this.disk.open(path, mode, done)),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return settled("rename", from, (done) => this.disk.rename(from, to, done));
  }

  unlink(path: string): Promise<void> {
    return settled("delete", path, (done) => this.disk.unlink(path, done));
  }

  /** Makes a directory and says whether it was new. */
  makeDirectory(path: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.disk.makeDirectory(path, (error) => {
        if (error === null) resolve(true);
        else if (errnoOf(error) === "EEXIST") resolve(false);
        else reject(diskError("create", path, error));
      });
    });
  }

  list(path: string): Promise<readonly string[]> {
    return got<readonly string[]>("list", path, (done) => this.disk.list(path, done));
  }

  syncDirectory(path: string): Promise<void> {
    return settled("sync", path, (done) => this.disk.syncDirectory(path, done));
  }

  /**
   * The content of a small file, or undefined if there is none.
   * @param limit - Bytes beyond which the rest is left unread.
   */
  async readSmall(path: string, limit: number): Promise<Uint8Array | undefined> {
    let file: OpenFile;
    try {
      file = await this.open(path, "read");
    } catch (error) {
      if (error instanceof Error && errnoOf(error.cause) === "ENOENT") return undefined;
      throw error;
    }
    try {
      return await file.read(0, Math.min(limit, await file.size()));
    } finally {
      await file.close();
    }
  }

  /** Writes a small file aside, makes it durable and renames it into place; `directory` holds both. */
  async replaceSmall(directory: string, path: string, content: Uint8Array): Promise<void> {
    const aside = `${path}.tmp`;
    const names = await this.list(directory);
    if (names.some((name) => aside.endsWith(`/${name}`))) await this.unlink(aside);
    const file = await this.open(aside, "create");
    try {
      await file.write(content, content.length, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.rename(aside, path);
    await this.syncDirectory(directory);
  }
}

/** An open file with promises for the cold paths; `raw` is for the hot one. */
export class OpenFile {
  /** Under which name it is known; whoever renames it says so. */
  path: string;
  readonly raw: DiskFile;

  constructor(path: string, raw: DiskFile) {
    this.path = path;
    this.raw = raw;
  }

  /** Reads `length` bytes at `position`, fewer only at the end of the file, into a buffer of their own. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const rest = filled === 0 ? bytes : bytes.subarray(filled);
      const at = position + filled;
      const count = await got<number>("read", this.path, (done) =>
        this.raw.read(rest, rest.length, at, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled === length ? bytes : bytes.subarray(0, filled);
  }

  write(from: Uint8Array, length: number, position: number): Promise<void> {
    return settled("write", this.path, (done) => this.raw.write(from, length, position, done));
  }

  writeDurably(from: Uint8Array, length: number, position: number): Promise<void> {
    return settled("write", this.path, (done) =>
      this.raw.writeDurably(from, length, position, done),
    );
  }

  sync(): Promise<void> {
    return settled("sync", this.path, (done) => this.raw.sync(done));
  }

  size(): Promise<number> {
    return got<number>("measure", this.path, (done) => this.raw.size(done));
  }

  close(): Promise<void> {
    return settled("close", this.path, (done) => this.raw.close(done));
  }
}

function settled(operation: string, path: string, run: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((error) => {
      if (error === null) resolve();
      else reject(diskError(operation, path, error));
    });
  });
}

function got<T>(operation: string, path: string, run: (done: Got<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, value) => {
      if (error === null && value !== undefined) resolve(value);
      else reject(diskError(operation, path, error ?? new Error("no result")));
    });
  });
}
