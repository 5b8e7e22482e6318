/**
 * Remembers, on disk, the data directory that each other member was first met
 * with, so that one that comes back without its memory is not let in.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";

import type { NodeId } from "@quorate/kernel";

import { HostError } from "./errors.ts";
import type { KnownDirectories } from "./transport/handshake.ts";

const FILE = "members.json";

/** Members are few and met once, so a synchronous write is paid hardly ever. */
export class DirectoryBook implements KnownDirectories {
  private readonly directory: string;
  private readonly known: Map<NodeId, string>;

  /** @throws HostError if the file of an earlier run cannot be understood. */
  constructor(directory: string) {
    this.directory = directory;
    this.known = new Map(Object.entries(read(path.join(directory, FILE))));
  }

  meet(node: NodeId, directory: string): string {
    const first = this.known.get(node);
    if (first !== undefined) return first;
    this.known.set(node, directory);
    this.write();
    return directory;
  }

  private write(): void {
    const file = path.join(this.directory, FILE);
    const aside = `${file}.tmp`;
    const descriptor = openSync(aside, "w");
    writeSync(descriptor, `${JSON.stringify(Object.fromEntries(this.known), undefined, 2)}\n`);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(aside, file);
    const folder = openSync(this.directory, "r");
    fsyncSync(folder);
    closeSync(folder);
  }
}

function read(file: string): { readonly [node: string]: string } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const entries = Object.entries(value);
      if (entries.every(([, id]) => typeof id === "string"))
        return value as { [k: string]: string };
    }
  } catch {
    // Falls through to the error below, which names the file.
  }
  const reason = `${file} is damaged: it should hold a JSON object of node names and directory ids`;
  throw new HostError({ code: "configuration", reason });
}
