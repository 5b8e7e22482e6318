/** etcd's own command line, pointed at somebody's endpoints. */

import assert from "node:assert/strict";

import { Conversation, type Ran, run } from "./programs.ts";

export class Etcdctl {
  private readonly endpoints: string;
  private flags: readonly string[] = [];

  constructor(...endpoints: readonly string[]) {
    this.endpoints = endpoints.join(",");
  }

  /** The same with further flags. */
  with(flags: readonly string[]): Etcdctl {
    const other = new Etcdctl(this.endpoints);
    other.flags = [...this.flags, ...flags];
    return other;
  }

  /** Runs a command, whatever its exit status. */
  try(args: readonly string[], stdin?: string): Promise<Ran> {
    return run("etcdctl", this.arguments(args), stdin);
  }

  /** Runs a command that must succeed and returns what it printed. */
  async do(args: readonly string[], stdin?: string): Promise<string> {
    const { status, stdout, stderr } = await this.try(args, stdin);
    assert.equal(status, 0, `etcdctl ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs a command that must succeed, with its output as JSON. */
  async json(...args: readonly string[]): Promise<Json> {
    return JSON.parse(await this.do([...args, "-w", "json"])) as Json;
  }

  /** Starts a command that goes on. */
  talk(...args: readonly string[]): Conversation {
    return new Conversation("etcdctl", this.arguments(args));
  }

  private arguments(args: readonly string[]): readonly string[] {
    return ["--endpoints", this.endpoints, "--command-timeout", "10s", ...this.flags, ...args];
  }
}

/** What etcdctl prints as JSON, as far as tests look. */
export interface Json {
  readonly header: { readonly revision?: number; readonly member_id?: number };
  readonly count?: number;
  readonly more?: boolean;
  readonly kvs?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly create_revision: number;
    readonly mod_revision: number;
    readonly version: number;
    readonly lease?: number;
  }[];
  readonly succeeded?: boolean;
}
