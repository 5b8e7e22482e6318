/** Watches a cluster of Serf nodes: asks for events and tags, and compares what they know. */

import { GossipClaims, type GossipWords, type Note, type Output, type Serf } from "@quorate/gossip";
import type { NodeId, Random } from "@quorate/kernel";
import type { Broken, Claim, Mark, Settled, Witness, World } from "@quorate/lab";

import { Latest } from "../tail.ts";

export const CLAIMS: readonly Claim[] = [
  { id: "I1", text: "a node that has not said farewell is alive in its own table" },
  { id: "I2", text: "nobody holds an incarnation that the member did not give itself" },
  { id: "I3", text: "knowledge of a present member never goes back" },
  { id: "I4", text: "a member is suspect exactly while a suspicion of it runs" },
  { id: "I5", text: "counts agree with the table" },
  { id: "I6", text: "health is within its bounds" },
  { id: "I7", text: "an event is put out at most once in a life" },
];

export const MARKS: readonly Mark[] = [
  { name: "suspected", text: "a member is suspected" },
  { name: "confirmed", text: "a second accuser confirms a suspicion" },
  { name: "refuted", text: "a member refutes what is said of it" },
  { name: "failed", text: "a member is declared dead" },
  { name: "unwell", text: "a node finds itself at fault" },
  { name: "event", text: "an event is put out" },
];

/** Events that a witness knows of: more than a node does, which drops those that are older than its own. */
const TOLD = 4_096;

export class GossipWitness implements Witness<GossipWords, Serf> {
  private readonly world: World<GossipWords, Serf>;
  private readonly nodes: readonly NodeId[];
  private readonly claims: GossipClaims = new GossipClaims();
  /** What each node was told of late in its present life. */
  private readonly told: Map<NodeId, Latest<string, true>> = new Map();
  private repeated: Broken | undefined;

  constructor(world: World<GossipWords, Serf>, nodes: readonly NodeId[]) {
    this.world = world;
    this.nodes = nodes;
  }

  started(node: NodeId): void {
    this.told.set(node, new Latest(TOLD));
  }

  stepped(node: NodeId, process: Serf): Broken | undefined {
    this.claims.witness(process);
    const broken = this.claims.check(node, process);
    if (broken === undefined) return this.repeated;
    const colon = broken.indexOf(": ");
    return { claim: broken.slice(0, colon), text: broken.slice(colon + 2) };
  }

  noted(_node: NodeId, note: Note): void {
    if (note.type === "health") {
      if (note.score > 0) this.world.mark("unwell");
      return;
    }
    if (MARKS.some(({ name }) => name === note.type)) this.world.mark(note.type);
  }

  said(node: NodeId, output: Output): void {
    if (output.type !== "userEvent") return;
    this.world.mark("event");
    const { ltime, name } = output.event;
    const told = this.told.get(node)!;
    const event = `${name}@${ltime}`;
    if (told.has(event)) this.repeated ??= { claim: "I7", text: `${node} put out ${event} twice` };
    told.set(event, true);
  }

  ask(op: number, dice: Random): GossipWords["Request"] {
    if (dice.chance(1, 4)) return { type: "setTags", tags: { op: `${op}` } };
    const payload = new Uint8Array(dice.below(100));
    return { type: "userEvent", name: `event ${op}`, payload, coalesce: false };
  }

  answered(_op: number, response: GossipWords["Response"]): Settled {
    const served = response.type === "done" || response.type === "sent";
    return served ? { type: "served" } : { type: "refused", elsewhere: undefined };
  }

  missing(core: readonly NodeId[]): string | undefined {
    for (const node of core) {
      const process = this.world.process(node);
      if (process === undefined) return `${node} is down`;
      for (const other of this.nodes) {
        const state = process.member(other)?.state;
        const expected = core.includes(other);
        if (expected && state !== "alive")
          return `${node} takes ${other} for ${state ?? "unknown"}`;
        if (!expected && (state === "alive" || state === "suspect")) {
          return `${node} takes ${other} for ${state}, which is gone`;
        }
      }
    }
    return undefined;
  }
}
