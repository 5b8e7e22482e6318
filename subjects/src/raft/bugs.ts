import type { Raft, RaftConfig } from "@quorate/consensus";
import type { Bug } from "@quorate/lab";

export interface Planted {
  readonly bug: Bug;
  make(config: RaftConfig): Raft;
}

export const raftBugs: readonly Planted[] = [];
