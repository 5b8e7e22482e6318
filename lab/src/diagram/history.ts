/** What a space-time diagram shows: processes, their events, and messages between them. */

import { invariant } from "@quorate/kernel";

/** Something that happened at one process. */
export interface Mark {
  readonly process: string;
  /** Its place in the order in which things happened, from 0. */
  readonly at: number;
  /** Above the line: what happened. */
  readonly title: string;
  /** Below the line: a clock, or a value. */
  readonly state: string;
}

/** From one mark to another, or lost on the way to a process. */
export interface Arrow {
  readonly from: Mark;
  readonly to: Mark | { readonly lostTo: string };
}

/** A message that was sent, to be received by {@link Recorder.receive}. */
export type Sent = Mark;

/** Takes down a run as it goes. */
export class Recorder {
  /** From top to bottom. */
  readonly processes: readonly string[];
  readonly marks: Mark[] = [];
  readonly arrows: Arrow[] = [];

  constructor(processes: readonly string[]) {
    this.processes = processes;
  }

  /** An event of a process, after all that were taken down before. It may be sent along. */
  event(process: string, title: string, state: string): Sent {
    invariant(this.processes.includes(process), `${process} is one of the processes`);
    const mark = { process, at: this.marks.length, title, state };
    this.marks.push(mark);
    return mark;
  }

  /** The receipt of what was sent: an event of its own. */
  receive(sent: Sent, process: string, title: string, state: string): Sent {
    const mark = this.event(process, title, state);
    this.arrows.push({ from: sent, to: mark });
    return mark;
  }

  /** What was sent never arrives. */
  lose(sent: Sent, to: string): void {
    this.arrows.push({ from: sent, to: { lostTo: to } });
  }
}
