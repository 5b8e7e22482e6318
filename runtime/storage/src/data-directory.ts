/**
 * The directory of one node: whose it is, in which format, and that nobody else
 * uses it now.
 *
 *     FORMAT          "quorate data 2": decides whether the rest can be read
 *     identity.json   formatVersion, directoryId, clusterId, nodeId, created, hasLog
 *     lock.*          who uses it (see lock.ts)
 *     wal/            the write-ahead log and the checkpoints
 *
 * Nothing else in it is touched. A directory with foreign content and no FORMAT
 * is refused, so that a mistyped path damages nothing.
 */

import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";

import { type Visitor } from "./checkpoint-file.ts";
import { type Disk, Files } from "./disk.ts";
import { errnoOf, type Owner, StorageError } from "./errors.ts";
import { DirectoryLock, isLockName, machineProcesses, type Processes } from "./lock.ts";
import { nodeDisk } from "./node-disk.ts";
import { Wal } from "./wal.ts";
import { type WalOptions } from "./wal-options.ts";

/** How a data directory is opened. */
export interface DataDirectoryOptions extends Owner {
  /** Made with its parents if it does not exist. */
  readonly path: string;
  /** Default: the disk of this machine. */
  readonly disk?: Disk;
  /** Default: those of this machine. */
  readonly processes?: Processes;
}

/** What identity.json says. */
export interface Identity extends Owner {
  readonly formatVersion: number;
  /** Random, made with the directory: one that replaces it has another. */
  readonly directoryId: string;
  /** When the directory was made, ISO 8601. */
  readonly created: string;
  /** Whether a log was begun in it; if so its absence is a loss. */
  readonly hasLog: boolean;
}

const FORMAT = 2;
const FORMAT_NAME = "FORMAT";
const IDENTITY_NAME = "identity.json";
const WAL_NAME = "wal";
const SMALL_BYTES = 64 * 1024;
const OURS: ReadonlySet<string> = new Set([
  FORMAT_NAME,
  `${FORMAT_NAME}.tmp`,
  IDENTITY_NAME,
  `${IDENTITY_NAME}.tmp`,
  WAL_NAME,
  "lost+found",
]);

/** An open data directory; nobody else can open it until it is closed. */
export class DataDirectory {
  readonly path: string;
  private readonly files: Files;
  private readonly disk: Disk;
  private readonly lock: DirectoryLock;
  private current: Identity;
  private wal: Wal | undefined;

  /**
   * Opens a directory or makes a new one for this owner.
   * @throws StorageError `locked`, `identityMismatch`, `corruptIdentity`,
   * `notADataDirectory`, `unsupportedFormat`, `io`, `diskFull`; nothing was damaged then.
   */
  static async open(options: DataDirectoryOptions): Promise<DataDirectory> {
    const disk = options.disk ?? nodeDisk;
    const files = new Files(disk);
    await makeDirectories(files, options.path);
    await refuseForeign(files, options.path);
    const processes = options.processes ?? machineProcesses;
    const lock = await DirectoryLock.take(files, options.path, processes);
    try {
      await checkFormat(files, options.path);
      const identity = await claim(files, options);
      return new DataDirectory(options.path, disk, files, lock, identity);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  private constructor(
    path: string,
    disk: Disk,
    files: Files,
    lock: DirectoryLock,
    identity: Identity,
  ) {
    this.path = path;
    this.disk = disk;
    this.files = files;
    this.lock = lock;
    this.current = identity;
  }

  /** Whose directory it is. */
  get identity(): Identity {
    return this.current;
  }

  /**
   * Opens the node's log. One that was there and is gone is an error, not a new beginning:
   * a node that forgot its votes would cast them twice.
   * @throws StorageError as `Wal.open`.
   */
  async openWal(
    options: Omit<WalOptions, "directory" | "disk" | "mustExist">,
    visitor: Visitor,
  ): Promise<Wal> {
    const directory = join(this.path, WAL_NAME);
    const { disk } = this;
    const mustExist = this.current.hasLog;
    this.wal = await Wal.open({ ...options, directory, disk, mustExist }, visitor);
    if (!mustExist) {
      this.current = { ...this.current, hasLog: true };
      await writeIdentity(this.files, this.path, this.current);
    }
    return this.wal;
  }

  /** Closes the log, if one is open, and releases the lock. */
  async close(): Promise<void> {
    await this.wal?.close();
    await this.lock.release();
  }
}

async function makeDirectories(files: Files, path: string): Promise<void> {
  try {
    if (await files.makeDirectory(path)) await files.syncDirectory(dirname(path));
  } catch (error) {
    const missingParent = error instanceof Error && errnoOf(error.cause) === "ENOENT";
    if (!missingParent || dirname(path) === path) throw error;
    await makeDirectories(files, dirname(path));
    await makeDirectories(files, path);
  }
}

async function refuseForeign(files: Files, path: string): Promise<void> {
  const names = await files.list(path);
  if (names.includes(FORMAT_NAME)) return;
  const found = names.find((name) => !OURS.has(name) && !isLockName(name));
  if (found !== undefined) throw new StorageError({ code: "notADataDirectory", path, found });
  if (names.includes(IDENTITY_NAME) || names.includes(WAL_NAME)) {
    const format = join(path, FORMAT_NAME);
    throw new StorageError({ code: "corruptIdentity", path: format, reason: "it is missing" });
  }
}

async function checkFormat(files: Files, directory: string): Promise<void> {
  const path = join(directory, FORMAT_NAME);
  const content = await files.readSmall(path, SMALL_BYTES);
  if (content === undefined) {
    return files.replaceSmall(directory, path, Buffer.from(`quorate data ${FORMAT}\n`));
  }
  const [, version] = /^quorate data (\d{1,9})\n$/.exec(Buffer.from(content).toString()) ?? [];
  if (version === undefined) {
    throw new StorageError({ code: "corruptIdentity", path, reason: "it names no format" });
  }
  const found = Number(version);
  if (found !== FORMAT) {
    throw new StorageError({ code: "unsupportedFormat", path, found, supported: FORMAT });
  }
}

/** Reads whose directory this is, or makes it this owner's. */
async function claim(
  files: Files,
  { path, clusterId, nodeId }: DataDirectoryOptions,
): Promise<Identity> {
  const file = join(path, IDENTITY_NAME);
  const content = await files.readSmall(file, SMALL_BYTES);
  if (content === undefined) {
    const names = await files.list(path);
    if (names.includes(WAL_NAME)) {
      throw new StorageError({ code: "corruptIdentity", path: file, reason: "it is missing" });
    }
    const created = new Date().toISOString();
    const directoryId = randomUUID();
    const fresh = { created, hasLog: false };
    const identity = { formatVersion: FORMAT, directoryId, clusterId, nodeId, ...fresh };
    await writeIdentity(files, path, identity);
    return identity;
  }
  const found = parseIdentity(content);
  if (found === undefined) {
    throw new StorageError({ code: "corruptIdentity", path: file, reason: "it is no identity" });
  }
  if (found.formatVersion !== FORMAT) {
    const [version, supported] = [found.formatVersion, FORMAT];
    throw new StorageError({ code: "unsupportedFormat", path: file, found: version, supported });
  }
  if (found.clusterId !== clusterId || found.nodeId !== nodeId) {
    const expected = { clusterId, nodeId };
    throw new StorageError({ code: "identityMismatch", path, expected, found });
  }
  return found;
}

function writeIdentity(files: Files, directory: string, identity: Identity): Promise<void> {
  const content = Buffer.from(`${JSON.stringify(identity, undefined, 2)}\n`);
  return files.replaceSmall(directory, join(directory, IDENTITY_NAME), content);
}

function parseIdentity(content: Uint8Array): Identity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(content).toString());
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const {
    formatVersion,
    directoryId,
    clusterId,
    nodeId,
    created,
    hasLog,
  }: Partial<Record<keyof Identity, unknown>> = value;
  if (typeof formatVersion !== "number" || typeof clusterId !== "string") return undefined;
  if (typeof nodeId !== "string" || typeof created !== "string") return undefined;
  if (typeof hasLog !== "boolean" || typeof directoryId !== "string") return undefined;
  return { formatVersion, directoryId, clusterId, nodeId, created, hasLog };
}
