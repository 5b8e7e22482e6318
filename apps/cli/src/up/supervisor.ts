/**
 * Keeps the nodes of a cluster running: starts them, restarts one that dies,
 * later each time, and leaves alone one that stopped by its own judgement
 * (status 1: its settings, its directory, a broken invariant), which a restart
 * does not cure.
 */

import { unreachable } from "@quorate/kernel";

import { EXIT } from "../errors.ts";
import type { NodeWord } from "../node/lifeline.ts";
import { Child } from "./child.ts";
import type { UpEvent } from "./words.ts";

export interface NodePlan {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly log: string;
}

export interface SupervisorOptions {
  readonly plans: readonly NodePlan[];
  /** Whether a node that dies is started again. */
  readonly restart: boolean;
  readonly onEvent: (event: UpEvent) => void;
  /** A node refused to start before the cluster was ready, or none is left. */
  readonly onHopeless: (node: string, reason: string) => void;
}

interface Supervised {
  readonly plan: NodePlan;
  child: Child | undefined;
  addresses: Readonly<Record<string, string>> | undefined;
  /** Deaths since it last served for long. */
  deaths: number;
  /** It is no member any more: the cluster is the others. */
  isRemoved: boolean;
  servingSinceMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** The first restart comes after this, each further one after twice as long. */
const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 30_000;
/** A node that served this long begins anew. */
const STEADY_MS = 30_000;
const PATIENCE_MS = 10_000;
/** How long a node may take to stop before it is killed. */
const STOP_MS = 5000;
const HAND_OVER_MS = 2000;
/** When all stop there is nobody to hand over to. */
const LAST_HAND_OVER_MS = 100;

export class Supervisor {
  private readonly options: SupervisorOptions;
  private readonly nodes: readonly Supervised[];
  private readonly leaders = new Map<string, { readonly leader: string; readonly term: number }>();
  private ready = false;
  private stopping = false;
  private waiting: NodeJS.Timeout | undefined;
  private onAllGone: (() => void) | undefined;

  constructor(options: SupervisorOptions) {
    this.options = options;
    this.nodes = options.plans.map((plan) => ({
      plan,
      child: undefined,
      addresses: undefined,
      deaths: 0,
      isRemoved: false,
      servingSinceMs: 0,
      timer: undefined,
    }));
  }

  start(): void {
    for (const node of this.nodes) this.launch(node);
    this.waiting = setTimeout(() => {
      const late = this.nodes.filter(({ addresses }) => addresses === undefined);
      const plans = (late.length === 0 ? this.nodes : late).map(({ plan }) => plan);
      const names = plans.map(({ name }) => name);
      this.options.onEvent({ event: "waiting", names, logs: plans.map(({ log }) => log) });
    }, PATIENCE_MS);
  }

  /** Stops every node, leaders first. Resolves when none is left. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.waiting);
    for (const { timer } of this.nodes) clearTimeout(timer);
    const leaders = new Set([...this.leaders.values()].map(({ leader }) => leader));
    const leading = this.nodes.filter(({ plan }) => leaders.has(plan.name));
    // With the others still there, leadership has somewhere to go.
    await this.end(leading, HAND_OVER_MS);
    await this.end(this.nodes, LAST_HAND_OVER_MS);
  }

  /** Ends every node at once, whatever it is doing. */
  kill(): void {
    this.stopping = true;
    for (const { child } of this.nodes) child?.kill();
  }

  private launch(node: Supervised): void {
    const { log, arguments: args } = node.plan;
    const child: Child = new Child({
      arguments: args,
      log,
      onWord: (word) => {
        if (node.child === child) this.onWord(node, child, word);
      },
      onExit: (status, signal) => {
        if (node.child !== child) return;
        node.child = undefined;
        this.onExit(node, child, status, signal);
      },
    });
    node.child = child;
    if (this.stopping) child.stop(0);
    node.addresses = undefined;
  }

  private onWord(node: Supervised, { pid }: Child, word: NodeWord): void {
    switch (word.type) {
      case "serving":
        node.addresses = word.addresses;
        node.servingSinceMs = performance.now();
        if (this.ready) {
          this.options.onEvent({ event: "restarted", name: node.plan.name, pid });
        }
        break;
      case "leader":
        this.onLeader(word.group, word.leader, word.term);
        break;
      case "failed":
        break;
      case "removed":
        node.isRemoved = true;
        break;
      default:
        unreachable(word);
    }
    this.checkReady();
  }

  private onLeader(group: string, leader: string | null, term: number): void {
    const known = this.leaders.get(group);
    if (leader === null || (known !== undefined && known.term >= term)) return;
    this.leaders.set(group, { leader, term });
    if (this.ready) this.options.onEvent({ event: "leader", group, leader, term });
  }

  private checkReady(): void {
    if (this.ready || this.stopping || this.leaders.size === 0) return;
    const members = this.nodes.filter(({ isRemoved }) => !isRemoved);
    const nodes = members.flatMap(({ plan: { name }, child, addresses }) =>
      child === undefined || addresses === undefined ? [] : [{ name, pid: child.pid, addresses }],
    );
    if (nodes.length < members.length) return;
    this.ready = true;
    clearTimeout(this.waiting);
    const leaders = new Map([...this.leaders].map(([group, { leader }]) => [group, leader]));
    this.options.onEvent({ event: "ready", nodes, leaders });
  }

  private onExit(
    node: Supervised,
    { pid, reason }: Child,
    status: number | null,
    signal: string | null,
  ): void {
    node.addresses = undefined;
    if (this.stopping) return this.checkAllGone();
    const { name, log } = node.plan;
    const judged = status === EXIT.failed || status === EXIT.usage;
    if (judged && !this.ready && !node.isRemoved) {
      return this.options.onHopeless(name, reason ?? `exited with status ${status}; see ${log}`);
    }
    const again = this.options.restart && !judged;
    const restartInMs = again ? this.delay(node) : undefined;
    this.options.onEvent({ event: "exited", name, pid, status, signal, reason, restartInMs });
    if (restartInMs !== undefined) {
      node.timer = setTimeout(() => this.launch(node), restartInMs);
    } else if (this.nodes.every(({ child, timer }) => child === undefined && !timer)) {
      this.options.onHopeless(name, "was the last node that ran");
    }
  }

  private delay(node: Supervised): number {
    const steady = performance.now() - node.servingSinceMs > STEADY_MS;
    node.deaths = steady ? 0 : node.deaths;
    const delay = Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** node.deaths);
    node.deaths++;
    return delay;
  }

  /** Asks nodes to stop, kills those that do not, and resolves when they are gone. */
  private async end(nodes: readonly Supervised[], graceMs: number): Promise<void> {
    for (const { child } of nodes) child?.stop(graceMs);
    const late = setTimeout(() => {
      for (const { child } of nodes) child?.kill();
    }, STOP_MS);
    await new Promise<void>((resolve) => {
      this.onAllGone = () => {
        if (nodes.every(({ child }) => child === undefined)) resolve();
      };
      this.onAllGone();
    });
    clearTimeout(late);
  }

  private checkAllGone(): void {
    this.onAllGone?.();
  }
}
