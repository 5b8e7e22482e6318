/** The code in this package's README. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { conformance, type Engine } from "./conformance/index.ts";
import { lan } from "./raft/config.ts";
import type { RaftWords } from "./raft/messages.ts";
import { Raft } from "./raft/raft.ts";
import { REPLICA_DEFAULTS } from "./replica/config.ts";
import { Journal } from "./replica/journal.ts";
import { Replica } from "./replica/replica.ts";
import type { ReplicaWords } from "./replica/words.ts";

type JournalWords = ReplicaWords<RaftWords, number>;
type JournalReplica = Replica<RaftWords, number>;

test("a cluster grows by one member", () => {
  // region: cluster
  const founders = { voters: ["a", "b", "c"] };
  const cluster = new Simulation<JournalWords, JournalReplica>({
    seed: 1,
    nodes: ["a", "b", "c", "d"],
    create: (id) => {
      const raft = new Raft(lan(id === "d" ? { voters: [] } : founders));
      return new Replica(raft, new Journal(), REPLICA_DEFAULTS);
    },
  });
  cluster.runFor(2000);
  const leader = cluster.process("a")?.leader ?? "a";

  // A fourth node receives the log, catches up, and is made a voter.
  const changes = [{ type: "add", node: "d", as: "voter" }] as const;
  cluster.request(leader, { type: "reconfigure", changes, basedOn: undefined }, (answer) => {
    assert.equal(answer.type, "reconfigured");
  });
  cluster.runFor(2000);
  assert.deepEqual(cluster.process("d")?.log.configuration.voters, ["a", "b", "c", "d"]);
  // endregion
});

test("an engine plays the suite", () => {
  // region: suite
  const raft: Engine<RaftWords> = {
    name: "Raft",
    create: (_id, founding) => new Raft(lan(founding)),
    claims: () => ({ check: () => undefined }),
    recoveryMs: 10_000,
    livesOn: "clique",
  };
  for (const scene of conformance.slice(0, 1)) {
    scene.play(raft, (options) => new Simulation<JournalWords, JournalReplica>(options), 1);
  }
  // endregion
});
