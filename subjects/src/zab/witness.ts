/**
 * Watches a cluster of Zab nodes, beyond what is watched of every log: epochs, the
 * history that was committed first and in which epoch, and that nobody says what
 * its disk does not have. The properties are those of Junqueira, Reed & Serafini
 * (2011, §III) and of the specification in ZooKeeper's repository.
 */

import {
  type Entry,
  type Index,
  isQuorum,
  type Term,
  type Zab,
  type ZabWords,
} from "@quorate/consensus";
import type { NodeId, Position } from "@quorate/kernel";
import type { Broken, Claim, Mark, World } from "@quorate/lab";

import { Latest, type Tail } from "../tail.ts";
import {
  CLIENT_CLAIMS,
  CLIENT_MARKS,
  DAMAGE_MARKS,
  LogWitness,
  type LogWitnessOptions,
  REIGNS,
  sameEntry,
} from "../log/witness.ts";
import { DurableHistory } from "./durable-history.ts";

type Message = ZabWords["Message"];
type Note = ZabWords["Note"];
type Record = ZabWords["Record"];

/** Numbered as in protocols/consensus/src/zab/PROTOCOL.md. */
export const CLAIMS: readonly Claim[] = [
  { id: "H1", text: "one entry is committed at an index, for ever (total order, agreement)" },
  { id: "H2", text: "accepted epochs never fall" },
  { id: "H3", text: "current epochs never fall, and are accepted first" },
  { id: "H4", text: "what is committed is in the history" },
  { id: "H5", text: "what is committed is never dropped" },
  { id: "H6", text: "only what is committed is compacted" },
  { id: "H7", text: "zxids grow along a history (local and global primary order)" },
  {
    id: "H8",
    text: "an established leader has all that earlier epochs committed (primary integrity)",
  },
  { id: "H9", text: "only rounds of pings that were sent are answered" },
  { id: "H10", text: "an epoch has at most one established leader" },
  { id: "B7", text: "an epoch is on the disk of whoever proposes or promises it" },
  { id: "B14", text: "who accepts NEWLEADER has the leader's history on its disk, then the epoch" },
  { id: "B16", text: "a zxid names one entry (integrity)" },
  { id: "B18", text: "what is acknowledged is on the disk" },
  { id: "B19", text: "what is committed is on the disks of a quorum, as history of that epoch" },
  { id: "B25", text: "what a disk has lost is unknown: nobody leads or commits by it" },
  ...CLIENT_CLAIMS,
];

/** What any break of agreement may be seen by first. */
export const DISAGREEMENT: readonly string[] = [
  "H1",
  "H4",
  "H5",
  "H7",
  "H8",
  "H10",
  "B16",
  "B19",
  "L2",
  "L3",
  "L4",
  "stops",
];

export const MARKS: readonly Mark[] = [
  { name: "elected", text: "a leader is established" },
  { name: "re-elected", text: "a leader is established in a later epoch" },
  { name: "quorum-lost", text: "a leader steps down because it reaches no quorum" },
  { name: "outdated", text: "a leader to be meets a newer history among those that promise" },
  { name: "deposed-with-tail", text: "a leader steps down with entries that are not committed" },
  { name: "diff", text: "a member is sent what it lacks" },
  { name: "trunc", text: "a member is to drop what the leader does not have" },
  { name: "session-ended", text: "a follower finds that something of its session was lost" },
  ...DAMAGE_MARKS,
  { name: "inherited", text: "an entry of an earlier epoch is committed" },
  ...CLIENT_MARKS,
];

/** What was seen of a node in its present life. */
interface Seen {
  accepted: Term;
  current: Term;
  commit: Index;
  leading: boolean;
}

/** What a zxid names. */
interface Named {
  readonly index: Index;
  readonly entry: Entry;
}

/** Where a history ends. */
interface End {
  readonly index: Index;
  readonly term: Term | undefined;
}

export class ZabWitness extends LogWitness<ZabWords, Zab, DurableHistory> {
  private readonly seen: Map<NodeId, Seen> = new Map();
  /** The epoch in which each entry was committed: its own or a later one. */
  private readonly committedIn: Tail<Term>;
  /** What each zxid names, by epoch and index. */
  private readonly named: Map<string, Named> = new Map();
  /** Of each epoch: where its leader's initial history ends. */
  private readonly initial: Latest<Term, End> = new Latest(REIGNS);
  /** The current epoch on each disk, when it was looked at last. */
  private readonly entered: Map<NodeId, Term> = new Map();
  /** Found between steps; told after the next one. */
  private found: Broken | undefined;

  constructor(world: World<ZabWords, Zab>, nodes: readonly NodeId[], options: LogWitnessOptions) {
    super(world, nodes, options);
    this.committedIn = this.committed.alike();
  }

  started(node: NodeId, { acceptedEpoch: accepted, currentEpoch: current }: Zab): void {
    this.seen.set(node, { accepted, current, commit: 0, leading: false });
    const disk = this.disks.get(node)!;
    if (accepted < disk.acceptedEpoch) {
      const text = `${node} has accepted ${accepted} after a restart, ${disk.acceptedEpoch} before`;
      this.found ??= { claim: "H2", text };
    }
    if (current < disk.currentEpoch) {
      const text = `${node} is in epoch ${current} after a restart, in ${disk.currentEpoch} before`;
      this.found ??= { claim: "H3", text };
    }
  }

  override stopped(node: NodeId, kept: number): void {
    super.stopped(node, kept);
    this.checkEpochOnDisk(node);
  }

  override persisted(node: NodeId, record: Record, position: Position): void {
    super.persisted(node, record, position);
    if (record.type !== "history") return;
    for (const [i, entry] of record.entries.entries()) {
      const index = record.index + i;
      const name = `${entry.term} ${index}`;
      const first = this.named.get(name) ?? { index, entry };
      this.named.set(name, first);
      if (sameEntry(first.entry, entry)) continue;
      const text = `${node} has another entry of epoch ${entry.term} at ${index} than was proposed`;
      this.found ??= { claim: "B16", text };
    }
  }

  override durable(node: NodeId, position: Position): void {
    super.durable(node, position);
    this.checkEpochOnDisk(node);
  }

  /** The disk says that its history is an epoch's: then all of the initial one is there (scenario Z2). */
  private checkEpochOnDisk(node: NodeId): void {
    const disk = this.disks.get(node)!;
    const { currentEpoch } = disk;
    if (currentEpoch === (this.entered.get(node) ?? 0)) return;
    this.entered.set(node, currentEpoch);
    const end = this.initial.get(currentEpoch);
    if (end === undefined || disk.holds(end.index, end.term)) return;
    const text = `the disk of ${node} is in epoch ${currentEpoch} without its initial history, up to ${end.index}`;
    this.found ??= { claim: "B14", text };
  }

  sent(from: NodeId, _to: NodeId, message: Message): void {
    this.found ??= this.isTrue(from, message);
  }

  /** Whether a node's disk has what the node says. */
  private isTrue(node: NodeId, m: Message): Broken | undefined {
    const disk = this.disks.get(node)!;
    switch (m.type) {
      case "leaderInfo":
      case "ackEpoch":
        if (disk.acceptedEpoch >= m.epoch) return undefined;
        return { claim: "B7", text: `${node} speaks of epoch ${m.epoch}; its disk does not` };
      case "ack":
      case "pong": {
        const { epoch, counter } = m.zxid;
        if (m.synced && disk.currentEpoch < m.epoch) {
          const text = `${node} has accepted epoch ${m.epoch}'s history, but not on its disk`;
          return { claim: "B14", text };
        }
        // Runs are short: the counter is the index.
        if (disk.hasHeld(epoch, counter)) return undefined;
        const text = `${node} acknowledges ${epoch}.${counter}, which its disk does not have`;
        return { claim: "B18", text };
      }
      default:
        return undefined;
    }
  }

  override noted(node: NodeId, note: Note): void {
    switch (note.type) {
      case "synchronising": {
        const { log, lastIndex: index } = this.world.process(node)!;
        this.initial.set(note.epoch, { index, term: log.termAt(index) });
        break;
      }
      case "synchronised":
        if (note.mode !== "snap") this.world.mark(note.mode);
        break;
      case "sessionEnded":
        this.world.mark("session-ended");
        break;
      case "steppedDown":
        if (note.reason === "quorumLost") this.world.mark("quorum-lost");
        if (note.reason === "outdated") this.world.mark("outdated");
        break;
      default:
        super.noted(node, note);
    }
  }

  override stepped(node: NodeId, zab: Zab): Broken | undefined {
    const seen = this.seen.get(node)!;
    let broken = this.found;
    this.found = undefined;
    const { acceptedEpoch: accepted, currentEpoch: current } = zab;
    if (accepted !== seen.accepted || current !== seen.current) {
      broken ??= epochsBroken(node, seen, accepted, current);
      seen.accepted = accepted;
      seen.current = current;
    }
    const leads = zab.role === "leader";
    if (leads !== seen.leading) {
      seen.leading = leads;
      if (!leads && zab.lastIndex > zab.commitIndex) this.world.mark("deposed-with-tail");
      broken ??= this.led(node, zab, "H10");
      if (leads) broken ??= this.isComplete(node, zab);
    }
    if (zab.commitIndex > seen.commit) broken ??= this.advanced(node, zab, seen);
    return broken;
  }

  /** What was committed in earlier epochs is in the history of an established leader. */
  private isComplete(node: NodeId, { currentEpoch, log }: Zab): Broken | undefined {
    if (log.lost.size > 0) {
      const text = `${node} leads epoch ${currentEpoch} and lacks entries ${[...log.lost].join(" ")}`;
      return { claim: "B25", text };
    }
    let { last } = this.committed;
    while ((this.committedIn.at(last) ?? 0) >= currentEpoch) last--;
    const entry = this.committed.at(last);
    if (entry === undefined || last <= log.base.index || log.termAt(last) === entry.term) {
      return undefined;
    }
    const text = `${node} leads epoch ${currentEpoch} without entry ${last} of epoch ${entry.term}, which is committed`;
    return { claim: "H8", text };
  }

  private advanced(node: NodeId, zab: Zab, seen: Seen): Broken | undefined {
    const { log, commitIndex } = zab;
    if (commitIndex > log.lastIndex) {
      const text = `${node} commits up to ${commitIndex}; its history ends at ${log.lastIndex}`;
      return { claim: "H4", text };
    }
    if (log.firstLost <= commitIndex) {
      const text = `${node} commits up to ${commitIndex} and lacks entry ${log.firstLost}`;
      return { claim: "B25", text };
    }
    const news = this.committed.last;
    for (let index = Math.max(seen.commit, log.base.index) + 1; index <= commitIndex; index++) {
      if (this.committed.hasForgotten(index)) continue;
      const entry = log.at(index);
      const first = this.committed.at(index);
      const broken =
        first === undefined
          ? this.first(node, zab, entry)
          : sameEntry(first, entry)
            ? undefined
            : another(node, index, entry, first);
      if (broken !== undefined) return broken;
    }
    seen.commit = commitIndex;
    return this.committed.last > news ? this.onQuorum(node, zab, commitIndex) : undefined;
  }

  /** An entry is committed that was not before. */
  private first(node: NodeId, { currentEpoch }: Zab, entry: Entry): Broken | undefined {
    const before = this.committed.at(this.committed.last);
    if (before !== undefined && before.term > entry.term) {
      const text = `${node} commits an entry of epoch ${entry.term} after one of ${before.term}`;
      return { claim: "H7", text };
    }
    this.committedIn.push(currentEpoch);
    if (entry.term < currentEpoch) this.world.mark("inherited");
    return this.commit(entry);
  }

  /** Whether a quorum could lose its power now and still have what was just committed, as this epoch's. */
  private onQuorum(node: NodeId, zab: Zab, index: Index): Broken | undefined {
    const { term } = this.committed.at(index)!;
    const holds = (each: NodeId): boolean => {
      const disk = this.disks.get(each);
      return disk?.termAt(index) === term && disk.currentEpoch >= zab.currentEpoch;
    };
    if (isQuorum(zab.configuration, holds)) return undefined;
    const holders = this.nodes.filter(holds);
    const text = `${node} commits entry ${index} of epoch ${term}, which is on the disk of ${holders.join(" ") || "nobody"}`;
    return { claim: "B19", text };
  }

  protected override emptyDisk(): DurableHistory {
    return new DurableHistory();
  }

  protected override forget(before: Index): void {
    super.forget(before);
    for (const [name, { index }] of this.named) if (index < before) this.named.delete(name);
  }

  protected override baseOf({ log }: Zab): Index {
    return log.base.index;
  }

  protected override reignOf({ currentEpoch }: Zab): string {
    return `epoch ${currentEpoch}`;
  }
}

function epochsBroken(node: NodeId, seen: Seen, accepted: Term, current: Term): Broken | undefined {
  if (accepted < seen.accepted) {
    return { claim: "H2", text: `${node} accepts ${accepted} after ${seen.accepted}` };
  }
  if (current < seen.current) {
    return { claim: "H3", text: `${node} goes back from epoch ${seen.current} to ${current}` };
  }
  if (current <= accepted) return undefined;
  return { claim: "H3", text: `${node} is in epoch ${current}, and has accepted ${accepted}` };
}

function another(node: NodeId, index: Index, entry: Entry, first: Entry): Broken {
  const text = `${node} commits an entry of epoch ${entry.term} at ${index}, where one of epoch ${first.term} was committed`;
  return { claim: "H1", text };
}
