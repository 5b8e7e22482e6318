/**
 * The cluster as one node sees it: its own report and what the others answer
 * when asked. Many readers share one round of questions.
 */

import { type AskOptions, askStatus } from "../cluster/ask.ts";
import type { MemberReport, NodeReport } from "../cluster/report.ts";

/** What is known of a member now. */
export interface SeenMember extends MemberReport {
  /** What it answered; absent if it did not. */
  readonly report?: NodeReport;
  /** Why there is no report. */
  readonly reason?: string;
}

export interface ClusterReport {
  readonly answeredBy: string;
  readonly clusterId: string;
  readonly version: string;
  readonly members: readonly SeenMember[];
}

export interface ClusterViewOptions {
  readonly self: string;
  readonly report: () => Promise<NodeReport>;
  readonly ask: AskOptions;
}

/** However many watch, the others are asked no more often than this. */
const FRESH_MS = 300;

export class ClusterView {
  private readonly options: ClusterViewOptions;
  private latest: Promise<ClusterReport> | undefined;
  private askedMs = 0;

  constructor(options: ClusterViewOptions) {
    this.options = options;
  }

  look(): Promise<ClusterReport> {
    const now = performance.now();
    if (this.latest === undefined || now - this.askedMs > FRESH_MS) {
      this.askedMs = now;
      this.latest = this.gather();
    }
    return this.latest;
  }

  private async gather(): Promise<ClusterReport> {
    const own = await this.options.report();
    const members = await Promise.all(own.members.map((member) => this.see(member, own)));
    const { name, clusterId, version } = own;
    return { answeredBy: name, clusterId, version, members };
  }

  private async see(member: MemberReport, own: NodeReport): Promise<SeenMember> {
    if (member.name === own.name) return { ...member, report: own };
    const asked = await askStatus(member.http, this.options.ask);
    if (asked.type === "silent") return { ...member, reason: asked.reason };
    const { report } = asked;
    const expected = report.name === member.name && report.clusterId === own.clusterId;
    if (expected) return { ...member, report };
    return { ...member, reason: `${report.name} of cluster ${report.clusterId} answers there` };
  }
}
