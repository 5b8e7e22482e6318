/**
 * A small workbench that speaks Maelstrom's protocol: starts nodes as programs of
 * their own, carries their letters, delays and loses some, and plays the clients.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import { Random } from "@quorate/kernel";

import type { Body, Letter } from "./messages.ts";

const BIN = fileURLToPath(new URL("../../bin/quorate.mjs", import.meta.url));

type Program = ChildProcessByStdio<Writable, Readable, null>;

export interface Trouble {
  /** Of 1,000 letters between nodes, how many are lost. */
  readonly lossPermille: number;
  /** The longest that a letter between nodes takes. */
  readonly delayMs: number;
}

export class Bench {
  readonly nodes: readonly string[];
  /** How many letters nodes have sent each other. */
  letters = 0;
  private readonly programs = new Map<string, Program>();
  private readonly waiting = new Map<number, (body: Body) => void>();
  private readonly trouble: Trouble;
  private readonly random = new Random(1);
  /** Nodes cut off from the others. */
  private readonly cut = new Set<string>();
  private ids = 0;

  constructor(workload: string, count: number, trouble: Trouble = { lossPermille: 0, delayMs: 0 }) {
    this.nodes = Array.from({ length: count }, (_, i) => `n${i}`);
    this.trouble = trouble;
    for (const node of this.nodes) {
      const program = spawn(process.execPath, [BIN, "maelstrom", workload], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      this.programs.set(node, program);
      createInterface({ input: program.stdout }).on("line", (line) => {
        this.carry(JSON.parse(line) as Letter);
      });
    }
  }

  async init(): Promise<void> {
    await Promise.all(
      this.nodes.map((node) =>
        this.ask(node, { type: "init", node_id: node, node_ids: this.nodes }),
      ),
    );
  }

  /** Asks as a client and resolves to the answer, errors included. */
  ask(node: string, body: Body, client = "c1"): Promise<Body> {
    const id = ++this.ids;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.write(node, { src: client, dest: node, body: { ...body, msg_id: id } });
    });
  }

  /** Asks again until the answer is no error that another try may cure. */
  async insist(node: string, body: Body): Promise<Body> {
    for (;;) {
      const answer = await this.ask(node, body);
      if (answer.type !== "error" || answer["code"] !== 11) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  partition(nodes: readonly string[]): void {
    for (const node of nodes) this.cut.add(node);
  }

  heal(): void {
    this.cut.clear();
  }

  /** Ends standard input of all nodes and resolves to their exit statuses. */
  async close(): Promise<readonly (number | null)[]> {
    return Promise.all(
      [...this.programs.values()].map(
        (program) =>
          new Promise<number | null>((resolve) => {
            program.once("exit", (status) => resolve(status));
            program.stdin.end();
          }),
      ),
    );
  }

  private carry(letter: Letter): void {
    const { src, dest, body } = letter;
    if (!this.programs.has(dest)) {
      const { in_reply_to: id = -1 } = body;
      const resolve = this.waiting.get(id);
      this.waiting.delete(id);
      return resolve?.(body);
    }
    this.letters++;
    const { lossPermille, delayMs } = this.trouble;
    if (this.cut.has(src) !== this.cut.has(dest) || this.random.below(1000) < lossPermille) return;
    if (delayMs === 0) this.write(dest, letter);
    else setTimeout(() => this.write(dest, letter), this.random.below(delayMs));
  }

  private write(node: string, letter: Letter): void {
    const { stdin } = this.programs.get(node)!;
    if (stdin.writable) stdin.write(`${JSON.stringify(letter)}\n`);
  }
}
