/**
 * What is watched of every ordered log: the entries that were committed first,
 * what is on every node's disk, who leads, and what clients were told. An engine's
 * own witness extends it by the engine's promises. Every check costs what changed
 * since the node's last step.
 */

import type {
  Entry,
  Index,
  LogOutput,
  LogRequest,
  LogResponse,
  LogWords,
  OrderedLog,
} from "@quorate/consensus";
import type { NodeId, Position, Random } from "@quorate/kernel";
import type { Broken, Claim, Mark, Settled, Witness, World } from "@quorate/lab";

import type { Disk } from "./disk.ts";
import { Operations } from "./operations.ts";
import { Latest, Tail } from "../tail.ts";
import { Upkeep } from "./upkeep.ts";

/** What every log promises its clients, numbered as in protocols/consensus/PROTOCOL.md. */
export const CLIENT_CLAIMS: readonly Claim[] = [
  { id: "L2", text: "a proposal answered as committed is at that index" },
  { id: "L3", text: "a read sees all that was answered before it was asked" },
  { id: "L4", text: "what was refused for good has no effect and never will" },
];

export const CLIENT_MARKS: readonly Mark[] = [
  { name: "read", text: "a linearizable read is answered" },
  { name: "lease-read", text: "a read is answered under a lease" },
  { name: "transferred", text: "leadership is handed over" },
  { name: "outcome-unknown", text: "a client is told that nobody knows what came of its proposal" },
  { name: "overloaded", text: "a proposal is refused because too much waits" },
  { name: "lost-writes", text: "a crash takes back what was not synced" },
];

/** Of disks that lose sectors. */
export const DAMAGE_MARKS: readonly Mark[] = [
  { name: "sectors-lost", text: "a node starts without the bytes of some entries" },
  { name: "mended", text: "a node gets entries again that its disk had lost" },
];

/** More reigns than there are between the first and the last that anybody is in at a time. */
export const REIGNS = 1_000;
/** More entries than are committed while a client waits for an answer. */
const ANSWERED_ENTRIES = 4_096;

export interface LogWitnessOptions {
  /** Leaders serve reads under leases. */
  readonly leases: boolean;
  readonly keepEntries: number;
}

export abstract class LogWitness<
  W extends LogWords,
  P extends OrderedLog<W>,
  D extends Disk<W["Record"]>,
> implements Witness<W, P> {
  protected readonly world: World<W, P>;
  protected readonly nodes: readonly NodeId[];
  protected readonly disks: Map<NodeId, D> = new Map();
  /**
   * What was committed first at each index, from 1. Logs are compacted, so nobody looks at what was
   * committed long ago; a node that lags farther behind than this gets a snapshot.
   */
  protected readonly committed: Tail<Entry>;
  private readonly upkeep: Upkeep<W, P>;
  private readonly operations: Operations;
  private readonly leaderOf: Latest<string, NodeId> = new Latest(REIGNS);
  private leading: NodeId[] = [];

  constructor(
    world: World<W, P>,
    nodes: readonly NodeId[],
    { leases, keepEntries }: LogWitnessOptions,
  ) {
    this.world = world;
    this.nodes = nodes;
    // A node restarts from the checkpoint before last, if the last was lost with a crash.
    this.committed = new Tail(4 * keepEntries + ANSWERED_ENTRIES);
    this.upkeep = new Upkeep(world, keepEntries);
    this.operations = new Operations(world, nodes, leases);
    for (const node of nodes) this.disks.set(node, this.emptyDisk());
  }

  stopped(node: NodeId, kept: number): void {
    if (this.disks.get(node)!.crash(kept)) this.world.mark("lost-writes");
    this.leading = this.leading.filter((each) => each !== node);
  }

  wiped(node: NodeId): void {
    this.disks.set(node, this.emptyDisk());
  }

  persisted(node: NodeId, record: W["Record"], position: Position): void {
    this.disks.get(node)!.persist(record, position);
  }

  durable(node: NodeId, position: Position): void {
    this.disks.get(node)!.sync(position);
  }

  /** Marks what every engine notes alike. */
  noted(_node: NodeId, { type }: W["Note"]): void {
    if (type === "elected") this.world.mark(this.everLed ? "re-elected" : "elected");
    if (type === "damaged") this.world.mark("sectors-lost");
    if (type === "mended") this.world.mark("mended");
  }

  checkpointed(node: NodeId, records: readonly W["Record"][]): void {
    this.disks.get(node)!.checkpointed(records);
  }

  said(node: NodeId, output: LogOutput): void {
    this.upkeep.said(node, output);
  }

  checkpoint(_node: NodeId, process: P): readonly W["Record"][] | undefined {
    return this.upkeep.checkpoint(process, this.baseOf(process));
  }

  abstract stepped(node: NodeId, process: P): Broken | undefined;

  /** Somebody has led before. */
  protected get everLed(): boolean {
    return this.leaderOf.size > 0;
  }

  /**
   * A node leads, or does not any more.
   *
   * @param claim - Says that a reign has one leader.
   */
  protected led(node: NodeId, process: P, claim: string): Broken | undefined {
    this.leading = this.leading.filter((each) => each !== node);
    if (process.role !== "leader") return undefined;
    // The newest comes first: who leads in a later reign rules.
    this.leading.unshift(node);
    const reign = this.reignOf(process);
    const other = this.leaderOf.get(reign);
    this.leaderOf.set(reign, node);
    if (other === undefined || other === node) return undefined;
    return { claim, text: `${other} and ${node} both lead in ${reign}` };
  }

  /** An entry is committed that was not committed anywhere before. */
  protected commit(entry: Entry): Broken | undefined {
    const { first } = this.committed;
    const index = this.committed.push(entry);
    if (this.committed.first > first) this.forget(this.committed.first);
    return this.operations.committed(index, entry);
  }

  /** What was committed before this index is known no more. */
  protected forget(before: Index): void {
    for (const disk of this.disks.values()) disk.forget(before);
  }

  ask(op: number, dice: Random, node: NodeId): LogRequest {
    return this.operations.ask(op, dice, node);
  }

  answered(op: number, response: LogResponse): Settled {
    return this.operations.answered(op, response, this.committed);
  }

  abandoned(op: number): void {
    this.operations.abandoned(op);
  }

  leaders(): readonly NodeId[] {
    return this.leading;
  }

  leaseHolders(): readonly NodeId[] {
    return this.leading;
  }

  missing(core: readonly NodeId[]): string | undefined {
    const [leader, ...more] = this.leading.filter((node) => core.includes(node));
    if (leader === undefined) return "nobody leads";
    if (more.length > 0) return `${[leader, ...more].join(" and ")} lead`;
    const leading = this.world.process(leader)!;
    const { commitIndex, lastIndex } = leading;
    if (commitIndex !== lastIndex) return `${leader} has committed ${commitIndex} of ${lastIndex}`;
    const reign = this.reignOf(leading);
    for (const node of core) {
      const process = this.world.process(node);
      if (process === undefined) return `${node} is down`;
      const own = this.reignOf(process);
      if (own !== reign) return `${node} is in ${own}, ${leader} leads in ${reign}`;
      if (process.commitIndex !== commitIndex) {
        return `${node} has committed ${process.commitIndex} of ${commitIndex}`;
      }
    }
    return undefined;
  }

  history(): string {
    return this.operations.history();
  }

  protected abstract emptyDisk(): D;

  /** Up to where a log is compacted away. */
  protected abstract baseOf(process: P): Index;

  /** What has one leader: a term, a ballot, an epoch; in words. */
  protected abstract reignOf(process: P): string;
}

export function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.term !== b.term || a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data === b.data || a.data.every((byte, i) => byte === b.data[i]);
}
