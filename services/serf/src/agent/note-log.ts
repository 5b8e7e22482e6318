/** Notes of the process as log lines and counts. */

import type { Note } from "@quorate/gossip";
import type { Logger } from "@quorate/host";

/** What an operator should see; the rest is for those who look closer. */
const WARNINGS: ReadonlySet<Note["type"]> = new Set([
  "onlyStreams",
  "conflict",
  "exchangeFailed",
  "mergeRefused",
  "dropped",
]);
const NEWS: ReadonlySet<Note["type"]> = new Set([
  "suspected",
  "refuted",
  "failed",
  "reaped",
  "reclaimed",
]);

export class NoteLog {
  readonly counts: Map<Note["type"], number> = new Map();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  note(note: Note): void {
    const { type, ...fields } = note;
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    if (WARNINGS.has(type)) this.logger.warn(fields, type);
    else if (NEWS.has(type)) this.logger.info(fields, type);
    else this.logger.debug(fields, type);
  }
}
