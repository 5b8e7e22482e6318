/** Damage to a node's directory, done on purpose and undone; and small disks. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** Content of every file below a directory, by path, as hashes; locks apart. */
export function fingerprint(directory: string): ReadonlyMap<string, string> {
  const files = fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("lock."))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted();
  return new Map(
    files.map((file) => [file, createHash("sha256").update(fs.readFileSync(file)).digest("hex")]),
  );
}

/** Files of the log whose names begin so, oldest first. */
export function walFiles(dataDir: string, prefix: "segment" | "checkpoint"): readonly string[] {
  const wal = path.join(dataDir, "wal");
  return fs
    .readdirSync(wal)
    .filter((name) => name.startsWith(`${prefix}-`) && !name.endsWith(".tmp"))
    .toSorted()
    .map((name) => path.join(wal, name));
}

/** Flips one bit of a file in the middle of what was written. Returns how to flip it back. */
export function flipBit(file: string): () => void {
  const size = writtenBytes(file);
  const at = Math.floor(size / 2);
  const flip = (): void => {
    const descriptor = fs.openSync(file, "r+");
    const byte = Buffer.alloc(1);
    fs.readSync(descriptor, byte, 0, 1, at);
    byte[0]! ^= 0x10;
    fs.writeSync(descriptor, byte, 0, 1, at);
    fs.closeSync(descriptor);
  };
  flip();
  return flip;
}

/** Segments are as long as they may become, and zeros where nothing was written yet. */
function writtenBytes(file: string): number {
  const content = fs.readFileSync(file);
  let end = content.length;
  while (end > 0 && content[end - 1] === 0) end--;
  return end;
}

/** Mounts a disk of this size; undefined if this process may not. */
export function mountSmall(directory: string, bytes: number): SmallDisk | undefined {
  fs.mkdirSync(directory, { recursive: true });
  const mounted = mount("-t", "tmpfs", "-o", `size=${bytes}`, "none", directory);
  return mounted ? new SmallDisk(directory) : undefined;
}

/** A disk that can be full. */
export class SmallDisk {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  grow(bytes: number): void {
    if (!mount("-o", `remount,size=${bytes}`, this.directory)) throw new Error("cannot remount");
  }

  unmount(): void {
    spawnSync("umount", ["-l", this.directory]);
  }
}

function mount(...args: readonly string[]): boolean {
  return spawnSync("mount", args, { stdio: "ignore" }).status === 0;
}
