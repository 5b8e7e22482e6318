/** Runs a fleet of seeds on worker threads, each with its own share of the seeds. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { type FleetPlan, type Subject, Tally } from "@quorate/lab";

import type { Failure, Progress, Task } from "./fleet-worker.ts";

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** More are counted, not kept. */
const KEPT_FAILURES = 100;

/** Seeds next to each other. */
export interface Seeds {
  readonly first: number;
  readonly count: number;
}

export class Fleet {
  readonly tally: Tally = new Tally();
  readonly failures: Failure[] = [];
  failed = 0;
  /** How many runs there are to make. */
  readonly total: number;
  readonly jobs: number;
  private readonly tasks: readonly Task[];

  constructor(
    subject: Subject,
    plan: FleetPlan,
    seeds: Seeds,
    shard: Shard,
    jobs: number = availableParallelism(),
  ) {
    this.total = Math.max(0, Math.ceil((seeds.count - shard.index + 1) / shard.count));
    this.jobs = Math.max(1, Math.min(jobs, this.total));
    this.tasks = Array.from({ length: this.jobs }, (_, job) => ({
      protocol: subject.name,
      plan,
      first: seeds.first + shard.index - 1 + job * shard.count,
      step: shard.count * this.jobs,
      last: seeds.first + seeds.count - 1,
    }));
  }

  /** Makes all runs. @throws Error if a worker dies of a bug in the lab. */
  async run(onProgress: () => void): Promise<void> {
    await Promise.all(this.tasks.map((task) => this.work(task, onProgress)));
  }

  private work(task: Task, onProgress: () => void): Promise<void> {
    const worker = new Worker(new URL("./fleet-worker.js", import.meta.url), { workerData: task });
    worker.on("message", ({ runs, steps, ms, asked, served, marks, failures }: Progress) => {
      this.tally.add({ steps, atMs: ms, asked, served, marks });
      this.tally.runs += runs - 1;
      this.failed += failures.length;
      this.failures.push(...failures.slice(0, KEPT_FAILURES - this.failures.length));
      onProgress();
    });
    return new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
  }
}
