/** Everything that the lab can examine, by name. */

import type { Subject } from "@quorate/lab";

import { gossip } from "./gossip/subject.ts";
import { paxos } from "./paxos/subject.ts";
import { raft } from "./raft/subject.ts";
import { replica } from "./replica/subject.ts";
import { zab } from "./zab/subject.ts";

export const catalogue: readonly Subject[] = [raft, paxos, zab, replica, gossip];

export function subjectNamed(name: string): Subject | undefined {
  return catalogue.find((subject) => subject.name === name);
}
