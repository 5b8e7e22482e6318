/**
 * What happened, as lines a reviewer can read: one heading for each step of a
 * node, its effects below, in the order in which the process spoke them.
 */

import type { NodeId } from "@quorate/kernel";

interface Sending {
  readonly mark: string;
  readonly text: string;
  readonly to: NodeId[];
}

export class Trace {
  /** Broken promises and stopped nodes, whatever else was printed. */
  readonly alarms: string[] = [];
  private lines: string[] = [];
  /** The last send, as long as the same may still go to other receivers. */
  private sending: Sending | undefined;

  heading(text: string): void {
    this.flush();
    this.lines.push(`  ${text}`);
  }

  effect(text: string): void {
    this.flush();
    this.lines.push(`    ${text}`);
  }

  /** The same words to several receivers become one line. */
  send(mark: string, to: NodeId, text: string): void {
    if (this.sending?.mark === mark && this.sending.text === text) {
      this.sending.to.push(to);
      return;
    }
    this.flush();
    this.sending = { mark, text, to: [to] };
  }

  alarm(text: string): void {
    this.flush();
    this.alarms.push(text);
    this.lines.push(`  !! ${text}`);
  }

  /** Everything since the last call. */
  take(): readonly string[] {
    this.flush();
    const { lines } = this;
    this.lines = [];
    return lines;
  }

  private flush(): void {
    const { sending } = this;
    if (sending === undefined) return;
    this.sending = undefined;
    this.lines.push(`    ${sending.mark} ${sending.to.join(" ")}: ${sending.text}`);
  }
}
