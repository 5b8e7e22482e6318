/** `quorate maelstrom`: a node of the Maelstrom workbench, on standard input and output. */

import { createInterface } from "node:readline";

import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import { didYouMean } from "../terminal/suggest.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { type Body, ERROR, errorBody, type Letter, parseLetter } from "./messages.ts";
import type { StartNode, WorkloadNode } from "./workload.ts";
import { WORKLOADS } from "./workloads/catalogue.ts";

/** Runs until standard input ends. */
export async function maelstrom(workload: string, terminal: Terminal): Promise<ExitStatus> {
  const names = Object.keys(WORKLOADS);
  const start = Object.hasOwn(WORKLOADS, workload) ? WORKLOADS[workload] : undefined;
  if (start === undefined) {
    const reason = `no workload "${workload}"; there are ${names.join(", ")}${didYouMean(workload, names)}`;
    throw new CliError({ code: "usage", reason });
  }
  const node = new Node(start, terminal);
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      if (line.trim() !== "") node.read(line);
    }
  } finally {
    node.stop();
  }
  return EXIT.fine;
}

/** From the first line, which says who this node is, to the last. */
class Node {
  private readonly start: StartNode;
  private readonly terminal: Terminal;
  private self = "";
  private nodes: readonly string[] = [];
  private workload: WorkloadNode | undefined;

  constructor(start: StartNode, terminal: Terminal) {
    this.start = start;
    this.terminal = terminal;
  }

  read(line: string): void {
    const letter = parseLetter(line);
    if (letter === undefined) {
      return this.terminal.complain(`quorate: not a letter: ${line.slice(0, 200)}`);
    }
    const { src, body } = letter;
    if (body.type === "init") return this.init(letter);
    if (this.workload === undefined) {
      return this.answer(letter, errorBody(ERROR.temporarilyUnavailable, "not initialised"));
    }
    if (this.nodes.includes(src)) this.workload.hear(src, body);
    else this.workload.ask(body, (reply) => this.answer(letter, reply));
  }

  stop(): void {
    this.workload?.stop();
  }

  private init(letter: Letter): void {
    const { node_id: self, node_ids: nodes } = letter.body;
    const isRight =
      typeof self === "string" &&
      Array.isArray(nodes) &&
      nodes.every((node) => typeof node === "string") &&
      nodes.includes(self) &&
      this.workload === undefined;
    if (!isRight) {
      const text = "init comes once, with node_id, and node_ids that include it";
      return this.answer(letter, errorBody(ERROR.malformedRequest, text));
    }
    this.self = self;
    this.nodes = nodes;
    const send = (dest: string, body: Body): void => this.send(dest, body);
    this.workload = this.start({ self, nodes: this.nodes, send });
    this.answer(letter, { type: "init_ok" });
  }

  private answer({ src, dest, body }: Letter, reply: Body): void {
    if (body.msg_id === undefined) return; // Nobody waits.
    this.self ||= dest;
    this.send(src, { ...reply, in_reply_to: body.msg_id });
  }

  private send(dest: string, body: Body): void {
    this.terminal.write(`${JSON.stringify({ src: this.self, dest, body })}\n`);
  }
}
